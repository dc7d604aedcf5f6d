import type { Tx } from '../../kernel/db/types.ts'
import type { LoggedEvent, LoggedTicket } from './logged.ts'

interface LogRow {
  type: string
  at_us: number
  called_us: number
  queue_id: number
  ticket_id: number
  from_status: string | null
  ticket: Pick<LoggedTicket, 'id' | 'priority' | 'channel' | 'language' | 'labels' | 'service_id' | 'rank'> & {
    status: string
    queue_id: number
  }
  arrived_us: number
  /** As the event has it; absent where it says nothing. */
  appointment_us: number | null
  required_skill: string | null
  asked: { priority: number; queue_id: number } | null
  served_seconds: number | null
  skills: string[] | null
  languages: string[] | null
}

const micros = (instant: string) => `(extract(epoch from ${instant}) * 1000000)::bigint`
const ENDS: ReadonlySet<string> = new Set(['ticket.completed', 'ticket.no_show'])

/** Events of the tickets of a queue on one local day, in the order of the stream. */
const DAY = `
  with own as (select q.id, q.site_id, s.timezone from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id where q.id = $1),
  tickets_of_day as (
    select t.id, t.created_at, t.asked_priority, t.required_skill, t.status, t.called_at, t.ended_at from tickets t, own
    where t.created_at >= ($2::date::timestamp at time zone own.timezone)
      and t.created_at < (($2::date + 1)::timestamp at time zone own.timezone) and t.site_id = own.site_id)
  select e.type, ${micros(`coalesce((e.data -> 'ticket' ->> 'called_at')::timestamptz, e.at)`)} as called_us, ${micros('e.at')} as at_us,
         e.queue_id, e.ticket_id, e.data ->> 'from' as from_status,
         e.data -> 'ticket' as ticket, ${micros('t.created_at')} as arrived_us,
         ${micros(`(e.data ->> 'appointment_at')::timestamptz`)} as appointment_us, t.required_skill,
         e.data -> 'asked' as asked, a.skills, a.languages,
         case when t.status = 'terminé' then extract(epoch from t.ended_at - t.called_at)::float8 end as served_seconds
  from own join tickets_of_day t on true
  join events e on e.ticket_id = t.id and e.site_id = own.site_id and (
    e.queue_id = own.id or e.from_queue_id = own.id
    or (e.type = 'ticket.created' and (e.data -> 'asked' ->> 'queue_id')::bigint = own.id))
  left join agents a on e.type = 'ticket.called' and a.tenant_id = e.tenant_id and a.id = e.agent_id
  where e.type like 'ticket.%' and e.data ? 'ticket'
  order by e."offset"`

/** What happened to the line of a queue on a local day (ISO date). */
export async function loggedDay(tx: Tx, queueId: number, day: string): Promise<LoggedEvent[]> {
  const rows = await tx.query<LogRow>(DAY, [queueId, day])
  const ranks = new Map<number, number>()
  const booked = new Map<number, number>()
  /** What was asked for at the door, or given by staff since. */
  const asked = new Map<number, { priority: number; queue_id: number; seen: number }>()
  return rows.flatMap((row): LoggedEvent[] => {
    const id = row.ticket_id
    const isHere = row.queue_id === queueId && row.ticket.queue_id === queueId
    if (row.appointment_us !== null) booked.set(id, row.appointment_us)
    const known = asked.get(id)
    const isNewClass = row.type === 'ticket.updated' && known?.seen !== row.ticket.priority
    const wish = {
      priority: row.asked?.priority ?? (isNewClass ? row.ticket.priority : (known?.priority ?? row.ticket.priority)),
      queue_id: row.asked?.queue_id ?? known?.queue_id ?? row.queue_id,
      seen: row.ticket.priority,
    }
    asked.set(id, wish)
    const ticket: LoggedTicket = {
      ...row.ticket,
      arrived_at: row.arrived_us,
      appointment_at: booked.get(id) ?? null,
      required_skill: row.required_skill,
      asked_priority: wish.priority,
      asked_queue_id: wish.queue_id,
    }
    if (!isHere && row.type === 'ticket.created')
      return [{ kind: 'away', at: row.arrived_us, ticket, service_seconds: row.served_seconds }]
    if (!isHere) return [{ kind: 'leave', at: row.at_us, id }]
    if (row.type === 'ticket.created') {
      ranks.set(id, row.ticket.rank)
      return [{ kind: 'enter', at: row.arrived_us, ticket }]
    }
    if (row.type === 'ticket.called') {
      const caller = row.skills && { skills: row.skills, languages: row.languages }
      return [{ kind: 'call', at: row.called_us, id, caller }]
    }
    if (row.ticket.status !== 'en_attente') {
      if (row.from_status === 'en_attente') return [{ kind: 'leave', at: row.at_us, id }]
      return ENDS.has(row.type) ? [{ kind: 'end', at: row.at_us, id }] : []
    }
    const isSame = row.from_status === 'en_attente' && ranks.get(id) === row.ticket.rank
    ranks.set(id, row.ticket.rank)
    if (isSame) return []
    const isReranked = row.type === 'ticket.updated' || row.appointment_us !== null
    return [{ kind: isReranked ? 'rerank' : 'change', at: row.at_us, ticket }]
  })
}
