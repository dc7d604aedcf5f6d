-- breaking
-- How people sign in, and what they signed in with. Sessions begin anew: nobody has signed in to a release yet.
delete from sessions;
alter table sessions
  drop column refresh_hash,
  drop column previous_refresh_hash,
  add column kind text not null check (kind in ('tokens', 'console')),
  -- SHA-256 of the cookie's opaque id.
  add column secret_hash bytea unique,
  -- The refresh token that counts, and the one before it. Their signature is not stored: neither a copy of this table
  -- nor the signing key alone makes a token.
  add column refresh_id uuid not null default gen_random_uuid(),
  add column previous_refresh_id uuid,
  add column method text not null check (method in ('password', 'passkey', 'sso', 'impersonation')),
  -- When the person last proved who they are, in this session.
  add column proven_at timestamptz,
  -- However often it is used, it ends then.
  add column ends_at timestamptz not null,
  add column seen_at timestamptz not null default now(),
  -- The network (/24 or /56) and the family of the program, for the owner to recognise it by.
  add column address text,
  add column user_agent text,
  add constraint console_has_secret check ((kind = 'console') = (secret_hash is not null));
-- Whoever may have missed a notice asks for the last ones.
create index sessions_by_revocation on sessions (revoked_at) where revoked_at is not null;

-- May this person work there now? Volatile, so that it sees what was committed while its statement waited for a lock.
create function app.is_member(of_user bigint, of_tenant bigint) returns boolean
  language sql volatile security definer set search_path = public, pg_temp
  as $$ select exists (select from memberships m join tenants t on t.id = m.tenant_id
        where m.user_id = of_user and m.tenant_id = of_tenant and m.is_active and t.is_active) $$;
grant execute on function app.is_member to sq_app;
