import { expect, test } from 'vitest'
import type { Actor } from '../../kernel/access.ts'
import { now } from '../../kernel/clock.ts'
import { startApp } from '../../test/app.ts'
import { anonymousActor } from '../../test/factories.ts'

const server = await startApp()
const { app, as, owner } = server
const [bank, hall] = [await server.aTenant({ slug: 'bank' }), await server.aTenant({ slug: 'hall' })]
const [root] = await owner<{ id: number }>(
  `insert into users (email, name, is_operator) values ('root@example.org', 'Root', true) returning id`,
)
const operator: Actor = {
  ...anonymousActor,
  role: 'operator',
  principal: `user:${root!.id}`,
  userId: root!.id,
  scopes: new Set(['admin:tenant']),
  provenAt: Math.floor(now() / 1000),
}
type Json = Record<string, any>
async function ask(method: 'GET' | 'POST' | 'PUT', path: string, payload?: object, actor = operator) {
  const answer = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: as(actor),
    ...(payload && { payload }),
  })
  return {
    status: answer.statusCode,
    body: (/json/.test(String(answer.headers['content-type'])) ? answer.json() : answer.body) as Json,
  }
}
const take = (slug = 'bank', place = bank) =>
  app
    .inject({
      method: 'POST',
      url: `/api/v1/public/${slug}/tickets/`,
      payload: { queue_id: place.queues[0]!.id, channel: 'web' },
    })
    .then(({ statusCode }) => statusCode)

test('the operator sees every organisation and how it fares; nobody else does', async () => {
  expect(await take()).toBe(201)
  const { body } = await ask('GET', '/platform/tenants/')
  expect(body['results'].map(({ slug, tickets_today }: Json) => [slug, tickets_today])).toEqual([
    ['hall', 0],
    ['bank', 1],
  ])
  expect((await ask('GET', '/platform/tenants/?q=BAN')).body['results']).toHaveLength(1)
  expect((await ask('GET', `/platform/tenants/?before=${hall.tenant.id}`)).body['results'][0].slug).toBe('bank')
  for (const actor of [bank.admin, bank.agentActors[0]!, bank.apiKey])
    expect((await ask('GET', '/platform/tenants/', undefined, actor)).status).toBe(403)
  // A transaction of a tenant cannot look over the wall.
  await expect(
    server.db.tenant(bank.tenant.id, (tx) => tx.query(`select * from app.tenants_overview('', 99999, 10)`)),
  ).rejects.toThrow()
  const health = (await ask('GET', '/platform/health/')).body
  expect(health['requests'].count).toBeGreaterThan(0)
  expect(health['jobs']).toMatchObject({ dead: 0 })
})

test('what the platform tells staff alone is told to nobody who is not signed in', async () => {
  const tell = (surface: string) =>
    ask('POST', '/platform/notices/', { level: 'disturbance', texts: { en: surface }, surfaces: [surface] })
  for (const surface of ['console', 'visitor', 'status']) expect((await tell(surface)).status).toBe(201)
  const told = async (actor?: Actor) => {
    const { body } = await app.inject({ url: '/api/v1/status/', ...(actor && { headers: as(actor) }) })
    return JSON.parse(body).notices.map(({ texts }: Json) => texts.en)
  }
  for (const stranger of [undefined, bank.kiosk, bank.display, bank.apiKey])
    expect(await told(stranger)).toEqual(['status', 'visitor'])
  expect(await told(bank.agentActors[0])).toEqual(['status', 'visitor', 'console'])
  await owner('delete from platform_notices')
})

test('P2 a suspended organisation refuses its staff, tells visitors politely, and loses nothing', async () => {
  const rows = () =>
    owner('select (select count(*) from tickets)::int as tickets, (select count(*) from sites)::int as sites')
  const before = await rows()
  expect((await ask('POST', `/platform/tenants/${bank.tenant.id}/suspend/`, { reason: 'short' })).status).toBe(400)
  const reason = 'Unpaid since March, as agreed'
  const { body } = await ask('POST', `/platform/tenants/${bank.tenant.id}/suspend/`, { reason })
  expect(body).toMatchObject({ is_active: false, suspended_reason: reason })
  const staff = () => ask('GET', '/tenants/bank/queues/', undefined, bank.admin).then(({ status }) => status)
  await expect.poll(staff).toBe(403)
  const page = await app.inject({ url: '/site/bank/site-1', headers: { accept: 'text/html', 'accept-language': 'fr' } })
  expect(page.statusCode).toBe(403)
  expect(page.headers['content-type']).toMatch(/html/)
  expect(page.body).toContain('lang="fr"')
  expect(page.body).not.toContain(reason)
  expect(await take()).toBe(403)
  // Control: the other organisation works.
  expect(await take('hall', hall)).toBe(201)
  expect(await rows()).toEqual([{ ...before[0], tickets: Number(before[0]!['tickets']) + 1 }])
  await ask('POST', `/platform/tenants/${bank.tenant.id}/restore/`)
  await expect.poll(staff).toBe(200)
  const audited = await owner<{ operation: string }>(
    `select operation from audit_entries where operation in ('tenants.suspend', 'tenants.restore') order by seq`,
  )
  expect(audited.map(({ operation }) => operation)).toEqual(['tenants.suspend', 'tenants.restore'])
})

test('P3 what is switched off is refused within five seconds, for one organisation or for all', async () => {
  const set = (body: object) => ask('PUT', '/platform/switches/intake/', body)
  expect((await set({ is_off: true, tenant_slug: 'hall' })).body['tenants']).toEqual([
    { id: hall.tenant.id, slug: 'hall' },
  ])
  await expect.poll(() => take('hall', hall)).toBe(503)
  expect(await take()).toBe(201)
  // Staff still takes numbers for people.
  const desk = await ask(
    'POST',
    '/tenants/hall/tickets/',
    { queue_id: hall.queues[0]!.id, channel: 'reception' },
    hall.agentActors[0]!,
  )
  expect(desk.status).toBe(201)
  await set({ is_off: false, tenant_slug: 'hall' })
  await expect.poll(() => take('hall', hall)).toBe(201)
  await set({ is_off: true, reason: 'Numbers are given twice' })
  await expect.poll(() => take()).toBe(503)
  await expect.poll(() => take('hall', hall)).toBe(503)
  expect((await ask('GET', '/platform/switches/')).body['results'][0]).toMatchObject({ switch: 'intake', is_off: true })
  await set({ is_off: false })
  await expect.poll(() => take()).toBe(201)
})
