-- expand
-- What a ticket may expect at each place of the line, as announced last; null until enough was seen.
alter table queue_states add column forecast jsonb;

-- What the predictor of a site has learned: its own bytes, a fold over the site's events up to `offset` of `epoch`.
create table site_predictors (
  tenant_id bigint not null,
  site_id bigint not null,
  epoch text not null,
  "offset" bigint not null,
  state bytea not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, site_id),
  foreign key (tenant_id, site_id) references sites on delete cascade
) with (fillfactor = 50);
call app.isolate('site_predictors');

-- What was foreseen for each stay when it came, and what it waited once it was called.
create table ticket_estimates (
  tenant_id bigint not null,
  ticket_id bigint not null,
  queue_id bigint not null,
  at timestamptz not null,
  low_seconds integer not null,
  median_seconds integer not null,
  high_seconds integer not null,
  waited_seconds integer,
  primary key (tenant_id, ticket_id),
  foreign key (tenant_id, ticket_id) references tickets on delete cascade,
  foreign key (tenant_id, queue_id) references queues on delete cascade
) with (fillfactor = 80);
call app.isolate('ticket_estimates');
create index ticket_estimates_by_queue on ticket_estimates (tenant_id, queue_id, at);
