-- expand
-- Background work shares the transaction of the change that asks for it. The job library guards its tables with
-- policies of its own, so the application enqueues through this one door.
create function app.enqueue_job(task text, payload json, run_at timestamptz, job_key text) returns void
  language plpgsql security definer set search_path = graphile_worker, pg_temp as $$
begin
  perform graphile_worker.add_job(task, payload, run_at => run_at, job_key => job_key);
end $$;
grant execute on function app.enqueue_job to sq_app;
