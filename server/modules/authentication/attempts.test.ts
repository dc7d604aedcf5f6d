import { afterAll, expect, test } from 'vitest'
import { startRedis } from '../../test/redis.ts'
import { MemoryFailures, RedisFailures } from '../../kernel/limits/index.ts'
import { checkAttempts, forgetFailures, recordFailure, useAttemptStore } from './attempts.ts'

const redis = await startRedis()
afterAll(() => redis?.close())
async function linked() {
  const link = redis!.link()
  expect(await link.ready(10_000)).toBe(true)
  return link
}

test('failures are counted by name, whatever it is, and forgotten together', async () => {
  useAttemptStore(undefined)
  for (let n = 0; n < 3; n++) await recordFailure('a@example.org')
  await expect(checkAttempts('a@example.org', 3)).rejects.toMatchObject({ code: 'rate_limited', status: 429 })
  await checkAttempts('a@example.org', 4)
  await checkAttempts('b@example.org', 1)
  await forgetFailures('a@example.org')
  await checkAttempts('a@example.org', 1)
})

test.skipIf(!redis)(
  'processes share one count of an account; without sharing each would give a guesser its own',
  async () => {
    const stores = [new RedisFailures(await linked(), 900), new RedisFailures(await linked(), 900)] as const
    await Promise.all(Array.from({ length: 30 }, (_, n) => stores[n % 2]!.add('shared')))
    for (const store of stores) expect(await store.of('shared')).toMatchObject({ count: 30 })
    expect((await stores[0].of('shared')).retrySeconds).toBeLessThanOrEqual(900)
    // Control: two processes of their own.
    const alone = [new MemoryFailures(900), new MemoryFailures(900)] as const
    for (let n = 0; n < 30; n++) await alone[n % 2]!.add('shared')
    expect((await alone[0].of('shared')).count).toBe(15)
    await stores[1].forget('shared')
    expect(await stores[0].of('shared')).toEqual({ count: 0, retrySeconds: 0 })
    const window = new RedisFailures(await linked(), 1)
    await window.add('short')
    await expect.poll(async () => (await window.of('short')).count).toBe(0)
  },
)

test.skipIf(!redis)('nobody may try while nobody knows how often an account was tried', async () => {
  useAttemptStore(await linked())
  await checkAttempts('x')
  await redis!.kill()
  await expect(checkAttempts('x')).rejects.toMatchObject({ kind: 'unavailable', code: 'overloaded' })
  await expect(recordFailure('x')).rejects.toMatchObject({ kind: 'unavailable' })
  // Control: a process's own count would let them.
  useAttemptStore(undefined)
  await checkAttempts('x')
})
