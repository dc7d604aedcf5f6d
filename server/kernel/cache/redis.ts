import { Redis } from 'ioredis'
import type { SharedCache } from './cache.ts'

/** Nobody waits longer for it. */
const TIMEOUT_MS = 150

/** The second level in Redis. Rejects at once while Redis is away. */
export class RedisCache implements SharedCache {
  #redis: Redis

  constructor(url: string) {
    this.#redis = new Redis(url, {
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      maxRetriesPerRequest: 0,
      commandTimeout: TIMEOUT_MS,
      connectTimeout: 2000,
      keyPrefix: 'smartqueue:cache:',
      retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 2000),
    })
    // Told to whoever asks next; without a listener it would end the process.
    this.#redis.on('error', () => {})
  }

  async get(key: string): Promise<{ value: string; leftMs: number } | undefined> {
    const [value, leftMs] = await Promise.all([this.#redis.get(key), this.#redis.pttl(key)])
    return value === null ? undefined : { value, leftMs }
  }

  async set(key: string, value: string, lifeMs: number): Promise<void> {
    await this.#redis.set(key, value, 'PX', lifeMs)
  }

  async claim(key: string, lifeMs: number): Promise<boolean> {
    return (await this.#redis.set(`${key}:claim`, '1', 'PX', lifeMs, 'NX')) !== null
  }

  async close(): Promise<void> {
    this.#redis.disconnect()
  }
}
