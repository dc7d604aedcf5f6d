import { formatDate, formatTime } from '../../../shared/format.ts'
import type { Tx } from '../../kernel/db/types.ts'
import type { Locale } from '../../kernel/schema.ts'
import type { MessageValues } from './vocabulary.ts'
import { TicketStatus } from '../../../shared/ticket-status.ts'
import type { MessageChannel, RuleEvent } from './vocabulary.ts'

/** What is known of a ticket or an appointment, and of whoever holds it, as far as messages need it. */
export interface Holder {
  /** Set where there is no ticket; `id` is this one's, then, and `leg` its sequence. */
  appointment_id?: number
  start_at?: string
  id: number
  site_id: number
  queue_id: number
  number: string
  status: TicketStatus
  leg: number
  rank: number
  language: Locale | null
  created_at: string
  queue: string
  grace_seconds: number
  service: string
  service_names: Record<string, string>
  site: string
  timezone: string
  counter: string | null
  starts: string | null
  ends: string | null
  customer_id: number | null
  name: string | null
  phone: string | null
  email: string | null
  locale: Locale | null
  consents: Record<string, boolean> | null
  has_push: boolean
  opted_out: MessageChannel[]
}
const HOLDERS = `
  select t.id, t.site_id, t.queue_id, t.number, t.status, t.leg, t.rank, t.language, t.created_at, q.name as queue, q.grace_seconds,
    v.name as service, v.names as service_names, s.name as site, s.timezone, k.name as counter, h.starts, h.ends,
    c.id as customer_id, c.name, c.phone, c.email, c.locale, c.consents,
    exists (select from push_subscriptions p where p.ticket_id = t.id) as has_push,
    array(select o.channel from message_opt_outs o where o.address in (c.phone, c.email, app.address_hash(c.phone), app.address_hash(c.email))) as opted_out
  from tickets t
  join queues q on q.tenant_id = t.tenant_id and q.id = t.queue_id
  join services v on v.tenant_id = t.tenant_id and v.id = t.service_id
  join sites s on s.tenant_id = t.tenant_id and s.id = t.site_id
  left join counters k on k.tenant_id = t.tenant_id and k.id = t.counter_id
  left join quiet_hours h on h.tenant_id = t.tenant_id and h.site_id = t.site_id
  left join customers c on c.tenant_id = t.tenant_id and c.id = t.customer_id
  where t.id = any($1) order by t.id`

const APPOINTMENTS = `
  select a.id, a.id as appointment_id, a.site_id, a.queue_id, '' as number, a.status, a.sequence as leg, 0 as rank, a.language,
    a.created_at, a.start_at, q.name as queue, q.grace_seconds, v.name as service, v.names as service_names, s.name as site,
    s.timezone, null as counter, h.starts, h.ends, c.id as customer_id, c.name, c.phone, c.email, c.locale, c.consents,
    false as has_push,
    array(select o.channel from message_opt_outs o where o.address in (c.phone, c.email, app.address_hash(c.phone), app.address_hash(c.email))) as opted_out
  from appointments a
  join queues q on q.tenant_id = a.tenant_id and q.id = a.queue_id
  join services v on v.tenant_id = a.tenant_id and v.id = a.service_id
  join sites s on s.tenant_id = a.tenant_id and s.id = a.site_id
  left join quiet_hours h on h.tenant_id = a.tenant_id and h.site_id = a.site_id
  left join customers c on c.tenant_id = a.tenant_id and c.id = a.customer_id
  where a.id = any($1) order by a.id`

export const appointmentHoldersOf = (tx: Tx, ids: readonly number[]): Promise<Holder[]> =>
  ids.length === 0 ? Promise.resolve([]) : tx.query<Holder>(APPOINTMENTS, [ids])

/** Day and time of an appointment as its site's clock shows them. */
export const timesOf = ({ start_at, timezone }: Holder, language: Locale): MessageValues =>
  start_at === undefined
    ? {}
    : { date: formatDate(start_at, timezone, language), time: formatTime(start_at, timezone, language) }

/** The day of an offer and until when to answer, as the site's clock shows them; nothing where nothing is offered. */
export function offerTimes(
  { timezone }: Holder,
  day: string | null,
  expiresAt: string | null,
  language: Locale,
): MessageValues {
  if (day === null || expiresAt === null) return {}
  const noon = Temporal.PlainDate.from(day).toZonedDateTime({ timeZone: timezone, plainTime: '12:00' }).toInstant()
  return {
    date: formatDate(noon.toString(), timezone, language),
    time: formatTime(expiresAt, timezone, language),
  }
}

export const holdersOf = (tx: Tx, ids: readonly number[]): Promise<Holder[]> =>
  ids.length === 0 ? Promise.resolve([]) : tx.query<Holder>(HOLDERS, [ids])

/**
 * Where a person can be reached on a channel, or undefined. Giving an address with a ticket is asking to be told of it;
 * a consent that was refused, or a word that means stop, ends that.
 */
export function addressOf(holder: Holder, channel: MessageChannel): string | undefined {
  if (holder.consents?.[channel] === false || holder.opted_out.includes(channel)) return undefined
  if (channel === 'push') return holder.has_push ? `ticket:${holder.id}` : undefined
  return (channel === 'email' ? holder.email : holder.phone) ?? undefined
}

/** States of a ticket in which an event is still true. */
const TRUE_IN: Record<RuleEvent, string> = {
  called: TicketStatus.called,
  position: TicketStatus.waiting,
  minutes_left: TicketStatus.waiting,
  still_coming: TicketStatus.waiting,
  transferred: TicketStatus.waiting,
  delayed: TicketStatus.waiting,
  missed: TicketStatus.no_show,
  survey: TicketStatus.completed,
  tomorrow_offered: TicketStatus.waiting,
  appointment_confirmed: 'booked',
  appointment_reminder: 'booked',
  appointment_cancelled: 'cancelled',
}
/** Is what a message says still so? Texts of other kinds do not speak of the ticket's state. */
export function isTrue(kind: string, leg: number | null, ticket: { status: string; leg: number }): boolean {
  const status = TRUE_IN[kind as RuleEvent] as string | undefined
  if (status === undefined) return true
  return ticket.status === status && (kind === 'survey' || kind === 'missed' || leg === ticket.leg)
}
