-- expand
-- How a queue's algorithm is tuned: worth of a class, targets, shares, lead of appointments.
alter table queues add column algorithm_settings jsonb not null default '{}';

-- Beside each ticket what its rank was made of, so that it can be made anew.
alter table tickets
  -- The booked time, where there is one.
  add column appointment_at timestamptz,
  -- Somebody put it where it stands (moved, delayed, returned to a place): a new order of the queue leaves it at its place.
  add column is_placed boolean not null default false,
  -- Only an agent with this skill may call it.
  add column required_skill text;

-- The memory of fair shares: how far each share of a queue has been served, in virtual microseconds.
create table queue_shares (
  tenant_id bigint not null,
  queue_id bigint not null,
  share text not null,
  finish bigint not null,
  primary key (tenant_id, queue_id, share),
  foreign key (tenant_id, queue_id) references queues on delete cascade
) with (fillfactor = 50);
call app.isolate('queue_shares');

-- How an agent with several queues chooses between them.
alter table agents
  add column call_mode text not null default 'weight' check (call_mode in ('weight', 'ratio', 'strict')),
  -- Whoever has waited longer is called first, whatever the weights say.
  add column max_wait_seconds integer check (max_wait_seconds between 1 and 86400),
  add column skills text[] not null default '{}',
  -- Null = every language.
  add column languages text[];
-- Calls by ratio so far, each worth 1 / weight.
alter table agent_queues add column pass double precision not null default 0;
