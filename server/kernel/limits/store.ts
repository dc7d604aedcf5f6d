import { LRUCache } from 'lru-cache'
import { monotonicMs } from '../clock.ts'
import type { Policy } from './policies.ts'
import { upTo } from '../up-to.ts'

/** One count that a request is held against. */
export interface Count {
  key: string
  amount: number
  windowSeconds: number
}
/** What is left of it after the request. */
export interface Left {
  isAllowed: boolean
  remaining: number
  /** Until all of it is back. */
  resetSeconds: number
  /** Until the next one is allowed; 0 when it is now. */
  retrySeconds: number
}
/** How a request stands against one policy; a transport shows it to the caller. */
export interface LimitState extends Policy, Left {}

export interface LimitStore {
  /** Uses one of each count if all allow it, else none of any. One answer per count. */
  use(counts: readonly Count[]): Left[] | Promise<Left[]>
}

/** More than these are forgotten, longest unused first: each was nearly full again. */
const MAX_KEYS = 200_000

/** Counts of this process. The generic cell rate algorithm (ITU-T I.371): one number per key, no timer. */
export class MemoryStore implements LimitStore {
  /** When the last allowed request will have been worked off, in milliseconds of the monotonic clock. */
  #due = new LRUCache<string, number>(upTo(MAX_KEYS))
  #now: () => number

  constructor(now: () => number = monotonicMs) {
    this.#now = now
  }

  use(counts: readonly Count[]): Left[] {
    const now = this.#now()
    const due = counts.map(({ key, amount, windowSeconds }) => {
      return Math.max(now, this.#due.get(key) ?? 0) + (windowSeconds * 1000) / amount
    })
    const isAllowed = counts.every(({ windowSeconds }, i) => due[i]! - now <= windowSeconds * 1000 + 0.001)
    if (isAllowed) counts.forEach(({ key }, i) => this.#due.set(key, due[i]!))
    return counts.map((count, i) => left(count, due[i]! - now, isAllowed))
  }
}

/** @param backlogMs work left to do, this request included */
export function left({ amount, windowSeconds }: Count, backlogMs: number, isUsed: boolean): Left {
  const windowMs = windowSeconds * 1000
  const cost = windowMs / amount
  const isAllowed = backlogMs <= windowMs + 0.001
  const standing = isUsed ? backlogMs : backlogMs - cost
  return {
    isAllowed,
    remaining: Math.max(0, Math.floor((windowMs - standing) / cost + 1e-6)),
    // The clock is a fraction: what it is out by is not another second.
    resetSeconds: Math.ceil(standing / 1000 - 1e-6),
    retrySeconds: isAllowed ? 0 : Math.max(1, Math.ceil((backlogMs - windowMs) / 1000)),
  }
}
