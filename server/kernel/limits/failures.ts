import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { AppError } from '../errors.ts'
import type { RedisLink } from '../redis.ts'
import { upTo } from '../up-to.ts'

/** How often something failed lately, by a key. */
export interface Failures {
  count: number
  /** Until the count begins anew; 0 when there is none. */
  retrySeconds: number
}
/** Counts failures in a fixed window that begins with the first of them. */
export interface FailureStore {
  /** @throws AppError unavailable `overloaded` when nobody knows */
  of(key: string): Promise<Failures>
  /** @throws AppError unavailable `overloaded` when nobody knows */
  add(key: string): Promise<void>
  forget(key: string): Promise<void>
}

/** This process's own counts. */
export class MemoryFailures implements FailureStore {
  #counts: LRUCache<string, number>

  constructor(windowSeconds: number) {
    this.#counts = new LRUCache({ ...upTo(20_000), ttl: windowSeconds * 1000, noUpdateTTL: true })
  }
  async of(key: string): Promise<Failures> {
    const count = this.#counts.get(key) ?? 0
    return { count, retrySeconds: count === 0 ? 0 : Math.max(1, Math.ceil(this.#counts.getRemainingTTL(key) / 1000)) }
  }
  async add(key: string): Promise<void> {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }
  async forget(key: string): Promise<void> {
    this.#counts.delete(key)
  }
}

const ADD = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`
const PREFIX = 'smartqueue:failures:'
type WithAdd = Redis & { addFailure(key: string, milliseconds: number): Promise<number> }

/** Counts of all processes. While Redis is away nobody knows how often an account was tried, so nobody may try. */
export class RedisFailures implements FailureStore {
  #redis: WithAdd
  #windowSeconds: number

  constructor({ commands }: RedisLink, windowSeconds: number) {
    this.#windowSeconds = windowSeconds
    this.#redis = commands as WithAdd
    this.#redis.defineCommand('addFailure', { lua: ADD, numberOfKeys: 1 })
  }
  async of(key: string): Promise<Failures> {
    const [count, left] = await known(Promise.all([this.#redis.get(PREFIX + key), this.#redis.pttl(PREFIX + key)]))
    return { count: Number(count ?? 0), retrySeconds: count === null ? 0 : Math.max(1, Math.ceil(left / 1000)) }
  }
  async add(key: string): Promise<void> {
    await known(this.#redis.addFailure(PREFIX + key, this.#windowSeconds * 1000))
  }
  async forget(key: string): Promise<void> {
    // Whoever has just shown the right password is let in; the count ends by itself.
    await this.#redis.del(PREFIX + key).catch(() => {})
  }
}

const known = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((cause: unknown) => {
    throw new AppError('unavailable', 'overloaded', { retryAfterSeconds: 5, cause })
  })
