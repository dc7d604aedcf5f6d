import type { Tx } from '../../../kernel/db/types.ts'
import { COUNTS, SUMS, stepSums } from './measures.ts'

/** Whole seconds, less `held`; null where either instant is: `greatest` alone would make it 0. */
const seconds = (from: string, to: string, held = '0') => `
  case when ${to} is not null and ${from} is not null then greatest(0, round(extract(epoch from ${to} - ${from}))::int - ${held}) end`

/**
 * Every leg of the stays that began on the days $1 to $2, with what is counted of it. `created_at` is there for its index: no
 * zone is further than a day and a half from UTC. The leg in progress is the ticket itself.
 * @param which more conditions on the stays `t`, each with `and` before it
 */
export const factsOf = (which = ''): string => `
  stays as materialized (
    select t.tenant_id, t.id, t.day, t.channel, t.leg, t.queue_id, t.agent_id, t.counter_id, t.entered_at, t.called_at, t.started_at,
           t.ended_at, t.rating, t.appointment_at is not null or t.channel = 'appointment' as is_booked
    from tickets t
    where t.created_at >= ($1::date - 2)::timestamp at time zone 'UTC'
      and t.created_at < ($2::date + 3)::timestamp at time zone 'UTC' and t.day between $1 and $2 ${which}),
  legs as materialized (
    select s.tenant_id, s.id, s.day, s.channel, s.is_booked, l.leg, l.queue_id, l.agent_id, l.counter_id, l.entered_at, l.called_at,
           l.started_at, l.ended_at, l.held_seconds, l.ended_by,
           case when l.leg = s.leg and s.ended_at is not null then s.rating end as rating
    from stays s join ticket_legs l on l.tenant_id = s.tenant_id and l.ticket_id = s.id
    union all
    select s.tenant_id, s.id, s.day, s.channel, s.is_booked, s.leg, s.queue_id, s.agent_id, s.counter_id, s.entered_at, s.called_at,
           s.started_at, null, 0, 'open', null
    from stays s where s.ended_at is null),
  promises as materialized (
    select distinct on (e.ticket_id) e.ticket_id, l.leg, e.low_seconds, e.median_seconds, e.high_seconds
    from stays s join ticket_estimates e on e.tenant_id = s.tenant_id and e.ticket_id = s.id
    join legs l on l.id = e.ticket_id and l.queue_id = e.queue_id and l.entered_at <= e.at
    order by e.ticket_id, l.leg desc),
  timed as (
    select l.*, lag(l.queue_id) over (partition by l.id order by l.leg) as left_queue_id,
           ${seconds('l.entered_at', 'l.called_at')} as wait, ${seconds('l.called_at', 'l.started_at')} as walk,
           ${seconds('l.started_at', 'l.ended_at', 'l.held_seconds')} as service_time,
           ${seconds('l.entered_at', 'l.ended_at')} as stay, p.low_seconds, p.median_seconds, p.high_seconds
    from legs l left join promises p on p.ticket_id = l.id and p.leg = l.leg),
  facts as (
    select t.queue_id, q.site_id, q.service_id, t.day as date, q.goal_seconds,
      extract(hour from t.entered_at at time zone s.timezone)::int::text as hour, t.channel, t.agent_id::text as agent,
      t.counter_id::text as counter, t.is_booked::text as booked,
      (t.leg = 1)::int as arrivals, (t.left_queue_id is distinct from t.queue_id)::int as total_customers,
      (t.wait is not null)::int as called, (t.walk is not null)::int as started,
      (t.service_time is not null)::int as services, (t.ended_by = 'terminé')::int as served,
      (t.ended_by = 'absent')::int as no_shows, (t.ended_by = 'annulé')::int as abandoned,
      (t.ended_by = 'expiré')::int as expired, (t.ended_by = 'return')::int as returned,
      (t.ended_by = 'transfer')::int as transferred, (t.ended_by = 'open')::int as unfinished,
      (t.held_seconds > 0)::int as held, coalesce(t.wait <= q.goal_seconds, false)::int as within_goal,
      (t.wait is not null and t.median_seconds is not null)::int as promised,
      coalesce(t.wait <= t.high_seconds, false)::int as within_promise,
      coalesce(t.wait between t.low_seconds and t.high_seconds, false)::int as inside_promise,
      (t.rating is not null)::int as rated, coalesce(t.rating, 0)::int as rating_sum,
      coalesce(t.wait, 0) as wait_seconds, coalesce(t.walk, 0) as walk_seconds,
      coalesce(t.service_time, 0) as service_seconds, t.held_seconds,
      case when t.ended_by = 'annulé' then t.stay else 0 end as abandoned_seconds,
      coalesce(t.median_seconds - t.wait, 0) as promise_error_seconds,
      coalesce(abs(t.median_seconds - t.wait), 0) as promise_absolute_error_seconds,
      t.wait as max_wait_seconds, t.service_time
    from timed t join queues q on q.tenant_id = t.tenant_id and q.id = t.queue_id
    join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id)`

const CELLS = `
  cells as materialized (
    select queue_id, site_id, service_id, date, goal_seconds,
      case when grouping(hour) = 0 then 'hour' when grouping(channel) = 0 then 'channel'
           when grouping(agent) = 0 then 'agent' when grouping(booked) = 0 then 'booked' else 'all' end as dimension,
      coalesce(hour, channel, agent, booked, '') as key,
      grouping(agent) = 0 and agent is null as is_nobody, ${SUMS},
      coalesce(array_agg(max_wait_seconds order by max_wait_seconds) filter (where max_wait_seconds is not null), '{}') as waits,
      coalesce(array_agg(service_time order by service_time) filter (where service_time is not null), '{}') as service_times
    from facts
    group by grouping sets ((queue_id, site_id, service_id, date, goal_seconds),
      (queue_id, site_id, service_id, date, goal_seconds, hour), (queue_id, site_id, service_id, date, goal_seconds, channel),
      (queue_id, site_id, service_id, date, goal_seconds, agent), (queue_id, site_id, service_id, date, goal_seconds, booked)))`

const KEYS = 'queue_id, site_id, service_id, date, dimension, key, goal_seconds'
const CELL_COLUMNS = [...COUNTS, 'max_wait_seconds', 'waits', 'service_times'].join(', ')
/** The value at this share of a sorted array, as `percentile_disc` has it. */
const at = (array: string, share: number) => `(${array})[greatest(1, ceil(${share} * cardinality(${array})))::int]`

const WRITE_QUEUES = `
  with ${factsOf()}, ${CELLS},
  peaks as (
    select queue_id, date, (array_agg(key::int order by total_customers desc, key::int))[1:3] as peak_hours
    from cells where dimension = 'hour' and total_customers > 0 group by queue_id, date)
  insert into queue_metrics (${KEYS}, ${CELL_COLUMNS}, average_wait_time, p50_wait_time, p90_wait_time, average_walk_time,
    average_service_time, p50_service_time, p90_service_time, average_held_time, peak_hours)
  select ${KEYS}, ${CELL_COLUMNS}, wait_seconds::float8 / nullif(called, 0), ${at('waits', 0.5)}, ${at('waits', 0.9)},
    walk_seconds::float8 / nullif(started, 0), service_seconds::float8 / nullif(services, 0),
    ${at('service_times', 0.5)}, ${at('service_times', 0.9)}, held_seconds::float8 / nullif(held, 0),
    case when dimension = 'all' then coalesce(peak_hours, '{}') end
  from cells left join peaks using (queue_id, date) where not is_nobody`

/** Counts by step, as one array for each group of `columns`. */
const steps = (name: string, values: string, columns: string, from: string) => `
  ${name} as materialized (
    select ${columns}, array_agg(coalesce(n, 0) order by step) as counts
    from (select distinct ${columns} from ${from}) own
    cross join generate_series(1, cardinality(app.duration_edges()) + 1) step
    left join (
      select ${columns}, app.duration_step(v, app.duration_edges()) as step, count(*)::int as n
      from ${from}, unnest(${values}) v group by ${columns}, step) counted
      using (${columns}, step)
    group by ${columns})`

const TENANT_KEYS = 'date, service_id, dimension, key'
const WRITE_TENANT = `
  with own as materialized (
    select m.*, 0::bigint as together from queue_metrics m
    where m.date between $1 and $2 and m.dimension in ('all', 'hour', 'channel', 'booked')),
  grouped as materialized (
    select date, service_id, dimension, key, ${COUNTS.join(', ')}, max_wait_seconds, waits, service_times from own
    union all
    select date, together, 'site', site_id::text, ${COUNTS.join(', ')}, max_wait_seconds, waits, service_times
    from own where dimension = 'all'),
  ${steps('w', 'waits', TENANT_KEYS, 'grouped')}, ${steps('v', 'service_times', TENANT_KEYS, 'grouped')},
  summed as (select ${TENANT_KEYS}, ${SUMS} from grouped group by ${TENANT_KEYS})
  insert into tenant_metrics (${TENANT_KEYS}, ${COUNTS.join(', ')}, max_wait_seconds, wait_counts, service_counts)
  select ${TENANT_KEYS}, ${COUNTS.join(', ')}, max_wait_seconds, w.counts, v.counts
  from summed join w using (${TENANT_KEYS}) join v using (${TENANT_KEYS})`

/** The months of the days $1 to $2, each whole as it is now. */
const WRITE_MONTHS = `
  insert into tenant_metrics (${TENANT_KEYS}, ${COUNTS.join(', ')}, max_wait_seconds, wait_counts, service_counts)
  select date_trunc('month', date)::date as month, 0, 'site_month', key, ${SUMS}, ${stepSums('wait_counts')}, ${stepSums('service_counts')}
  from tenant_metrics
  where dimension = 'site' and date >= date_trunc('month', $1::date) and date < date_trunc('month', $2::date) + interval '1 month'
  group by month, key`

const DIMENSIONS = ['all', 'hour', 'channel', 'agent', 'booked', 'site']

/**
 * Writes the metrics of the local days `from` to `to` (ISO dates) anew, from tickets, legs and estimates as they are now.
 * Run again it writes the same. Two at once on one day follow each other.
 * @returns rows of queues and days
 */
export async function aggregateDays(tx: Tx, from: string, to: string): Promise<number> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('analytics.aggregate'), app.tenant_id()::int)`)
  // By dimension, the first column of the key.
  for (const table of ['queue_metrics', 'tenant_metrics'])
    await tx.query(`delete from ${table} where dimension = any($3) and date between $1 and $2`, [from, to, DIMENSIONS])
  await tx.query(WRITE_QUEUES, [from, to])
  await tx.query(WRITE_TENANT, [from, to])
  await tx.query(
    `delete from tenant_metrics where dimension = 'site_month' and date between date_trunc('month', $1::date) and $2`,
    [from, to],
  )
  await tx.query(WRITE_MONTHS, [from, to])
  const { count } = await tx.one<{ count: number }>(
    `select count(*)::int as count from queue_metrics where dimension = 'all' and date between $1 and $2`,
    [from, to],
  )
  return count
}
