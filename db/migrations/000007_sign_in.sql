-- expand
-- The refresh token before the current one: presented again at once it was a lost answer, later it was stolen.
alter table sessions add column previous_refresh_hash bytea, add column rotated_at timestamptz;
create index sessions_by_expiry on sessions (expires_at);

-- One-time tickets that were used. They are signed and live half a minute, so only the used ones are remembered.
create table ws_tickets (
  id uuid primary key,
  expires_at timestamptz not null
);
grant select, insert, delete on ws_tickets to sq_app;
grant select on ws_tickets to sq_backup;
create index ws_tickets_by_expiry on ws_tickets (expires_at);

-- May the tenant of the transaction change this person's name, e-mail or password? Not when another tenant or the
-- platform knows the person too: whoever sets a password can sign in wherever it opens.
create function app.belongs_elsewhere(of_user bigint) returns boolean
  language sql stable security definer set search_path = public, pg_temp
  as $$ select exists (select from memberships m where m.user_id = of_user and m.tenant_id is distinct from app.tenant_id())
            or exists (select from users u where u.id = of_user and u.is_operator) $$;
