import { afterAll, beforeAll, expect, test } from 'vitest'
import { operationById } from '../../modules/index.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { startRedis } from '../../test/redis.ts'
import type { Operation, Request } from '../operation.ts'
import { solveChallenge } from 'altcha-lib/v1'
import { newChallenge } from './challenge.ts'
import { Limiter, RedisStore } from './index.ts'
import type { LimitState } from './store.ts'

const { db, owner } = await testDatabase()
let bank: TenantFixture
beforeAll(async () => {
  bank = await aTenant(owner, { queues: 1 })
})
const op = (id: string): Operation => operationById.get(id)!
const request = (over: Partial<Request> = {}): Request => ({
  actor: bank.admin,
  tenant: bank.tenant,
  locale: 'en',
  input: {},
  origin: { address: '203.0.113.9', userAgent: undefined },
  ...over,
})

const redis = await startRedis()
afterAll(() => redis?.close())
async function connected(): Promise<RedisStore> {
  const link = redis!.link()
  expect(await link.ready(5000)).toBe(true)
  return new RedisStore(link)
}

test.skipIf(!redis)('two processes share one count, and count like one alone', async () => {
  const stores = [await connected(), await connected()]
  const limiters = stores.map((store) => new Limiter({ db, store }))
  let headers: readonly LimitState[] = []
  const attempts = Array.from({ length: 40 }, (_, n) =>
    limiters[n % 2]!.check(op('tickets.take'), {
      ...request({ actor: bank.anonymous, input: { device_id: 'one phone' } }),
      limited: (states) => (headers = states),
    })!.then(
      () => true,
      () => false,
    ),
  )
  expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(6)
  const [device, address, tenant] = headers
  expect(headers.map(({ by }) => by)).toEqual(['device', 'address', 'tenant'])
  expect(device!.remaining).toBe(0)
  // These come back by five and by a hundred a second, also while this runs.
  expect(address!.remaining).toBeGreaterThanOrEqual(294)
  expect(address!.remaining).toBeLessThan(300)
  expect(tenant!.remaining).toBeGreaterThanOrEqual(5994)
})

test.skipIf(!redis)('a solved challenge is one ticket, however many processes are shown it at once', async () => {
  const { challenge, salt, algorithm, maxnumber, signature } = await newChallenge(bank.tenant.id)
  const { number } = (await solveChallenge(challenge, salt, algorithm, maxnumber).promise)!
  const solution = Buffer.from(JSON.stringify({ algorithm, challenge, number, salt, signature })).toString('base64')
  const stranger = request({
    actor: bank.anonymous,
    tenant: { ...bank.tenant, take_challenge: 'always' },
    solution,
  })
  const letIn = async (limiters: readonly Limiter[]) => {
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, async (_, n) =>
        limiters[n % limiters.length]!.checkWork(op('tickets.take'), stranger),
      ),
    )
    return answers.filter(({ status }) => status === 'fulfilled').length
  }
  const stores = [await connected(), await connected(), await connected()]
  const limiters = stores.map((store) => new Limiter({ db, store }))
  expect(await letIn(limiters)).toBe(1)
  expect(await letIn(limiters)).toBe(0)
  // Control: processes that share no counts let it in once each.
  expect(await letIn(stores.map(() => new Limiter({ db })))).toBe(3)
})

test.skipIf(!redis)(
  'when it dies: sign-in refused at once, calling goes on, and all is well when it is back',
  async () => {
    const store = await connected()
    const limiter = new Limiter({ db, store })
    const signIn = () =>
      Promise.resolve(limiter.check(op('auth.token'), request({ actor: bank.anonymous, tenant: null })))
    await signIn()
    await redis!.kill()
    await expect(signIn()).rejects.toMatchObject({ kind: 'unavailable' })
    for (let i = 0; i < 20; i++) await limiter.check(op('tickets.callNext'), request())
    await redis!.start()
    await expect
      .poll(() =>
        signIn().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
  },
)
