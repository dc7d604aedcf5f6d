import Type from 'typebox'
import { AGENT_STATUSES } from '../../../shared/ticket-status.ts'
import { Default } from '../../kernel/resource.ts'
import { Closed, Enum, Id, Locale, Name, Nullable, Text, Time } from '../../kernel/schema.ts'

export const Status = Enum(AGENT_STATUSES)
/** What people set; `calling` and `serving` follow from their tickets. */
export const SettableStatus = Enum(['offline', 'available', 'wrap_up', 'break', 'back_office'])

/** How an agent with several queues chooses between them. */
const CALL_MODES = ['weight', 'ratio', 'strict'] as const

/** What an agent works by, of its own or from a profile. */
export const profileSettings = {
  /** Of several queues: weight × time waited; calls in the ratio of the weights; or the heaviest queue first of all. */
  call_mode: Default(Enum(CALL_MODES), 'weight'),
  /** Whoever has waited longer is called first, whatever the weights say. */
  max_wait_seconds: Default(Nullable(Type.Integer({ minimum: 1, maximum: 86_400 })), null),
  /** What tickets may ask for. */
  skills: Default(Type.Array(Text(50, { minLength: 1 }), { maxItems: 50, uniqueItems: true }), []),
  /** Only people of these languages, and those who named none; null is every language. */
  languages: Default(Nullable(Type.Array(Locale, { minItems: 1, uniqueItems: true })), null),
}

export const agentFields = {
  /** The member of the tenant whose working face this is. */
  user_id: Default(Nullable(Id), null),
  site_id: Id,
  name: Name,
  /** Where the agent sits; one agent a counter. */
  counter_id: Default(Nullable(Id), null),
  is_active: Default(Type.Boolean(), true),
  /** The named settings it works by, which then decide the four below and the queues; null keeps its own. */
  work_profile_id: Default(Nullable(Id), null),
  ...profileSettings,
}
export const agentReadOnly = {
  status: Status,
  status_reason: Type.String(),
  status_since: Time,
  expected_return_at: Nullable(Time),
}

/** Queues the agent serves; of several, the heavier is called from more often. */
export const Skills = Type.Array(
  Closed({ queue_id: Id, weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 1 })) }),
  { maxItems: 200 },
)
export const KnownSkills = Type.Array(Closed({ queue_id: Id, weight: Type.Integer() }))
export const Reason = Text(200)
