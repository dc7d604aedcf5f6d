import Type, { type Static } from 'typebox'
import { Default } from '../../kernel/resource.ts'
import { Closed, Day, Enum, Id, Locale, Nullable, Text, Time } from '../../kernel/schema.ts'

/** `held` and `pending` wait for a confirmation or an approval; the first four take a place. */
export const STATUSES = ['held', 'pending', 'booked', 'checked_in', 'no_show', 'cancelled', 'expired'] as const
export type AppointmentStatus = (typeof STATUSES)[number]
/** In SQL: those that take a place. A hold that is over is gone, whether or not the sweep has seen it. */
export const LIVE = `a.status in ('held', 'pending', 'booked', 'checked_in') and (a.status <> 'held' or a.hold_expires_at > now())`

const Count = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum })

/** Columns of `booking_settings`: how a queue is booked. */
export const settingsFields = {
  queue_id: Id,
  is_active: Default(Type.Boolean(), true),
  /** Length of an appointment. */
  duration_seconds: Default(Count(60, 28_800), 900),
  /** Kept free before and after, for preparing and for writing up. */
  buffer_before_seconds: Default(Count(0, 14_400), 0),
  buffer_after_seconds: Default(Count(0, 14_400), 0),
  /** From the start of one slot to the next; null = the length with its buffers. */
  interval_seconds: Default(Nullable(Count(60, 86_400)), null),
  /** What an appointment occupies: a counter of the site, an agent who serves the queue, or only a place. */
  resource: Default(Enum(['none', 'counters', 'agents']), 'none'),
  /** Places of a slot where no resource limits them. */
  capacity: Default(Count(1, 1000), 1),
  /** As many more are booked, since some never come. */
  overbooking_percent: Default(Count(0, 100), 0),
  /** Places a day; null = no limit. Staff may book beyond it. */
  daily_quota: Default(Nullable(Count(1, 100_000)), null),
  /** Strangers book at least so long before, and at most so many days ahead. */
  lead_seconds: Default(Count(0, 7_776_000), 3600),
  horizon_days: Default(Count(1, 730), 60),
  /** Future appointments of one person; null = no limit. */
  max_per_customer: Default(Nullable(Count(1, 100)), null),
  /** `hold`: the page that books confirms; `email`: a link sent to the person's address does. */
  confirmation: Default(Enum(['none', 'hold', 'email']), 'none'),
  /** How long a place is held for the confirmation. */
  hold_seconds: Default(Count(60, 172_800), 600),
  /** How long a place that freed up is kept for the one on the waiting list it is offered to. */
  offer_seconds: Default(Count(60, 86_400), 900),
  /** Staff approve what strangers book. */
  needs_approval: Default(Type.Boolean(), false),
  /** Who did not come so often within a year needs approval; null = nobody does. */
  max_no_shows: Default(Nullable(Count(1, 100)), null),
  /** Check-in from so long before until so long after the booked time is on time. */
  early_seconds: Default(Count(0, 86_400), 1800),
  late_seconds: Default(Count(0, 86_400), 900),
  /** The late keep their booked time (the queue's algorithm decides), stand by arrival, or are refused. */
  late_rule: Default(Enum(['keep', 'walk_in', 'refuse']), 'walk_in'),
  /** Whoever checks in by the own link must be as near to the site as this; null = anywhere. */
  arrival_metres: Default(Nullable(Count(50, 50_000)), null),
  /** Absent when not checked in so long after the booked time. */
  no_show_after_seconds: Default(Count(0, 86_400), 1800),
  /** Visitors move and cancel until so long before. */
  cancel_until_seconds: Default(Count(0, 2_592_000), 0),
  /** Minutes before the booked time at which a reminder is due. */
  reminder_minutes: Default(Type.Array(Count(1, 43_200), { maxItems: 5, uniqueItems: true }), [1440, 120]),
}

export const Appointment = Closed({
  id: Id,
  site_id: Id,
  queue_id: Id,
  service_id: Id,
  status: Enum(STATUSES),
  start_at: Time,
  end_at: Time,
  /** Local date and the zone of the site: times are told in it. */
  day: Day,
  timezone: Type.String(),
  party_size: Type.Integer(),
  counter_id: Nullable(Id),
  agent_id: Nullable(Id),
  customer_id: Nullable(Id),
  language: Nullable(Locale),
  channel: Enum(['web', 'reception', 'api']),
  note: Type.String(),
  /** For the kiosk. */
  code: Type.String(),
  hold_expires_at: Nullable(Time),
  checked_in_at: Nullable(Time),
  ended_at: Nullable(Time),
  end_reason: Type.String(),
  ticket_id: Nullable(Id),
  /** The first of the series it was booked with. */
  series_id: Nullable(Id),
  /** Rises with every move. */
  sequence: Type.Integer(),
  created_at: Time,
  updated_at: Time,
})
export type Appointment = Static<typeof Appointment>

export const APPOINTMENT_COLUMNS = `
  a.id, a.site_id, a.queue_id, a.service_id, a.status, a.start_at, a.end_at, a.day,
  (select s.timezone from sites s where s.tenant_id = a.tenant_id and s.id = a.site_id) as timezone,
  a.party_size, a.counter_id, a.agent_id, a.customer_id, a.language, a.channel, a.note, a.code, a.hold_expires_at,
  a.checked_in_at, a.ended_at, a.end_reason, a.ticket_id, a.series_id, a.sequence, a.created_at, a.updated_at`

export const Reason = Text(500)
export const PartySize = Count(1, 100)
