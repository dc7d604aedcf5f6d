-- expand
-- Workers say that they live every few seconds; who stays silent has its jobs given back.
create table job_workers (
  id text primary key,
  beat_at timestamptz not null default now()
);

-- Jobs that failed as often as they may. They stand until an operator looks.
create function app.dead_jobs(most integer)
  returns table (id bigint, task text, payload json, attempts integer, last_error text, created_at timestamptz, failed_at timestamptz)
  language plpgsql stable security definer set search_path = graphile_worker, pg_temp as $$
begin
  return query select j.id, t.identifier, j.payload, j.attempts::integer, j.last_error, j.created_at, j.updated_at
    from _private_jobs j join _private_tasks t on t.id = j.task_id
    where j.attempts >= j.max_attempts and j.locked_at is null order by j.id desc limit most;
end $$;
grant execute on function app.dead_jobs to sq_app;

create function app.retry_dead_job(job bigint) returns boolean
  language plpgsql security definer set search_path = graphile_worker, pg_temp as $$
begin
  perform from _private_jobs j where j.id = job and j.attempts >= j.max_attempts and j.locked_at is null for update;
  if not found then return false; end if;
  perform reschedule_jobs(array[job], run_at => now(), attempts => 0);
  return true;
end $$;
grant execute on function app.retry_dead_job to sq_app;

create function app.discard_dead_job(job bigint) returns boolean
  language plpgsql security definer set search_path = graphile_worker, pg_temp as $$
begin
  perform from _private_jobs j where j.id = job and j.attempts >= j.max_attempts and j.locked_at is null for update;
  if not found then return false; end if;
  perform complete_jobs(array[job]);
  return true;
end $$;
grant execute on function app.discard_dead_job to sq_app;
