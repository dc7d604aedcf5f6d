import Type from 'typebox'
import { estimateWait, type Forecast } from '../../../../shared/eta.ts'
import type { QueueStatus } from '../../../../shared/ticket-status.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed } from '../../../kernel/schema.ts'
import { openState, queueStatus, type QueueConfig } from '../../queues/index.ts'

/** The configured duration counts like so many measured services. */
const PRIOR_SERVICES = 5
/** A service weighs at least 1/25 when it ends: the pace follows the last hour or two of a counter, not the season. */
const MEMORY_SERVICES = 25
/** A pace is announced when it changed by more: followers recompute every estimate then. */
const ANNOUNCED_CHANGE = 0.03
/** Somebody forgot to end it. */
const LONGEST_SERVICE_SECONDS = 4 * 3600
/** Completions taken in at once; the rest follows with the next refresh. */
const MAX_SERVICES = 500

interface Pace {
  measured_seconds: number
  samples: number
}
/** The mean after one more service: blended with the configured duration first, a moving mean of the last ones later. */
export function nextPace({ measured_seconds, samples }: Pace, seconds: number): Pace {
  const duration = Math.min(Math.max(seconds, 1), LONGEST_SERVICE_SECONDS)
  const weight = 1 / Math.min(samples + 1 + PRIOR_SERVICES, MEMORY_SERVICES)
  return { measured_seconds: measured_seconds + (duration - measured_seconds) * weight, samples: samples + 1 }
}

interface QueueRow extends Pace, Omit<QueueConfig, 'service'> {
  service: Pick<QueueConfig['service'], 'is_active'>
  expected_duration_seconds: number
  announced: QueueStatus
  service_seconds: number
  forecast: Forecast | null
  measured_offset: number
  measured_at: string | null
  /** When the site's last event happened, where `measured_at` is unknown or long before it. */
  quiet_until: string | null
  /** Services completed since, oldest first. */
  services: { offset: number; at: string; seconds: number }[]
  waiting_count: number
  agents_open: number
  agents_free: number
  now: string
}

/** Where nobody is served for so long, the place in time moves all the same: one write a month. */
const QUIET_DAYS = 30

/**
 * One row a queue whose site is active; the states' rows are locked, so that two refreshes take turns. Looks only into the parts
 * of the log that reach beyond a day before what was last measured, as long as the site's last event lies there: where it does
 * not, a clock was set back, and all parts are searched.
 */
const QUEUES = `
  select q.id, q.site_id, q.is_active, q.max_capacity, s.timezone, s.opening_hours, s.is_active as site_is_active,
         json_build_object('is_active', v.is_active) as service, v.expected_duration_seconds, now() as now,
         st.status as announced, st.service_seconds, st.forecast, st.measured_seconds, st.samples, st.measured_offset, st.measured_at,
         case when st.measured_at is null or head.at > st.measured_at + interval '${QUIET_DAYS} days' then head.at end as quiet_until,
         (select coalesce(json_agg(json_build_object('offset', done."offset", 'at', done.at, 'seconds', done.seconds) order by done."offset"), '[]')
          from (select e."offset", e.at, extract(epoch from t.ended_at - t.started_at) - t.held_seconds as seconds
                from events e join tickets t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
                where e.queue_id = q.id and e."offset" > st.measured_offset and e.at >= head.since and e.type = 'ticket.completed'
                  and t.status = 'terminé' and t.started_at is not null
                order by e."offset" limit ${MAX_SERVICES}) done) as services,
         (select count(*) from tickets t where t.tenant_id = q.tenant_id and t.queue_id = q.id and t.status = 'en_attente')::int
           as waiting_count,
         (select count(*) from agent_queues w join agents a on a.tenant_id = w.tenant_id and a.id = w.agent_id
          where w.queue_id = q.id and a.status in ('available', 'calling', 'serving', 'wrap_up'))::int as agents_open,
         (select count(*) from agent_queues w join agents a on a.tenant_id = w.tenant_id and a.id = w.agent_id
          where w.queue_id = q.id and a.status = 'available')::int as agents_free
  from queues q
  join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id
  join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id
  join services v on v.tenant_id = q.tenant_id and v.id = q.service_id
  cross join lateral (select coalesce(st.measured_at - interval '24 hours', '-infinity') as since offset 0) known
  cross join lateral (
    select max(h.at) as at, case when count(*) = 1 then known.since else '-infinity' end as since
    from streams d join events h on h.tenant_id = d.tenant_id and h.site_id = d.site_id and h."offset" = d.last_offset
    where d.site_id = q.site_id and h.at >= known.since) head
  order by q.id for no key update of st`

const SAVE = `
  update queue_states st
  set status = n.status, service_seconds = n.service_seconds, measured_seconds = n.measured_seconds, samples = n.samples,
      measured_offset = n.measured_offset, measured_at = n.measured_at
  from jsonb_to_recordset($1::jsonb) as n(queue_id bigint, status text, service_seconds int, measured_seconds float8, samples int,
    measured_offset bigint, measured_at timestamptz)
  where st.queue_id = n.queue_id`

/**
 * Takes in what ended since the last time and announces what changed: the pace of services, and states that no other
 * event tells (hours, capacity, the forecast of closing). Views and estimates change only by these events, so every
 * process, browser and replay of the log arrives at the same figures. Runs every 30 s for each tenant.
 */
export const refreshQueues = operation({
  id: 'queues.refresh',
  kind: 'mutation',
  summary: 'Measure the pace of the queues anew and announce what changed',
  scope: 'write:queue',
  roles: ['system', 'admin'],
  http: { method: 'POST', path: '/queues/refresh/' },
  input: Closed({}),
  output: Closed({ paces: Type.Integer(), statuses: Type.Integer() }),
  example: { input: {} },
  async run(ctx) {
    const rows = await ctx.tx.query<QueueRow>(QUEUES)
    const changed = rows.map((row) => ({ row, next: refreshed(row) })).filter(({ row, next }) => isNew(row, next))
    if (changed.length) await ctx.tx.query(SAVE, [JSON.stringify(changed.map(({ next }) => next))])
    const paces = changed.filter(({ row, next }) => row.service_seconds !== next.service_seconds)
    const statuses = changed.filter(({ row, next }) => row.announced !== next.status)
    for (const { row, next } of paces) {
      const data = { service_seconds: next.service_seconds }
      ctx.emit({ type: 'queue.pace_changed', site_id: row.site_id, queue_id: row.id, data })
    }
    for (const { row, next } of statuses) {
      const data = { queue: { id: row.id, status: next.status } }
      ctx.emit({ type: 'queue.status_changed', site_id: row.site_id, queue_id: row.id, data })
    }
    return { paces: paces.length, statuses: statuses.length }
  },
})

interface Refreshed extends Pace {
  queue_id: number
  status: QueueStatus
  service_seconds: number
  measured_offset: number
  measured_at: string | null
}
function refreshed(row: QueueRow): Refreshed {
  // What was configured holds until something was measured.
  const start = row.samples === 0 ? { measured_seconds: row.expected_duration_seconds, samples: 0 } : row
  const pace = row.services.reduce((before, { seconds }) => nextPace(before, seconds), {
    measured_seconds: start.measured_seconds,
    samples: start.samples,
  })
  const seconds = Math.max(1, Math.round(pace.measured_seconds))
  const isFar = Math.abs(seconds - row.service_seconds) > ANNOUNCED_CHANGE * row.service_seconds
  const service_seconds = isFar ? seconds : row.service_seconds
  const { agents_open, agents_free, waiting_count } = row
  const { is_open, closes_at } = openState(row, row.now)
  const { eta_seconds } = estimateWait({
    ahead: waiting_count,
    agents_open,
    agents_free,
    service_seconds,
    forecast: row.forecast,
  })
  const seconds_to_close = closes_at && closes_at.since(Temporal.Instant.from(row.now)).total('seconds')
  return {
    queue_id: row.id,
    status: queueStatus({ ...row, is_open, seconds_to_close, eta_seconds }),
    service_seconds,
    ...pace,
    measured_offset: row.services.at(-1)?.offset ?? row.measured_offset,
    measured_at: row.services.at(-1)?.at ?? row.quiet_until ?? row.measured_at,
  }
}

const isNew = (row: QueueRow, next: Refreshed): boolean =>
  row.announced !== next.status ||
  row.service_seconds !== next.service_seconds ||
  row.measured_seconds !== next.measured_seconds ||
  row.measured_offset !== next.measured_offset ||
  row.measured_at !== next.measured_at
