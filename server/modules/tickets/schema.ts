import Type, { type Static } from 'typebox'
import { TICKET_STATUSES } from '../../../shared/ticket-status.ts'
import { Closed, Enum, Id, Locale, Nullable, Text, Time } from '../../kernel/schema.ts'

/** How the person came in. */
export const CHANNELS = ['web', 'qr', 'kiosk', 'reception', 'sms', 'appointment', 'api'] as const
export const Channel = Enum(CHANNELS)
export type Channel = Static<typeof Channel>

const Status = Enum(TICKET_STATUSES, { description: 'State as stored, Unicode NFC' })

/** 0 is everybody; a higher class is more urgent. What it is worth is the queue algorithm's decision. */
export const Priority = Type.Integer({ minimum: 0, maximum: 9 })
export const Labels = Type.Array(Text(50, { minLength: 1 }), { maxItems: 20, uniqueItems: true })
/** Answers to the service's questions, by field name. */
export const Fields = Type.Record(
  Type.String({ pattern: '^[a-zA-Z0-9_]{1,50}$' }),
  Type.Union([Text(2000), Type.Number(), Type.Boolean(), Type.Null()]),
  { maxProperties: 50 },
)
export const Note = Text(2000)
export const Reason = Text(500)

/** One stay, on the wire as in its row. */
export const Ticket = Closed({
  id: Id,
  site_id: Id,
  queue_id: Id,
  service_id: Id,
  number: Type.String(),
  channel: Channel,
  priority: Priority,
  status: Status,
  /** The queue is served by (rank, id); microseconds. */
  rank: Type.Integer(),
  customer_id: Nullable(Id),
  agent_id: Nullable(Id),
  counter_id: Nullable(Id),
  counter_name: Nullable(Type.String()),
  language: Nullable(Locale),
  labels: Type.Array(Type.String()),
  needs: Type.Array(Type.String()),
  note: Type.String(),
  fields: Type.Record(Type.String(), Type.Unknown()),
  outcome: Nullable(Type.String()),
  call_count: Type.Integer(),
  created_at: Time,
  /** When the present leg began: the queue was entered or entered again. */
  entered_at: Time,
  called_at: Nullable(Time),
  started_at: Nullable(Time),
  held_at: Nullable(Time),
  ended_at: Nullable(Time),
  /** Not called before this instant. */
  not_before: Nullable(Time),
  leg: Type.Integer(),
  eta_seconds: Nullable(Type.Integer()),
  eta_low_seconds: Nullable(Type.Integer()),
  eta_high_seconds: Nullable(Type.Integer()),
  /** 1 is next; null unless waiting. */
  position: Nullable(Type.Integer()),
})
export type Ticket = Static<typeof Ticket>
