-- expand
-- Nobody but the application's own role calls what passes the tenants' wall; PostgreSQL lets everybody by default.
alter default privileges for role sq_owner revoke execute on functions from public;
revoke execute on all routines in schema app from public;
grant execute on function app.tenant_id to sq_app, sq_backup;
grant execute on function app.stream_heads, app.memberships_of, app.belongs_elsewhere, app.enqueue_job, app.append_audit,
  app.is_member, app.identity_provider_of to sq_app;

-- When must strangers show some work before they take a ticket? `automatic`: above a rate that no waiting room reaches.
alter table tenants add column take_challenge text not null default 'automatic'
  check (take_challenge in ('never', 'automatic', 'always'));

-- The platform's operator sets quotas; no transaction of a tenant can.
create policy quotas_for_the_platform on tenant_quotas for select to sq_owner using (true);
create function app.set_quota(of_tenant bigint, of_quota text, new_amount bigint) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if app.tenant_id() is not null then raise 'quotas are the platform''s' using errcode = '42501'; end if;
  perform set_config('app.current_tenant_id', of_tenant::text, true);
  if new_amount is null then
    delete from tenant_quotas where tenant_id = of_tenant and quota = of_quota;
  else
    insert into tenant_quotas (tenant_id, quota, amount) values (of_tenant, of_quota, new_amount)
    on conflict (tenant_id, quota) do update set amount = excluded.amount;
  end if;
  perform set_config('app.current_tenant_id', '', true);
end $$;
create function app.quotas_of(of_tenant bigint) returns table (quota text, amount bigint)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select q.quota, q.amount from tenant_quotas q where q.tenant_id = of_tenant and app.tenant_id() is null $$;
grant execute on function app.set_quota, app.quotas_of to sq_app;
-- Told once a day.
create table quota_notices (
  tenant_id bigint not null references tenants,
  quota text not null,
  day date not null,
  noticed_at timestamptz not null default now(),
  primary key (tenant_id, quota, day)
);
call app.isolate('quota_notices');

-- Another version is another link: the one before opens nothing.
alter table displays
  add column link_version integer not null default 1,
  add column link_expires_at timestamptz;

-- Stored answers of POSTs outside tenants (kept 24 h). Answers that open a door are never stored.
create table platform_idempotency_keys (
  principal text not null,
  operation text not null,
  key text not null,
  fingerprint text not null,
  status smallint,
  body text,
  created_at timestamptz not null default now(),
  primary key (principal, operation, key)
);
grant select, insert, update, delete on platform_idempotency_keys to sq_app;
grant select on platform_idempotency_keys to sq_backup;
create index platform_idempotency_keys_by_age on platform_idempotency_keys (created_at);
