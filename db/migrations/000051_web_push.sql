-- expand
-- Who wants to be told of a call when the page is closed. The flag stands on the ticket so that calling, the hottest
-- statement, need not look for subscriptions that nearly nobody has.
alter table tickets add column wants_push boolean not null default false;

create table push_subscriptions (
  tenant_id bigint not null,
  ticket_id bigint not null,
  -- Address at the browser maker's push service, and the keys that only this browser can read with.
  endpoint text not null,
  p256dh text not null,
  auth text not null,
  locale text not null check (locale in ('fr', 'en', 'ar')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, ticket_id, endpoint),
  foreign key (tenant_id, ticket_id) references tickets on delete cascade
);
call app.isolate('push_subscriptions');
