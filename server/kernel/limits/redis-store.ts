import type { Redis } from 'ioredis'
import type { RedisLink } from '../redis.ts'
import { left, type Count, type Left, type LimitStore } from './store.ts'

/**
 * The same algorithm on Redis, with Redis's clock: one call for all counts of a request. ARGV: cost and window of each
 * count in microseconds. Answers whether it was used and each backlog.
 */
const USE = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local due, allowed = {}, 1
for i = 1, #KEYS do
  due[i] = math.max(now, tonumber(redis.call('GET', KEYS[i]) or 0)) + tonumber(ARGV[2 * i - 1])
  if due[i] - now > tonumber(ARGV[2 * i]) + 1 then allowed = 0 end
end
local answer = { allowed }
for i = 1, #KEYS do
  if allowed == 1 then redis.call('SET', KEYS[i], string.format('%.0f', due[i]), 'PX', math.ceil((due[i] - now) / 1000)) end
  answer[i + 1] = string.format('%.0f', due[i] - now)
end
return answer`

type WithUse = Redis & { useCounts(keys: number, ...values: (string | number)[]): Promise<[number, ...string[]]> }

const PREFIX = 'smartqueue:limit:'

/** Counts shared by all processes. Rejects at once while Redis is away. */
export class RedisStore implements LimitStore {
  #redis: WithUse

  constructor({ commands }: RedisLink) {
    this.#redis = commands as WithUse
    this.#redis.defineCommand('useCounts', { lua: USE })
  }

  async use(counts: readonly Count[]): Promise<Left[]> {
    const [used, ...backlogs] = await this.#redis.useCounts(
      counts.length,
      ...counts.map(({ key }) => PREFIX + key),
      ...counts.flatMap(({ amount, windowSeconds }) => [
        Math.round((windowSeconds * 1_000_000) / amount),
        windowSeconds * 1_000_000,
      ]),
    )
    return counts.map((count, i) => left(count, Number(backlogs[i]) / 1000, used === 1))
  }
}
