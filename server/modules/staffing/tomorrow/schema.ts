import Type, { type Static } from 'typebox'
import { Closed, Day, Enum, Id, Nullable, Time } from '../../../kernel/schema.ts'

/**
 * `accepted` waits for the day; `taken_up` is a ticket of that day. `withdrawn`: the person was called or left before an
 * answer came. `lapsed`: the day passed and nobody came.
 */
export const OFFER_STATUSES = ['offered', 'accepted', 'declined', 'expired', 'withdrawn', 'taken_up', 'lapsed'] as const

export const Offer = Closed({
  ticket_id: Id,
  number: Type.String(),
  queue_id: Id,
  /** Local day of the site. */
  day: Day,
  /** Order among those who come without an appointment. */
  place: Type.Integer({ minimum: 1 }),
  status: Enum(OFFER_STATUSES),
  offered_at: Time,
  /** Until when an answer counts. */
  expires_at: Time,
  answered_at: Nullable(Time),
  appointment_id: Nullable(Id),
  appointment_at: Nullable(Time),
  /** The ticket of the day itself. */
  new_ticket_id: Nullable(Id),
})
export type Offer = Static<typeof Offer>

export const OFFER_COLUMNS = `
  o.ticket_id, (select t.number from tickets t where t.tenant_id = o.tenant_id and t.id = o.ticket_id) as number, o.queue_id,
  o.day, o.place, o.status, o.offered_at, o.expires_at, o.answered_at, o.appointment_id,
  (select a.start_at from appointments a where a.tenant_id = o.tenant_id and a.id = o.appointment_id) as appointment_at,
  o.new_ticket_id`
