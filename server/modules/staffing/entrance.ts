import { decide, isLater, localTime, punctuality, type PublishedRule } from '../queues/index.ts'
import type { LoggedTicket } from './logged.ts'

/** The rules a day is played under, and the queue they are of. */
export interface Door {
  queue_id: number
  service_id: number
  timezone: string
  /** Null: what happened at the door stays as the log has it. */
  rules: readonly PublishedRule[] | null
}
/** What becomes of somebody at the door. */
export type Entrance =
  | { kind: 'in'; priority: number; required_skill: string | null }
  | { kind: 'refused' }
  | { kind: 'elsewhere' }

/**
 * What the rules make of somebody who asks for the queue. Rules about waiting keep what they did on the day.
 * @param length people who wait at that moment
 */
export function entranceOf({ rules, ...door }: Door, ticket: LoggedTicket, length: number): Entrance {
  const { priority, required_skill } = ticket
  if (rules === null) return { kind: 'in', priority, required_skill }
  const decision = decide(
    rules.filter((rule) => !isLater(rule)),
    {
      ...ticket,
      service_id: door.service_id,
      ...localTime(ticket.arrived_at, door.timezone),
      appointment: punctuality(ticket.appointment_at, ticket.arrived_at),
      wait_seconds: 0,
      queue_length: length,
    },
  )
  if (decision.refuse) return { kind: 'refused' }
  if (decision.queue_id !== undefined) return { kind: 'elsewhere' }
  // Whoever another queue's rules sent here has the class that those gave.
  const own = ticket.asked_queue_id === door.queue_id ? ticket.asked_priority : priority
  return { kind: 'in', priority: decision.priority ?? own, required_skill: decision.required_skill ?? null }
}
