import type { Seat, TakenTicket } from './actors.ts'
import { Refusal } from './client.ts'
import type { QueueFeed } from './feed.ts'
import type { Outcome } from './oracle.ts'
import type { PlannedVisit, QueuePlan } from './plan.ts'

/** A queue of the plan and its counterpart on the server. */
export interface Stage {
  plan: QueuePlan
  queueId: number
  seats: Seat[]
  feed: QueueFeed
}

/** One ticket as the replay knows it. */
export interface Stay {
  queueId: number
  visit: PlannedVisit
  ticket: TakenTicket
  outcome: Outcome | null
}

/** What happened, told in virtual time. */
export interface Log {
  stays: Stay[]
  served: number
  called: number
  left: number
  /** Seconds the called have waited, all together. */
  waitedSeconds: number
  /** A ticket handed out twice by call-next. */
  doubleCalls: number
  /** A free agent was told "nobody waits" while somebody did. */
  missedCalls: number
  /** Tickets whose creation the feed did not show within the patience of the observer. */
  unseen: number
  /** What the server refused, by act and code. */
  refusals: Map<string, number>
  now: number
}

export const newLog = (): Log => ({
  stays: [],
  served: 0,
  called: 0,
  left: 0,
  waitedSeconds: 0,
  doubleCalls: 0,
  missedCalls: 0,
  unseen: 0,
  refusals: new Map(),
  now: 0,
})

/** What was asked for, or undefined when the server refused: counted instead of stopping the day, the report tells. */
export async function countRefusal<T>(log: Log, act: string, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const what = `${act}: ${error.code}`
    log.refusals.set(what, (log.refusals.get(what) ?? 0) + 1)
    return undefined
  }
}
