import { beforeAll, describe, expect, test } from 'vitest'
import { operationById, operations } from '../../modules/index.ts'
import { startApp } from '../../test/app.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { AppError } from '../errors.ts'
import type { Operation, Request } from '../operation.ts'
import { LIMITS, limitHeaders, Limiter, limitOf, MemoryStore } from './index.ts'
import type { LimitState, LimitStore } from './store.ts'

const { db, owner } = await testDatabase()
let bank: TenantFixture
beforeAll(async () => {
  bank = await aTenant(owner, { queues: 1 })
})

const request = (over: Partial<Request> = {}): Request => ({
  actor: bank.admin,
  tenant: bank.tenant,
  locale: 'en',
  input: {},
  origin: { address: '203.0.113.9', userAgent: undefined },
  ...over,
})
const op = (id: string): Operation => operationById.get(id)!
const phone = (n: number, address = '203.0.113.9') =>
  request({
    actor: bank.anonymous,
    input: { device_id: `phone-${n}-of-somebody` },
    origin: { address, userAgent: undefined },
  })

/** How many of `count` attempts are let through, and how the first one is refused. */
async function flood(limiter: Limiter, count: number, make: (n: number) => [Operation, Request]) {
  let allowed = 0
  let refusal: AppError | undefined
  for (let n = 0; n < count; n++) {
    try {
      await limiter.check(...make(n))
      allowed++
    } catch (error) {
      refusal ??= error as AppError
    }
  }
  return { allowed, refusal }
}

describe('the algorithm', () => {
  test('lets the whole amount through at once, then as it grows back, and never more', () => {
    let now = 0
    const store = new MemoryStore(() => now)
    const use = () => store.use([{ key: 'k', amount: 10, windowSeconds: 60 }])[0]!
    for (let i = 9; i >= 0; i--) expect(use()).toMatchObject({ isAllowed: true, remaining: i })
    expect(use()).toMatchObject({ isAllowed: false, remaining: 0, resetSeconds: 60, retrySeconds: 6 })
    now = 5_900
    expect(use().isAllowed).toBe(false)
    now = 6_000
    expect(use().isAllowed).toBe(true)
    // In any hour no more than the amount at the start and one for each six seconds.
    let allowed = 0
    for (now = 6_000; now <= 3_606_000; now += 100) if (use().isAllowed) allowed++
    expect(allowed).toBe(600)
  })

  test('a refused request uses nothing of its other counts', () => {
    const store = new MemoryStore(() => 0)
    const both = () =>
      store.use([
        { key: 'a', amount: 1, windowSeconds: 60 },
        { key: 'b', amount: 100, windowSeconds: 60 },
      ])
    both()
    for (let i = 0; i < 50; i++) expect(both()[1]).toMatchObject({ isAllowed: true, remaining: 99 })
  })
})

describe('classes', () => {
  test('every open door outside tenants is guarded as one, and calling has a class of its own', () => {
    const anonymous = { actor: bank.anonymous }
    const doors = operations.filter(
      (each) => each.kind === 'mutation' && each.http.base === 'root' && each.roles.includes('anonymous'),
    )
    expect(doors.length).toBeGreaterThan(3)
    for (const door of doors) expect(['sign_in', 'pairing', 'polling'], door.id).toContain(limitOf(door, anonymous))
    expect(limitOf(op('tickets.callNext'), { actor: bank.admin })).toBe('calling')
    expect(limitOf(op('tickets.take'), anonymous)).toBe('public')
    expect(limitOf(op('tickets.take'), { actor: bank.kiosk })).toBe('requests')
    expect(LIMITS.calling.withoutStore).toBe('own_count')
    expect(LIMITS.sign_in.withoutStore).toBe('refuse')
    expect(LIMITS.pairing.withoutStore).toBe('refuse')
  })

  test('one device cannot flood; sixty phones behind one address can all take a ticket', async () => {
    const take = op('tickets.take')
    const one = await flood(new Limiter({ db }), 40, () => [take, phone(1)])
    expect(one.allowed).toBe(6)
    expect(one.refusal).toMatchObject({ kind: 'limit_exceeded', code: 'rate_limited' })
    expect(one.refusal!.retryAfterSeconds).toBeGreaterThan(0)
    const sixty = new Limiter({ db })
    expect((await flood(sixty, 60, (n) => [take, phone(n)])).allowed).toBe(60)
    // A program that makes up devices meets the ceiling of its network, and only it does.
    expect((await flood(sixty, 1000, (n) => [take, phone(n + 100)])).allowed).toBeLessThanOrEqual(241)
    expect((await flood(sixty, 5, (n) => [take, phone(n + 5000, '198.51.100.1')])).allowed).toBe(5)
    expect((await flood(sixty, 5, (n) => [take, phone(n + 6000, '203.0.113.200')])).allowed).toBe(0)
  })

  test('an IPv6 household is one address, whatever it takes of its /56', async () => {
    const limiter = new Limiter({ db })
    const guess = (n: number) =>
      request({
        actor: bank.anonymous,
        tenant: null,
        origin: { address: `2001:db8:0:${n.toString(16)}::1`, userAgent: undefined },
      })
    const { allowed, refusal } = await flood(limiter, 300, (n) => [op('auth.token'), guess(n % 256)])
    expect(allowed).toBeLessThanOrEqual(101)
    expect(refusal!.code).toBe('rate_limited')
  })

  test('codes of pairing cannot be tried out', async () => {
    // Nor PINs of machines.
    for (const id of ['devices.pair', 'kiosks.checkPin']) {
      const { allowed } = await flood(new Limiter({ db }), 100, () => [op(id), request()])
      expect(allowed).toBe(20)
    }
  })

  test('an organisation’s quota is data, and is told apart', async () => {
    const strangers = (n: number): [Operation, Request] => [op('tickets.take'), phone(n, `198.51.100.${n}`)]
    const asked = { requests_per_minute: () => [op('queues.list'), request()] as const, public_per_minute: strangers }
    for (const [quota, make] of Object.entries(asked)) {
      const limiter = new Limiter({ db })
      await owner(`insert into tenant_quotas (tenant_id, quota, amount) values ($1, $2, 3)`, [bank.tenant.id, quota])
      await limiter.check(...make(0))
      await expect
        .poll(() => flood(limiter, 10, (n) => [...make(n)]).then(({ refusal }) => refusal?.code))
        .toBe('limit_exceeded')
      await owner('delete from tenant_quotas')
    }
  })

  test('this program’s own requests are not counted', async () => {
    const own = request({ actor: bank.system, origin: undefined })
    expect((await flood(new Limiter({ db }), 5000, () => [op('queues.list'), own])).allowed).toBe(5000)
  })
})

test('header fields are structured as the draft says', () => {
  let states: readonly LimitState[] = []
  void new Limiter({ db }).check(op('tickets.callNext'), request({ limited: (given) => (states = given) }))
  expect(limitHeaders(states)).toEqual({
    'ratelimit-policy': '"actor";q=1200;w=60',
    ratelimit: '"actor";r=1199;t=1',
  })
})

test('over HTTP: fields on answers, Retry-After and a problem on refusals, and no work done', async () => {
  const server = await startApp({ RATE_LIMIT_FACTOR: '1' })
  const place = await server.aTenant()
  const url = `/api/v1/public/${place.tenant.slug}/tickets/`
  const payload = { queue_id: place.queues[0]!.id, channel: 'web', device_id: 'one phone of one person' }
  const answers = []
  for (let i = 0; i < 8; i++) answers.push(await server.app.inject({ method: 'POST', url, payload }))
  expect(answers[0]!.statusCode).toBe(201)
  expect(answers[0]!.headers['ratelimit-policy']).toBe('"device";q=6;w=60, "address";q=300;w=600, "tenant";q=6000;w=60')
  expect(answers[0]!.headers['ratelimit']).toMatch(/^"device";r=5;t=10, "address";r=299;t=2, "tenant";r=5999;t=1$/)
  const refused = answers[7]!
  expect(refused.statusCode).toBe(429)
  expect(refused.json()).toMatchObject({ code: 'rate_limited', status: 429 })
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  expect(refused.headers['ratelimit']).toContain('"device";r=0')
  const [rows] = await server.owner<{ n: number }>('select count(*)::int as n from audit_entries')
  expect(rows!.n).toBe(1)
})

describe('a store that all processes share', () => {
  /** As a lost Redis looks to its client. */
  const lost: LimitStore = { use: () => Promise.reject(new Error('Connection is closed.')) }

  test('without it doors stay shut and counters go on', async () => {
    const limiter = new Limiter({ db, store: lost })
    await expect(
      limiter.check(op('auth.token'), request({ actor: bank.anonymous, tenant: null })),
    ).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'overloaded',
      retryAfterSeconds: 5,
    })
    await expect(limiter.check(op('devices.pair'), request())).rejects.toMatchObject({ kind: 'unavailable' })
    await limiter.check(op('tickets.callNext'), request())
    // Strangers go on by this process's own count, and are still limited.
    expect((await flood(limiter, 40, () => [op('tickets.take'), phone(1)])).allowed).toBe(6)
  })
})
