import type { QueueStatus } from '../../../shared/ticket-status.ts'

/** What an algorithm may look at when a ticket enters, or enters again. */
export interface RankedTicket {
  /** Class 0 … 9, higher is more urgent. */
  priority: number
}
export interface RankingConfig {
  algorithm: string
}
/**
 * How far from its arrival a ticket stands in the order of service: whole microseconds, negative is earlier. A pure
 * function of queue and ticket, so that one column, one index and one claim statement serve every algorithm.
 */
export type Algorithm = (config: RankingConfig, ticket: RankedTicket) => number

/**
 * Worth of one class in microseconds: 3.17 years. Nobody waits that long, so a higher class is served before a lower
 * one however long that has waited, and nine classes still keep the rank a positive safe integer.
 */
const CLASS_MICROSECONDS = 1e14

/** By the name a queue is configured with. A plugin adds its own before the server starts. */
export const algorithms: Record<string, Algorithm> = {
  fifo: () => 0,
  priority: (_config, ticket) => -ticket.priority * CLASS_MICROSECONDS || 0,
}
export const isAlgorithm = (name: string): boolean => Object.hasOwn(algorithms, name)

/**
 * Microseconds to add to a ticket's arrival to get its rank.
 * @throws RangeError when the algorithm is unknown or does not answer with a safe integer
 */
export function rankOffset(config: RankingConfig, ticket: RankedTicket): number {
  const offset = isAlgorithm(config.algorithm) ? algorithms[config.algorithm]!(config, ticket) : Number.NaN
  if (!Number.isSafeInteger(offset)) throw new RangeError(`algorithm ${config.algorithm} gave no rank`)
  return offset
}

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
