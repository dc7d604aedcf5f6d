import Type, { type Static } from 'typebox'
import { Closed, Enum, Id, Nullable, Text, Time } from '../../kernel/schema.ts'

/** A type of the catalogue, or a whole family: `ticket.called`, `ticket.*`. */
export const EventPattern = Type.String({ pattern: '^[a-z_]+\\.(?:[a-z_]+|\\*)$', maxLength: 60 })
export const Events = Type.Array(EventPattern, {
  maxItems: 100,
  uniqueItems: true,
  description: 'Types that are told, or families such as `ticket.*`; empty = all',
})
export const Description = Text(200)
export const Url = Text(2000, { minLength: 8 })

export const Webhook = Closed({
  id: Id,
  url: Type.String(),
  description: Type.String(),
  events: Events,
  site_id: Nullable(Id),
  is_active: Type.Boolean(),
  disabled_reason: Nullable(
    Enum(['gone', 'failing', 'by_hand'], {
      description: '`gone`: answered 410; `failing`: nothing was delivered for three days',
    }),
  ),
  failing_since: Nullable(Time),
  paused_until: Nullable(Time),
  delivered_at: Nullable(Time),
  former_secret_until: Nullable(Time),
  created_at: Time,
  updated_at: Time,
})
export type Webhook = Static<typeof Webhook>
export const WEBHOOK_COLUMNS = Object.keys(Webhook.properties).join(', ')
export const WithSecret = Closed({
  ...Webhook.properties,
  secret: Type.String({ description: 'Signs what is sent; shown in this answer and never again' }),
})

export const DELIVERY_STATUSES = ['pending', 'sending', 'delivered', 'failed'] as const
export const Delivery = Closed({
  id: Id,
  webhook_id: Id,
  event_id: Type.String({ description: 'The same in every attempt and repetition: `webhook-id`' }),
  type: Type.String(),
  status: Enum(DELIVERY_STATUSES),
  attempt: Type.Integer(),
  due_at: Type.Union([Time, Type.Null()], { description: 'When the next attempt begins; null when none does' }),
  status_code: Nullable(Type.Integer()),
  error_code: Nullable(Type.String()),
  created_at: Time,
  delivered_at: Nullable(Time),
})
export type Delivery = Static<typeof Delivery>
/** Of `webhook_deliveries d`. */
export const DELIVERY_COLUMNS = `d.id, d.webhook_id, 'evt_' || d.site_id || '_' || d.epoch || '_' || d."offset" as event_id, d.type, d.status, d.attempt,
  case when d.status in ('pending', 'sending') then d.due_at end as due_at, d.status_code, d.error_code, d.created_at, d.delivered_at`

export const Attempt = Closed({
  attempt: Type.Integer(),
  at: Time,
  duration_ms: Type.Integer(),
  status_code: Nullable(Type.Integer()),
  error_code: Nullable(Type.String()),
  request_body: Type.String(),
  response_body: Type.Union([Type.String(), Type.Null()], { description: 'The first four kilobytes' }),
})
export type Attempt = Static<typeof Attempt>
export const ATTEMPT_COLUMNS = Object.keys(Attempt.properties).join(', ')
