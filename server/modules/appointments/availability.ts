import { notFound } from '../../kernel/errors.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { openingDays, type OpeningDay, type OpeningHours } from '../sites/index.ts'
import type { Booking, Taken } from './grid.ts'
import { LIVE } from './schema.ts'

/** Settings of a queue as availability needs them. */
export interface BookingQueue extends Booking {
  service_id: number
  lead_seconds: number
  horizon_days: number
  daily_quota: number | null
}
export interface Availability {
  site_id: number
  timezone: string
  /** The database's clock. */
  now: string
  /** Local dates asked for. */
  from: string
  to: string
  queues: BookingQueue[]
  /** From the day before: what opens in the evening may reach past midnight. */
  days: OpeningDay[]
  taken: Taken[]
  /** Who waits for a place that frees up, which therefore nobody else can book. */
  waiters: { queue_id: number; from_day: string; to_day: string; party_size: number }[]
  /** Places taken by queue and local day, `<queue id> <date>`. */
  booked: Map<string, number>
}

/**
 * Everything that decides about the slots of a site from one local date to another, in one statement: who may be booked,
 * what they may occupy, and what is taken already. A day more on either side, since an appointment may cross midnight.
 */
const FACTS = `
  select s.timezone, s.opening_hours, s.is_active, now() as now,
    coalesce((
      select json_agg(json_build_object(
        'queue_id', b.queue_id, 'service_id', q.service_id, 'duration_seconds', b.duration_seconds,
        'buffer_before_seconds', b.buffer_before_seconds, 'buffer_after_seconds', b.buffer_after_seconds,
        'interval_seconds', b.interval_seconds, 'resource', b.resource, 'capacity', b.capacity,
        'overbooking_percent', b.overbooking_percent, 'daily_quota', b.daily_quota, 'lead_seconds', b.lead_seconds,
        'horizon_days', b.horizon_days,
        'resources', case b.resource
          when 'counters' then coalesce((
            select json_agg(c.id order by c.id) from counters c
            where c.tenant_id = b.tenant_id and c.site_id = q.site_id and c.is_active), '[]')
          when 'agents' then coalesce((
            select json_agg(g.id order by g.id) from agent_queues w
            join agents g on g.tenant_id = w.tenant_id and g.id = w.agent_id and g.is_active
            where w.tenant_id = b.tenant_id and w.queue_id = b.queue_id), '[]')
          else '[]' end) order by v.code, q.id)
      from queues q
      join booking_settings b on b.tenant_id = q.tenant_id and b.queue_id = q.id and b.is_active
      join services v on v.tenant_id = q.tenant_id and v.id = q.service_id and v.is_active
      where q.tenant_id = s.tenant_id and q.site_id = s.id and q.is_active and ($2::bigint is null or q.service_id = $2)
        and ($5::bigint[] is null or q.id = any($5))
    ), '[]') as queues,
    coalesce((
      select json_agg(json_build_array(
        (extract(epoch from a.busy_from) * 1000)::bigint, (extract(epoch from a.busy_until) * 1000)::bigint,
        a.queue_id, a.party_size, a.counter_id, a.agent_id, a.day) order by a.busy_from)
      from appointments a
      where a.tenant_id = s.tenant_id and a.site_id = s.id and ${LIVE} and a.id is distinct from $6
        and a.start_at >= ($3::date - 2)::timestamp at time zone s.timezone
        and a.start_at < ($4::date + 2)::timestamp at time zone s.timezone
    ), '[]') as taken,
    coalesce((
      select json_agg(json_build_array(
        (extract(epoch from b.start_at) * 1000)::bigint, (extract(epoch from b.end_at) * 1000)::bigint, 0, 1, null, l.agent_id))
      from calendar_links l join calendar_busy b on b.tenant_id = l.tenant_id and b.link_id = l.id
      where l.tenant_id = s.tenant_id and l.site_id = s.id and l.agent_id is not null
        and b.end_at > ($3::date - 2)::timestamp at time zone s.timezone
        and b.start_at < ($4::date + 2)::timestamp at time zone s.timezone
    ), '[]') as elsewhere,
    coalesce((
      select json_agg(json_build_object('agent_id', h.agent_id, 'hours', h.hours))
      from agent_hours h join agents g on g.tenant_id = h.tenant_id and g.id = h.agent_id and g.site_id = s.id
      where h.tenant_id = s.tenant_id
    ), '[]') as agent_hours,
    coalesce((
      select json_agg(json_build_object('queue_id', w.queue_id, 'from_day', w.from_day, 'to_day', w.to_day,
        'party_size', w.party_size))
      from appointment_waiters w
      where w.tenant_id = s.tenant_id and w.site_id = s.id and w.status = 'waiting' and w.from_day <= $4 and w.to_day >= $3
    ), '[]') as waiters
  from sites s where s.id = $1`

interface Wanted {
  site_id: number
  from: string
  to: string
  service_id?: number | undefined
  /** Only these queues, for callers that are limited to them. */
  queue_ids?: readonly number[] | undefined
  /** An appointment that is being moved does not stand in its own way. */
  except_id?: number | undefined
}

/** @throws AppError not_found for a site that is not there */
export async function availability(tx: Tx, wanted: Wanted): Promise<Availability> {
  const { site_id, from, to } = wanted
  const row = await tx.maybe<{
    timezone: string
    opening_hours: OpeningHours | null
    is_active: boolean
    now: string
    queues: BookingQueue[]
    /** What agents have in their own calendars. */
    elsewhere: Taken[]
    agent_hours: { agent_id: number; hours: OpeningHours }[]
    waiters: Availability['waiters']
    taken: [...Taken, day: string][]
  }>(FACTS, [site_id, wanted.service_id ?? null, from, to, wanted.queue_ids ?? null, wanted.except_id ?? null])
  if (!row) throw notFound()
  const dayBefore = Temporal.PlainDate.from(from).subtract({ days: 1 }).toString()
  const booked = new Map<string, number>()
  for (const [, , queueId, partySize, , , day] of row.taken) {
    const key = `${queueId} ${day}`
    booked.set(key, (booked.get(key) ?? 0) + partySize)
  }
  return {
    site_id,
    timezone: row.timezone,
    now: row.now,
    from,
    to,
    queues: row.is_active ? row.queues : [],
    days: openingDays(row.opening_hours, row.timezone, dayBefore, to),
    taken: [
      ...row.taken.map(([a, b, c, d, e, f]): Taken => [a, b, c, d, e, f]),
      ...row.elsewhere,
      ...row.agent_hours.flatMap(({ agent_id, hours }) => offHours(agent_id, hours, row.timezone, dayBefore, to)),
    ],
    waiters: row.waiters,
    booked,
  }
}

/** Times at which an agent does not work, as if they were taken: from the day before the first day to the day after the last. */
function offHours(agentId: number, hours: OpeningHours, timezone: string, from: string, to: string): Taken[] {
  const dayAfter = Temporal.PlainDate.from(to).add({ days: 1 }).toString()
  const days = openingDays(hours, timezone, from, dayAfter)
  const spans = days
    .flatMap((day) => day.spans)
    .map(({ start, end }) => [start.epochMilliseconds, end.epochMilliseconds] as const)
  const edge = (date: string, days: number) =>
    Temporal.PlainDate.from(date).add({ days }).toZonedDateTime(timezone).epochMilliseconds
  const off: Taken[] = []
  // An appointment that reaches beyond what was looked at is not for this agent.
  let at = edge(from, -1)
  for (const [start, end] of spans.toSorted(([a], [b]) => a - b)) {
    if (start > at) off.push([at, start, 0, 1, null, agentId])
    at = Math.max(at, end)
  }
  off.push([at, edge(dayAfter, 2), 0, 1, null, agentId])
  return off
}
