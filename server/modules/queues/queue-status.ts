import type { QueueStatus } from '../../../shared/ticket-status.ts'

/** What a queue's state follows from. */
export interface StatusFacts {
  is_active: boolean
  is_open: boolean
  /** Remaining opening time; null when it does not close. */
  seconds_to_close: number | null
  max_capacity: number | null
  waiting_count: number
  /** What a newcomer would wait; null when unknown. */
  eta_seconds: number | null
}

/** `closing`: whoever came now would probably not be called before the doors close. */
export function queueStatus(facts: StatusFacts): QueueStatus {
  if (!facts.is_open) return 'closed'
  if (!facts.is_active) return 'paused'
  if (facts.max_capacity !== null && facts.waiting_count >= facts.max_capacity) return 'full'
  const { seconds_to_close, eta_seconds } = facts
  return seconds_to_close !== null && eta_seconds !== null && eta_seconds > seconds_to_close ? 'closing' : 'open'
}
