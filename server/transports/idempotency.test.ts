import { expect, test } from 'vitest'
import type { Actor } from '../kernel/access.ts'
import { startApp } from '../test/app.ts'

const { app, owner, aTenant, as } = await startApp()
const t = await aTenant({ slug: 'a', queues: 2, agents: 2 })
const b = await aTenant({ slug: 'b' })
const queueId = t.queues[0]!.id
const body = { queue_id: queueId, channel: 'kiosk' }

interface Wish {
  actor?: Actor
  slug?: string
  payload?: object
  path?: string
}
function post(key: string | undefined, { actor = t.admin, slug = 'a', payload = body, path = '/tickets/' }: Wish = {}) {
  const headers = { ...as(actor), 'accept-language': 'en', ...(key !== undefined && { 'idempotency-key': key }) }
  return app.inject({ method: 'POST', url: `/api/v1/tenants/${slug}${path}`, headers, payload })
}
const ticketsOf = async (tenantId: number) =>
  (await owner<{ count: number }>('select count(*)::int as count from tickets where tenant_id = $1', [tenantId]))[0]!
    .count

test('a repeated key repeats the answer byte for byte and does nothing', async () => {
  const first = await post('again')
  const before = await ticketsOf(t.tenant.id)
  const replay = await post('again')
  expect(first.statusCode).toBe(201)
  expect(first.headers['idempotent-replayed']).toBeUndefined()
  expect([replay.statusCode, replay.body, replay.headers['idempotent-replayed']]).toEqual([201, first.body, 'true'])
  expect(replay.headers['content-type']).toBe(first.headers['content-type'])
  expect(await ticketsOf(t.tenant.id)).toBe(before)
})

test('the key is the same bare or quoted', async () => {
  const first = await post('spelling')
  expect((await post('"spelling"')).body).toBe(first.body)
})

test('without a key every request is a new act', async () => {
  const [one, two] = [await post(undefined), await post(undefined)]
  expect(one.json<{ id: number }>().id).not.toBe(two.json<{ id: number }>().id)
})

test('the key with another payload is refused, and the first answer stays', async () => {
  const first = await post('payload')
  const refused = await post('payload', { payload: { ...body, channel: 'web' } })
  expect(refused.json()).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
  expect((await post('payload')).body).toBe(first.body)
})

test('the key of another person, another tenant or another operation is another key', async () => {
  const answers = [
    await post('shared'),
    await post('shared', { actor: t.supervisor }),
    await post('shared', { actor: t.apiKey }),
    await post('shared', { actor: b.admin, slug: 'b', payload: { ...body, queue_id: b.queues[0]!.id } }),
  ]
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 201, 201, 201])
  expect(new Set(answers.map((answer) => answer.json<{ id: number }>().id)).size).toBe(4)
  const called = await post('shared', { path: `/agents/${t.agents[0]!.id}/call-next/`, payload: {} })
  expect([called.statusCode, called.headers['idempotent-replayed']]).toEqual([200, undefined])
})

test('I4 of many at once one acts; the others are told to wait or get its answer', async () => {
  const before = await ticketsOf(t.tenant.id)
  const answers = await Promise.all(Array.from({ length: 20 }, () => post('storm')))
  const done = answers.filter(({ statusCode }) => statusCode === 201)
  const inFlight = answers.filter(({ statusCode }) => statusCode === 409)
  expect(done.length + inFlight.length).toBe(20)
  expect(new Set(done.map(({ body: text }) => text)).size).toBe(1)
  for (const answer of inFlight) expect(answer.json()).toMatchObject({ code: 'idempotency_in_flight' })
  expect(await ticketsOf(t.tenant.id)).toBe(before + 1)
  expect((await post('storm')).body).toBe(done[0]!.body)
})

test('a refusal by the work itself is kept too, with its request id; one before the work is not', async () => {
  await owner('update queues set is_active = false where id = $1', [t.queues[1]!.id])
  // The configuration of a queue is read once a second at most.
  await expect
    .poll(async () => (await post(undefined, { payload: { ...body, queue_id: t.queues[1]!.id } })).statusCode)
    .toBe(409)
  const closed = { payload: { ...body, queue_id: t.queues[1]!.id } }
  const first = await post('refused', closed)
  const replay = await post('refused', closed)
  expect(first.json()).toMatchObject({ status: 409, code: 'queue_inactive', request_id: first.headers['x-request-id'] })
  expect([replay.statusCode, replay.body, replay.headers['idempotent-replayed']]).toEqual([409, first.body, 'true'])
  expect(replay.headers['content-type']).toBe('application/problem+json; charset=utf-8')

  const invalid = await post('invalid', { payload: { channel: 'kiosk' } })
  expect(invalid.statusCode).toBe(400)
  expect((await post('invalid')).statusCode).toBe(201)
})

test('an act that is not batched keeps its answer the same way', async () => {
  const wish = { path: '/services/', payload: { name: 'Passeports', code: 'Z' } }
  const first = await post('service', wish)
  expect(first.statusCode).toBe(201)
  const replay = await post('service', wish)
  expect([replay.statusCode, replay.body, replay.headers['idempotent-replayed']]).toEqual([201, first.body, 'true'])
  const taken = await post('service-2', wish)
  expect(taken.statusCode).toBe(409)
  expect((await post('service-2', wish)).body).toBe(taken.body)
})

test('a key that is none is refused before anything happens', async () => {
  for (const key of ['', '""', 'x'.repeat(256), 'a\u00e9']) {
    const answer = await post(key)
    expect(answer.json(), key).toMatchObject({ status: 400, code: 'idempotency_key_invalid' })
  }
})

test('outside tenants a repeated key repeats the answer, but none that opens a door', async () => {
  const [user] = await owner<{ id: number }>(
    `insert into users (email, name, is_operator) values ('root@example.org', 'Root', true) returning id`,
  )
  const operator = { ...t.admin, role: 'operator', tenantId: null, userId: user!.id } as const
  const create = (key: string | undefined, name = 'Lyon') =>
    app.inject({
      method: 'POST',
      url: '/api/v1/tenants/',
      headers: { ...as({ ...operator, principal: `user:${user!.id}` }), ...(key && { 'idempotency-key': key }) },
      payload: { name, slug: 'lyon' },
    })
  const answers = await Promise.all(Array.from({ length: 10 }, () => create('root')))
  const done = answers.filter(({ statusCode }) => statusCode === 201)
  const rest = answers.filter(({ statusCode }) => statusCode === 409)
  expect([done.length + rest.length, done.length >= 1]).toEqual([10, true])
  expect(new Set(done.map(({ body: text }) => text)).size).toBe(1)
  const replay = await create('root')
  expect([replay.statusCode, replay.body, replay.headers['idempotent-replayed']]).toEqual([201, done[0]!.body, 'true'])
  expect((await create('root', 'Paris')).json()).toMatchObject({ code: 'idempotency_mismatch' })
  const taken = await create('root-2')
  expect(taken.json()).toMatchObject({ status: 409, code: 'slug_taken' })
  expect((await create('root-2')).body).toBe(taken.body)
  // Control: without a key it is tried again.
  expect((await create(undefined)).headers['idempotent-replayed']).toBeUndefined()

  const pair = () =>
    app.inject({
      method: 'POST',
      url: '/api/v1/devices/pairing/',
      headers: { 'idempotency-key': 'a key of more than twenty signs' },
      payload: {},
    })
  const secrets = [await pair(), await pair()].map((answer) => answer.json<{ secret: string }>().secret)
  expect(new Set(secrets).size).toBe(2)
  const stored = await owner<{ n: number }>(
    `select count(*)::int as n from platform_idempotency_keys where operation not in ('tenants.create')`,
  )
  expect(stored).toEqual([{ n: 0 }])
})
