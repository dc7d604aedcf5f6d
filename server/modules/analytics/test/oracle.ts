import type { Direct } from '../../../kernel/db/index.ts'

type Owner = Direct['query']

/**
 * The legs of an organisation as a table of their own, written without looking at the module: one row each, with the local
 * day and hour reckoned by the program's calendar and not by PostgreSQL.
 */
export async function oracleLegs(owner: Owner, tenantId: number): Promise<void> {
  await owner('drop table if exists oracle_legs')
  await owner(`
    create table oracle_legs as
    select l.ticket_id, l.leg, l.queue_id, l.agent_id, l.counter_id, l.entered_at, l.called_at, l.started_at, l.ended_at, l.held_seconds,
      l.ended_by, t.channel, t.channel = 'appointment' or t.appointment_at is not null as booked, q.site_id, q.service_id, q.goal_seconds,
      s.timezone, null::date as day, null::int as hour,
      case when t.ended_at is not null and l.leg = (select max(m.leg) from ticket_legs m where m.tenant_id = l.tenant_id and m.ticket_id = l.ticket_id)
        then t.rating end as rating, t.created_at
    from (
      select tenant_id, ticket_id, leg, queue_id, agent_id, counter_id, entered_at, called_at, started_at, ended_at, held_seconds, ended_by
      from ticket_legs where tenant_id = ${tenantId}
      union all
      select tenant_id, id, leg, queue_id, agent_id, counter_id, entered_at, called_at, started_at, null, 0, null
      from tickets where tenant_id = ${tenantId} and status in ('en_attente', 'appelé', 'en_service', 'en_pause')) l
    join tickets t on t.tenant_id = l.tenant_id and t.id = l.ticket_id
    join queues q on q.tenant_id = l.tenant_id and q.id = l.queue_id
    join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id`)
  const rows = await owner<{
    ticket_id: number
    leg: number
    entered_at: string
    created_at: string
    timezone: string
    door: string
  }>(
    `select l.ticket_id, l.leg, l.entered_at, l.created_at, l.timezone, s.timezone as door
     from oracle_legs l join tickets t on t.id = l.ticket_id join sites s on s.id = t.site_id`,
  )
  const local = rows.map(({ ticket_id, leg, entered_at, created_at, timezone, door }) => ({
    ticket_id,
    leg,
    day: Temporal.Instant.from(created_at).toZonedDateTimeISO(door).toPlainDate().toString(),
    hour: Temporal.Instant.from(entered_at).toZonedDateTimeISO(timezone).hour,
  }))
  await owner(
    `update oracle_legs o set day = n.day, hour = n.hour
     from jsonb_to_recordset($1::jsonb) as n(ticket_id bigint, leg int, day date, hour int) where n.ticket_id = o.ticket_id and n.leg = o.leg`,
    [JSON.stringify(local)],
  )
  await owner(
    `alter table oracle_legs add column wait int, add column promise_low int, add column promise_mid int, add column promise_high int, add column came_from bigint`,
  )
  await owner(`update oracle_legs set wait = round(extract(epoch from called_at) - extract(epoch from entered_at))`)
  await owner(`
    update oracle_legs o set promise_low = e.low_seconds, promise_mid = e.median_seconds, promise_high = e.high_seconds
    from ticket_estimates e where e.tenant_id = ${tenantId} and e.ticket_id = o.ticket_id and e.queue_id = o.queue_id and e.at >= o.entered_at
      and not exists (select from oracle_legs p where p.ticket_id = o.ticket_id and p.queue_id = e.queue_id and p.entered_at <= e.at and p.leg > o.leg)`)
  await owner(
    `update oracle_legs o set came_from = p.queue_id from oracle_legs p where p.ticket_id = o.ticket_id and p.leg = o.leg - 1`,
  )
}

const SECONDS = (from: string, to: string) => `round(extract(epoch from ${to}) - extract(epoch from ${from}))`
const SERVICE = `greatest(0, ${SECONDS('started_at', 'ended_at')} - held_seconds)`

/** Figures of the legs that `where` picks, each by its own words. */
export async function oracle(owner: Owner, where: string): Promise<Record<string, number | null>> {
  const [row] = await owner<Record<string, number | null>>(`
    select count(*) filter (where leg = 1)::int as arrivals,
      count(*) filter (where came_from is null or came_from <> queue_id)::int as total_customers,
      count(called_at)::int as called, count(started_at)::int as started,
      count(*) filter (where started_at is not null and ended_at is not null)::int as services,
      count(*) filter (where ended_by = 'terminé')::int as served,
      count(*) filter (where ended_by = 'absent')::int as no_shows,
      count(*) filter (where ended_by = 'annulé')::int as abandoned,
      count(*) filter (where ended_by = 'expiré')::int as expired,
      count(*) filter (where ended_by = 'return')::int as returned,
      count(*) filter (where ended_by = 'transfer')::int as transferred,
      count(*) filter (where ended_at is null)::int as unfinished,
      count(*) filter (where held_seconds > 0)::int as held,
      count(*) filter (where wait <= goal_seconds)::int as within_goal,
      count(*) filter (where wait is not null and promise_high is not null)::int as promised,
      count(*) filter (where wait <= promise_high)::int as within_promise,
      count(*) filter (where wait <= promise_high and wait >= promise_low)::int as inside_promise,
      count(rating)::int as rated, coalesce(sum(rating), 0)::int as rating_sum,
      coalesce(sum(wait), 0)::int as wait_seconds,
      coalesce(sum(${SECONDS('called_at', 'started_at')}), 0)::int as walk_seconds,
      coalesce(sum(${SERVICE}) filter (where ended_at is not null and started_at is not null), 0)::int as service_seconds,
      sum(held_seconds)::int as held_seconds,
      coalesce(sum(${SECONDS('entered_at', 'ended_at')}) filter (where ended_by = 'annulé'), 0)::int as abandoned_seconds,
      coalesce(sum(promise_mid - wait), 0)::int as promise_error_seconds,
      coalesce(sum(abs(promise_mid - wait)), 0)::int as promise_absolute_error_seconds,
      coalesce(max(wait), 0) as max_wait_seconds,
      avg(wait)::float8 as average_wait_time,
      percentile_disc(0.5) within group (order by wait) as p50_wait_time,
      percentile_disc(0.9) within group (order by wait) as p90_wait_time,
      avg(${SECONDS('called_at', 'started_at')})::float8 as average_walk_time,
      avg(${SERVICE}) filter (where ended_at is not null and started_at is not null)::float8 as average_service_time,
      percentile_disc(0.5) within group (order by ${SERVICE}) filter (where ended_at is not null and started_at is not null)::int as p50_service_time,
      percentile_disc(0.9) within group (order by ${SERVICE}) filter (where ended_at is not null and started_at is not null)::int as p90_service_time,
      avg(held_seconds) filter (where held_seconds > 0)::float8 as average_held_time
    from oracle_legs where ${where}`)
  return row!
}
