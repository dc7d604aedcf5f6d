import Type from 'typebox'
import { QUEUE_STATUSES } from '../../../shared/ticket-status.ts'
import { Default } from '../../kernel/resource.ts'
import { Closed, Enum, Id, Locale, Name, Nullable, Text } from '../../kernel/schema.ts'

export const Status = Enum(QUEUE_STATUSES, {
  description: 'Derived from is_active, opening hours, capacity and forecast',
})

const Count = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum })

/** Tunes the algorithm; each reads what it knows (see `AlgorithmSettings`). */
export const AlgorithmSettings = Closed({
  boost_seconds: Type.Optional(Count(0, 86_400)),
  targets_seconds: Type.Optional(Type.Array(Count(0, 86_400), { minItems: 1, maxItems: 10 })),
  share_by: Type.Optional(Enum(['priority', 'channel'])),
  shares: Type.Optional(
    Type.Record(Type.String({ pattern: '^[a-z0-9]{1,20}$' }), Count(1, 100), { maxProperties: 20 }),
  ),
  lead_seconds: Type.Optional(Count(0, 86_400)),
  late_after_seconds: Type.Optional(Count(0, 86_400)),
  late: Type.Optional(Enum(['keep', 'arrival', 'penalty'])),
  penalty_seconds: Type.Optional(Count(0, 86_400)),
})

export const queueFields = {
  site_id: Id,
  service_id: Id,
  name: Name,
  /** Order of service; those who wait are put in the new order when it changes. */
  algorithm: Default(Text(50, { minLength: 1 }), 'fifo'),
  algorithm_settings: Default(AlgorithmSettings, {}),
  max_capacity: Default(Nullable(Count(1, 1_000_000)), null),
  is_active: Default(Type.Boolean(), true),
  /** Letter of the ticket number; the service's code when absent. */
  number_prefix: Type.Optional(Type.String({ pattern: '^[A-Z0-9]{0,4}$' })),
  number_first: Default(Count(0, 9_999_998), 1),
  number_last: Default(Count(1, 9_999_999), 999),
  number_reset: Default(Enum(['daily', 'never']), 'daily'),
  /** Service starts when the person has come, not with the call. */
  confirm_arrival: Default(Type.Boolean(), true),
  max_recalls: Default(Count(0, 100), 3),
  recall_gap_seconds: Default(Count(0, 3600), 10),
  /** A called person who has not come by then is marked absent; null leaves it to the agent. */
  no_show_after_seconds: Default(Nullable(Count(1, 86_400)), null),
  grace_seconds: Default(Count(0, 86_400), 600),
  /** How often a person may let others pass. */
  delay_budget: Default(Count(0, 100), 2),
  /** Those who still wait at the end of the day stay in the queue. */
  carry_over: Default(Type.Boolean(), false),
  one_ticket_per_device: Default(Type.Boolean(), true),
  /** The service goal: this share of people called within this time. Reports judge by it; no order of service follows it. */
  goal_seconds: Default(Count(1, 86_400), 600),
  goal_percent: Default(Count(1, 100), 80),
}

const Some = <T extends ReturnType<typeof Text> | typeof Id>(item: T) =>
  Type.Optional(Type.Array(item, { minItems: 1, maxItems: 50, uniqueItems: true }))
const Minute = Type.String({ pattern: '^(?:[01]\\d|2[0-3]):[0-5]\\d$' })

/** All that is given must hold; of a list, any. Nothing given always holds. */
export const Condition = Closed({
  service_ids: Some(Id),
  channels: Some(Text(20, { minLength: 1 })),
  languages: Type.Optional(Type.Array(Locale, { minItems: 1, uniqueItems: true })),
  customer_labels: Some(Text(50, { minLength: 1 })),
  /** Local time of the site; an end before the start is on the next day. Days are ISO: 1 is Monday. */
  hours: Type.Optional(
    Closed({
      from: Minute,
      to: Minute,
      weekdays: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { minItems: 1, uniqueItems: true })),
    }),
  ),
  appointment: Type.Optional(Enum(['early', 'on_time', 'late'])),
  wait_over_seconds: Type.Optional(Count(0, 86_400)),
  queue_length_over: Type.Optional(Count(0, 1_000_000)),
})

const PublicText = Closed(
  { fr: Type.Optional(Text(500)), en: Type.Optional(Text(500)), ar: Type.Optional(Text(500)) },
  { minProperties: 1 },
)
/** Exactly one consequence. */
export const Effect = Closed(
  {
    priority: Type.Optional(Count(0, 9)),
    queue_id: Type.Optional(Id),
    required_skill: Type.Optional(Text(50, { minLength: 1 })),
    /** The person is told why, in the own language. */
    refuse: Type.Optional(Closed({ reason: PublicText })),
    notify: Type.Optional(
      Closed({ role: Enum(['admin', 'supervisor', 'agent']), message: Text(500, { minLength: 1 }) }),
    ),
  },
  { minProperties: 1, maxProperties: 1 },
)

export const ruleFields = {
  queue_id: Id,
  name: Name,
  /** Rules are tried in this order. */
  position: Default(Count(0, 10_000), 0),
  condition: Default(Condition, {}),
  effect: Effect,
  is_active: Default(Type.Boolean(), true),
}
