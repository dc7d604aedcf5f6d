import Type from 'typebox'
import { AGENT_STATUSES } from '../../../shared/ticket-status.ts'
import { Default } from '../../kernel/resource.ts'
import { Closed, Enum, Id, Name, Nullable, Text, Time } from '../../kernel/schema.ts'

export const Status = Enum(AGENT_STATUSES)
/** What people set; `calling` and `serving` follow from their tickets. */
export const SettableStatus = Enum(['offline', 'available', 'wrap_up', 'break', 'back_office'])

export const agentFields = {
  /** The member of the tenant whose working face this is. */
  user_id: Default(Nullable(Id), null),
  site_id: Id,
  name: Name,
  /** Where the agent sits; one agent a counter. */
  counter_id: Default(Nullable(Id), null),
  is_active: Default(Type.Boolean(), true),
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
