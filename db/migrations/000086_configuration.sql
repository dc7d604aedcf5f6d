-- expand
-- What an organisation looks like to visitors, and in which languages it serves them.
alter table tenants add column brand_colour text check (brand_colour ~ '^#[0-9A-F]{6}$');
alter table tenants add column languages text[] not null default '{fr,en,ar}'
  check (languages <@ array['fr', 'en', 'ar'] and cardinality(languages) > 0);
-- What the platform has closed for it, and why.
alter table tenants add column suspended_reason text not null default '';
alter table tenants add column switched_off text[] not null default '{}';

-- What the platform has closed for everybody.
create table platform_switches (
  name text primary key,
  is_off boolean not null,
  reason text not null default '',
  changed_by text not null,
  changed_at timestamptz not null default now()
);
grant select, insert, update on platform_switches to sq_app;
grant select on platform_switches to sq_backup;

-- How each organisation fares: figures only. Tenants' own transactions are refused.
create function app.tenants_overview(wanted text, before_id bigint, most integer)
  returns table (id bigint, tickets_today integer, waiting integer, devices_down integer, webhooks_failing integer, last_ticket_at timestamptz)
  language plpgsql security definer set search_path = public, pg_temp as $$
declare t record;
begin
  if app.tenant_id() is not null then raise 'the overview is the platform''s' using errcode = '42501'; end if;
  for t in
    select x.id, x.timezone from tenants x
    where x.id < before_id and (wanted = '' or strpos(lower(x.name || ' ' || x.slug), lower(wanted)) > 0)
    order by x.id desc limit most
  loop
    perform set_config('app.current_tenant_id', t.id::text, true);
    return query select t.id,
      (select count(*)::int from tickets k where k.tenant_id = t.id
         and k.created_at >= (now() at time zone t.timezone)::date::timestamp at time zone t.timezone),
      (select count(*)::int from tickets k where k.tenant_id = t.id and k.status = 'en_attente'),
      (select count(*)::int from devices d where d.tenant_id = t.id and d.revoked_at is null
         and coalesce(d.last_seen_at < now() - interval '3 minutes', true)),
      (select count(*)::int from webhooks w where w.tenant_id = t.id and (w.failing_since is not null or w.disabled_reason in ('gone', 'failing'))),
      (select max(k.created_at) from tickets k where k.tenant_id = t.id);
  end loop;
  perform set_config('app.current_tenant_id', '', true);
end $$;
grant execute on function app.tenants_overview to sq_app;
