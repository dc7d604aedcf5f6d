-- expand
-- Who is at work: agents by their console, devices by their word. A row is written every few seconds while its owner is
-- there, so it stands apart from the rows that calling people locks.
create table presences (
  tenant_id bigint not null references tenants,
  kind text not null check (kind in ('agent', 'device')),
  id bigint not null,
  site_id bigint not null,
  is_online boolean not null default true,
  last_seen_at timestamptz not null default now(),
  primary key (tenant_id, kind, id),
  foreign key (tenant_id, site_id) references sites on delete cascade
) with (fillfactor = 50);
call app.isolate('presences');
create index presences_online on presences (tenant_id, last_seen_at) where is_online;

-- In which organisations has somebody not been heard of for a while? Asked every few seconds by every process, so it
-- answers with ids only.
create policy silence_for_sweepers on presences for select to sq_owner using (true);
create function app.silent_tenants(agent_seconds int, device_seconds int) returns table (tenant_id bigint)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select distinct p.tenant_id from presences p
        where p.is_online and p.last_seen_at < now() - make_interval(secs =>
          case p.kind when 'agent' then agent_seconds else device_seconds end) $$;
revoke execute on function app.silent_tenants from public;
grant execute on function app.silent_tenants to sq_app;
