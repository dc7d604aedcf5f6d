import { beforeAll, expect, test } from 'vitest'
import { startApp } from '../test/app.ts'
import type { TenantFixture } from '../test/factories.ts'

const server = await startApp()
let bank: TenantFixture
beforeAll(async () => void (bank = await server.aTenant()))

const FORM = 'application/x-www-form-urlencoded'
const post = (url: string, payload: string, type = 'application/json') =>
  server.app.inject({ method: 'POST', url, payload, headers: { ...server.as(bank.admin), 'content-type': type } })

test('lists within lists as deep as a body can hold are refused, and no fault of the server', async () => {
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
  const path = `/api/v1/tenants/${bank.tenant.slug}`
  expect((await post(`${path}/tickets/`, `{"queue_id":${deep}}`)).statusCode).toBe(400)
  expect((await post(`${path}/tickets/`, deep)).statusCode).toBe(400)
  const query = `mutation($input: TakeTicketInput!) { takeTicket(input: $input) { id } }`
  const asked = await post('/graphql', `{"query":${JSON.stringify(query)},"variables":{"input":{"queue_id":${deep}}}}`)
  expect(asked.statusCode, asked.body.slice(0, 200)).toBeLessThan(500)
})

test.each([
  '/appointments/?from=0000-01-01',
  '/queues/1/tomorrow-offers/?day=0001-01-01',
  `/tickets/?created_after=${encodeURIComponent('2026-11-23T10:00:00-23:59')}`,
  `/tickets/?created_after=${encodeURIComponent('2026-11-23T10:00:00+16:00')}`,
])('a time that PostgreSQL does not know is refused: %s', async (path) => {
  const url = `/api/v1/tenants/${bank.tenant.slug}${path}`
  expect((await server.app.inject({ url, headers: server.as(bank.admin) })).statusCode).toBe(400)
})

test('a whole number that PostgreSQL does not know is refused', async () => {
  const at = (path: string) => `/api/v1/tenants/${bank.tenant.slug}${path}`
  const replay = at(`/sites/${bank.sites[0]!.id}/replay/?after=${'9'.repeat(30)}`)
  expect((await server.app.inject({ url: replay, headers: server.as(bank.admin) })).statusCode).toBe(400)
  const wanted = JSON.stringify({ date: '2026-11-20', rules: 'version', version: 3e9 })
  expect((await post(at(`/queues/${bank.queues[0]!.id}/simulate/`), wanted)).statusCode).toBe(400)
})

test('a time finer than a nanosecond is refused, one of a nanosecond understood', async () => {
  const book = (fraction: string) =>
    post(
      `/api/v1/tenants/${bank.tenant.slug}/appointments/`,
      JSON.stringify({
        queue_id: bank.queues[0]!.id,
        start_at: `2026-11-22T10:00:00.${fraction}Z`,
        customer: { name: 'A' },
      }),
    )
  const [finest, finer] = [await book('123456789'), await book('1234567891')]
  expect(finest.statusCode).toBe(409)
  expect([finer.statusCode, finer.json().errors[0].path]).toEqual([400, '/start_at'])
})

test('an act that every object knows is none of a page’s', async () => {
  const taken = await post(
    `/api/v1/tenants/${bank.tenant.slug}/tickets/`,
    JSON.stringify({ queue_id: bank.queues[0]!.id, channel: 'reception' }),
  )
  const { public_token: token } = taken.json<{ public_token: string }>()
  for (const act of ['constructor', '__proto__', 'valueOf', 'nothing'])
    for (const page of ['t', 'a'])
      expect([page, act, (await post(`/${page}/${token}/act`, `act=${act}`, FORM)).statusCode]).toEqual([
        page,
        act,
        404,
      ])
})

test('a clip of no organisation is not found', async () => {
  expect((await server.app.inject(`/voice/own/0-${'a'.repeat(64)}.wav`)).statusCode).toBe(404)
})

test('a booking page asked for a day that no month has shows the month', async () => {
  const settings = JSON.stringify({ queue_id: bank.queues[0]!.id, lead_seconds: 0 })
  expect((await post(`/api/v1/tenants/${bank.tenant.slug}/booking-settings/`, settings)).statusCode).toBe(201)
  const month = Temporal.Now.plainDateISO('UTC').add({ days: 1 }).toPlainYearMonth().toString()
  for (const day of ['99', '32', '00'])
    expect((await server.app.inject(`/site/${bank.tenant.slug}/site-1/book?day=${month}-${day}`)).statusCode).toBe(200)
})
