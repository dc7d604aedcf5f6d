-- expand
-- Called within this time counts as within the goal, and this share of people should be.
alter table queues
  add column goal_seconds integer not null default 600 check (goal_seconds between 1 and 86400),
  add column goal_percent smallint not null default 80 check (goal_percent between 1 and 100);

-- What each queue was like on each local day (QueueMetrics): in all, and apart by hour, channel, agent, booked or not.
-- Follows from tickets and their legs and can be made anew as long as these are kept. A stay counts, with all its legs, on
-- the day it began. Seconds are whole.
create table queue_metrics (
  tenant_id bigint not null references tenants,
  queue_id bigint not null,
  date date not null,
  dimension text not null check (dimension in ('all', 'hour', 'channel', 'agent', 'booked')),
  -- '' of all; '0' … '23'; the channel; the agent's id; 'true' or 'false'.
  key text not null,
  site_id bigint not null,
  service_id bigint not null,
  -- Stays that began here; people who came into this queue, transfers from others included.
  arrivals integer not null,
  total_customers integer not null,
  called integer not null,
  started integer not null,
  -- Services that ended, however; those that were completed.
  services integer not null,
  served integer not null,
  no_shows integer not null,
  -- Left while waiting; closed by the end of the day.
  abandoned integer not null,
  expired integer not null,
  returned integer not null,
  transferred integer not null,
  -- Not over yet when this was written: this day is looked at again.
  unfinished integer not null,
  held integer not null,
  within_goal integer not null,
  -- Waits for which somebody was told a range; those that ended by its high end, and those that ended inside it.
  promised integer not null,
  within_promise integer not null,
  inside_promise integer not null,
  rated integer not null,
  rating_sum integer not null,
  wait_seconds bigint not null,
  walk_seconds bigint not null,
  service_seconds bigint not null,
  held_seconds bigint not null,
  abandoned_seconds bigint not null,
  promise_error_seconds bigint not null,
  promise_absolute_error_seconds bigint not null,
  max_wait_seconds integer not null,
  -- Each wait and each service, so that percentiles of any period are exact.
  waits integer[] not null,
  service_times integer[] not null,
  average_wait_time double precision,
  p50_wait_time integer,
  p90_wait_time integer,
  average_walk_time double precision,
  average_service_time double precision,
  p50_service_time integer,
  p90_service_time integer,
  average_held_time double precision,
  -- The three busiest hours of `all`, busiest first.
  peak_hours integer[],
  goal_seconds integer not null,
  aggregated_at timestamptz not null default now(),
  primary key (tenant_id, dimension, date, queue_id, key),
  foreign key (tenant_id, queue_id) references queues on delete cascade
);
call app.isolate('queue_metrics');
create index queue_metrics_by_queue on queue_metrics (tenant_id, queue_id, dimension, date);
create index queue_metrics_by_site on queue_metrics (tenant_id, site_id, dimension, date);
create index queue_metrics_unfinished on queue_metrics (tenant_id, date) where dimension = 'all' and unfinished > 0;

-- The same of all sites together, so that a year of a large chain is read at once. Waits and services are counted in
-- steps: app.duration_step says which.
create table tenant_metrics (
  tenant_id bigint not null references tenants,
  date date not null,
  -- 0 = all services together, where the dimension is the site.
  service_id bigint not null,
  dimension text not null check (dimension in ('all', 'hour', 'channel', 'booked', 'site')),
  key text not null,
  arrivals integer not null,
  total_customers integer not null,
  called integer not null,
  started integer not null,
  services integer not null,
  served integer not null,
  no_shows integer not null,
  abandoned integer not null,
  expired integer not null,
  returned integer not null,
  transferred integer not null,
  unfinished integer not null,
  held integer not null,
  within_goal integer not null,
  promised integer not null,
  within_promise integer not null,
  inside_promise integer not null,
  rated integer not null,
  rating_sum integer not null,
  wait_seconds bigint not null,
  walk_seconds bigint not null,
  service_seconds bigint not null,
  held_seconds bigint not null,
  abandoned_seconds bigint not null,
  promise_error_seconds bigint not null,
  promise_absolute_error_seconds bigint not null,
  max_wait_seconds integer not null,
  wait_counts integer[] not null,
  service_counts integer[] not null,
  primary key (tenant_id, dimension, date, service_id, key)
);
call app.isolate('tenant_metrics');

-- The step of a duration: step n holds what lies above edge n - 1 and not above edge n. Steps of 15 seconds up to a minute, 30 up
-- to ten, a minute up to 30, 2 minutes up to an hour, 5 up to two, then a quarter of an hour up to eight.
create function app.duration_edges() returns integer[] language sql immutable parallel safe as $$
  select array_agg(e order by e)::integer[] from (
    select generate_series(0, 45, 15) union select generate_series(60, 570, 30) union select generate_series(600, 1740, 60)
    union select generate_series(1800, 3480, 120) union select generate_series(3600, 6900, 300) union select generate_series(7200, 28800, 900)) s(e) $$;
create function app.duration_step(seconds integer, edges integer[]) returns integer language sql immutable parallel safe
  as $$ select width_bucket(seconds - 1, edges) + 1 $$;
grant execute on function app.duration_edges, app.duration_step to sq_app;
