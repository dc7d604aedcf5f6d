import { expect, test } from 'vitest'
import { monotonicMs } from '../../kernel/clock.ts'
import { startApp } from '../../test/app.ts'
import { RequestRecorder } from './index.ts'

const server = await startApp()
const t = await server.aTenant({ slug: 'asks' })
const other = await server.aTenant({ slug: 'others' })
const queueId = t.queues[0]!.id

const ask = (path: string, headers: Record<string, string>, payload?: object) =>
  server.app.inject({
    method: payload ? 'POST' : 'GET',
    url: `/api/v1/tenants/asks${path}`,
    headers,
    ...(payload && { payload }),
  })
const listed = async (query = '') =>
  (await ask(`/requests/${query}`, server.as(t.admin))).json().results as Record<string, unknown>[]

async function aKey() {
  const made = await ask('/api-keys/', server.as(t.admin), {
    name: 'Shop',
    scopes: ['read:queue', 'read:ticket', 'write:ticket', 'admin:tenant'],
  })
  const { key, id } = made.json() as { key: string; id: number }
  return { id, headers: { authorization: `Bearer ${key}` } }
}

test('I6 what a program asks with a key is found by its request id, with what came of it and nothing of what was in it', async () => {
  const { id, headers } = await aKey()
  const taken = await ask('/tickets/', headers, { queue_id: queueId, channel: 'api', customer: { name: 'Zoulikha' } })
  const board = `/queues/${queueId}/board/`
  // Twice: the second is answered from memory.
  await ask(board, headers)
  await ask(board, headers)
  const refused = await ask('/queues/999999/', headers)
  await ask('/queues/', server.as(t.admin))
  expect([taken.statusCode, refused.statusCode]).toEqual([201, 404])
  await expect.poll(() => listed()).toHaveLength(4)
  const [last, , , first] = await listed()
  expect(first).toEqual({
    id: expect.any(Number),
    at: expect.any(String),
    api_key_id: id,
    request_id: taken.headers['x-request-id'],
    operation: 'tickets.take',
    method: 'POST',
    route: '/api/v1/tenants/:tenant/tickets/',
    status: 201,
    duration_ms: expect.any(Number),
  })
  expect(last).toMatchObject({ operation: 'queues.get', status: 404 })
  expect(await listed(`?request_id=${String(taken.headers['x-request-id'])}`)).toEqual([first])
  expect(await listed('?outcome=refused')).toEqual([last])
  expect(await listed('?outcome=failed')).toEqual([])
  expect(await listed('?operation=queues.board&limit=1')).toMatchObject([{ status: 200 }])
  const [row] = await server.owner<{ text: string }>('select string_agg(r::text, $1) as text from api_requests r', [
    '|',
  ])
  expect(row!.text).not.toMatch(/Zoulikha|999999|Bearer/)
  // Nobody else's.
  const foreign = await server.app.inject({
    url: '/api/v1/tenants/others/requests/',
    headers: server.as(other.admin),
  })
  expect(foreign.json().results).toEqual([])
  expect((await ask('/requests/', server.as(t.supervisor))).statusCode).toBe(403)
})

test('of a flood a bounded number is kept, refusals apart, and the oldest go', async () => {
  const recorder = new RequestRecorder(server.db, (error) => expect(error).toBeUndefined())
  const note = (status: number, requestId: string) =>
    recorder.note({
      operation: 'queues.get',
      method: 'GET',
      route: '/x',
      status,
      seconds: 0.001,
      requestId,
      tenantId: other.tenant.id,
      principal: 'api_key:1',
    })
  const count = async () =>
    (
      await server.owner<{ count: number }>('select count(*)::int as count from api_requests where tenant_id = $1', [
        other.tenant.id,
      ])
    )[0]!.count
  const started = monotonicMs()
  for (let n = 0; n < 5000; n++) note(200, `flood-${n}`)
  note(429, 'the-refused-one')
  await recorder.flush()
  // However long it took, no more than a flush's share; seconds that went by have shares of their own.
  expect(await count()).toBeLessThanOrEqual(51 * (1 + Math.ceil((monotonicMs() - started) / 1000)))
  const [refused] = await server.owner('select status from api_requests where request_id = $1', ['the-refused-one'])
  expect(refused).toEqual({ status: 429 })
  await server.owner(
    `insert into api_requests (tenant_id, at, api_key_id, request_id, operation, method, route, status, duration_ms)
     select $1, now(), 1, 'old-' || n, 'queues.get', 'GET', '/x', 200, 1 from generate_series(1, 12000) n`,
    [other.tenant.id],
  )
  const again = new RequestRecorder(server.db, (error) => expect(error).toBeUndefined())
  again.note({
    operation: 'queues.get',
    method: 'GET',
    route: '/x',
    status: 200,
    seconds: 0,
    requestId: 'the-newest',
    tenantId: other.tenant.id,
    principal: 'api_key:1',
  })
  await again.flush()
  expect(await count()).toBe(10_000)
  expect(await server.owner('select from api_requests where request_id = $1', ['the-newest'])).toHaveLength(1)
})
