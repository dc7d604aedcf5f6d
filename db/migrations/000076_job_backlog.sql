-- expand
-- What waits in the job tables: the application's role cannot read them, and whoever measures must see it also where no
-- worker runs.
create function app.job_backlog() returns table (due integer, oldest_seconds double precision, dead integer)
  language plpgsql stable security definer set search_path = graphile_worker, pg_temp as $$
begin
  return query select count(*) filter (where j.is_available and j.run_at <= now())::integer,
      coalesce(extract(epoch from now() - min(j.run_at) filter (where j.is_available and j.run_at <= now())), 0)::double precision,
      count(*) filter (where j.attempts >= j.max_attempts and j.locked_at is null)::integer
    from _private_jobs j;
end $$;
grant execute on function app.job_backlog to sq_app;
