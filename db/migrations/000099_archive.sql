-- expand
-- What left the database for a file (docs/adr/0031): the log by part, closed visits by month of arrival.
create table archive_files (
  tenant_id bigint not null references tenants (id),
  name text not null check (name ~ '^(events|tickets)_[a-z0-9_]+$'),
  row_count bigint not null,
  bytes bigint not null,
  sha256 text not null,
  archived_at timestamptz not null default now(),
  -- Brought back, for somebody who looks at it: not taken away again before.
  kept_until timestamptz,
  primary key (tenant_id, name)
);
call app.isolate('archive_files');

-- Asked for every ticket that goes.
create index appointments_by_ticket on appointments (tenant_id, ticket_id) where ticket_id is not null;

-- Takes a part out of the log and drops it: as long for a year as for a day. Refused while it is young, or an organisation's rows are in no file.
create function app.drop_events_part(part text) returns void language plpgsql security definer set search_path = public, pg_temp
  set lock_timeout = '500ms' as $$
declare
  each record;
  is_there boolean;
begin
  if not exists (select from app.events_parts() p where p.name = part and p.ends_at < now() - interval '100 days') then
    raise exception 'no old part of the log: %', part using errcode = '55000';
  end if;
  -- The owner is held by the walls like everybody: asked without an organisation it would see no row.
  for each in select id from tenants loop
    perform set_config('app.current_tenant_id', each.id::text, true);
    execute format('select exists (select from %I where tenant_id = $1)', part) into is_there using each.id;
    if is_there and not exists (select from archive_files f where f.tenant_id = each.id and f.name = part) then
      raise exception 'organisation % has no file of %', each.id, part using errcode = '55000';
    end if;
    if exists (select from archive_files f where f.tenant_id = each.id and f.kept_until > now()) then
      raise exception 'organisation % looks at its past', each.id using errcode = '55000';
    end if;
  end loop;
  perform set_config('app.current_tenant_id', '', true);
  execute format('alter table events detach partition %I', part);
  execute format('drop table %I', part);
end $$;

-- Makes room for rows of the log that are brought back: parts of the half years from one time to another, where there are none.
create function app.reopen_events(begins timestamptz, ends timestamptz) returns void language plpgsql security definer
  set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '500ms' as $$
declare
  half timestamptz;
begin
  for half in select generate_series(app.half_year(begins), app.half_year(ends), interval '6 months') loop
    if not exists (select from app.events_parts() p where p.begins_at <= half and p.ends_at > half) then
      call app.add_events_part(half);
    end if;
  end loop;
end $$;
grant execute on function app.drop_events_part(text), app.reopen_events(timestamptz, timestamptz) to sq_app;
