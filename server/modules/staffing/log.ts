import type { Tx } from '../../kernel/db/types.ts'
import type { LoggedEvent, LoggedTicket } from './replay.ts'

interface LogRow {
  type: string
  at_us: number
  called_us: number
  queue_id: number
  ticket_id: number
  from_status: string | null
  ticket: Omit<LoggedTicket, 'arrived_at' | 'appointment_at' | 'asked_priority'> & { status: string; queue_id: number }
  arrived_us: number
  appointment_us: number | null
  asked: { priority: number } | null
}

const micros = (instant: string) => `(extract(epoch from ${instant}) * 1000000)::bigint`
const ENDS: ReadonlySet<string> = new Set(['ticket.completed', 'ticket.no_show'])

/** Events of the tickets of a queue on one local day, in the order of the stream. */
const DAY = `
  with own as (select q.id, q.site_id, s.timezone from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id where q.id = $1),
  tickets_of_day as (
    select t.id, t.created_at, t.appointment_at, t.asked_priority from tickets t, own
    where t.created_at >= ($2::date::timestamp at time zone own.timezone)
      and t.created_at < (($2::date + 1)::timestamp at time zone own.timezone) and t.site_id = own.site_id)
  select e.type, ${micros(`coalesce((e.data -> 'ticket' ->> 'called_at')::timestamptz, e.at)`)} as called_us, ${micros('e.at')} as at_us,
         e.queue_id, e.ticket_id, e.data ->> 'from' as from_status,
         e.data -> 'ticket' as ticket, ${micros('t.created_at')} as arrived_us, ${micros('t.appointment_at')} as appointment_us,
         e.data -> 'asked' as asked
  from own join tickets_of_day t on true
  join events e on e.ticket_id = t.id and e.site_id = own.site_id and (e.queue_id = own.id or e.from_queue_id = own.id)
  where e.type like 'ticket.%' and e.data ? 'ticket'
  order by e."offset"`

/** What happened to the line of a queue on a local day (ISO date). */
export async function loggedDay(tx: Tx, queueId: number, day: string): Promise<LoggedEvent[]> {
  const rows = await tx.query<LogRow>(DAY, [queueId, day])
  const ranks = new Map<number, number>()
  return rows.flatMap((row): LoggedEvent[] => {
    const id = row.ticket_id
    const isHere = row.queue_id === queueId && row.ticket.queue_id === queueId
    const ticket: LoggedTicket = {
      ...row.ticket,
      arrived_at: row.arrived_us,
      appointment_at: row.appointment_us,
      asked_priority: row.asked?.priority ?? row.ticket.priority,
    }
    if (!isHere) return [{ kind: 'leave', at: row.at_us, id }]
    if (row.type === 'ticket.created') {
      ranks.set(id, row.ticket.rank)
      return [{ kind: 'enter', at: row.arrived_us, ticket }]
    }
    if (row.type === 'ticket.called') return [{ kind: 'call', at: row.called_us, id }]
    if (row.ticket.status !== 'en_attente') {
      if (row.from_status === 'en_attente') return [{ kind: 'leave', at: row.at_us, id }]
      return ENDS.has(row.type) ? [{ kind: 'end', at: row.at_us, id }] : []
    }
    const isSame = row.from_status === 'en_attente' && ranks.get(id) === row.ticket.rank
    ranks.set(id, row.ticket.rank)
    return isSame ? [] : [{ kind: 'change', at: row.at_us, ticket }]
  })
}
