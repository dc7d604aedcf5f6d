-- expand
-- A job is done if and only if the transaction of its effect commits: it is settled there. Whoever lost the lease
-- meanwhile (stopped, given up, woken again) settles nothing, and must not commit.
create function app.settle_job(job bigint, worker text, attempt integer) returns boolean
  language plpgsql security definer set search_path = graphile_worker, pg_temp as $$
begin
  delete from _private_jobs j where j.id = job and j.locked_by = worker and j.attempts = attempt;
  return found;
end $$;
grant execute on function app.settle_job to sq_app;

-- Organisations take turns: of each hundred jobs that one has waiting already, the next comes a class later, so that
-- ten thousand of one do not stand before the first of another. At most a thousand entries of an index are counted.
create or replace function app.enqueue_job(task text, payload json, run_at timestamptz, job_key text) returns void
  language plpgsql security definer set search_path = graphile_worker, pg_temp as $$
declare
  waiting integer;
begin
  select count(*) filter (where w.is_available and w.run_at <= now()) into waiting from (
    select j.is_available, j.run_at from _private_jobs j
    where (j.payload ->> 'tenant_id') = (enqueue_job.payload ->> 'tenant_id') limit 1000) w;
  perform graphile_worker.add_job(task, payload, run_at => run_at, job_key => job_key, priority => waiting / 100);
end $$;

-- Which local days have had their nightly job, by organisation: one firing a day, whatever its clock does.
create table nightly_runs (
  tenant_id bigint not null references tenants on delete cascade,
  task text not null,
  day date not null,
  primary key (tenant_id, task, day)
);
call app.isolate('nightly_runs');
