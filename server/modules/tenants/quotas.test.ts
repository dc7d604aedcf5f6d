import { expect, test } from 'vitest'
import WebSocket from 'ws'
import type { Actor } from '../../kernel/access.ts'
import { anonymousActor } from '../../test/factories.ts'
import { startApp } from '../../test/app.ts'
import { jobs } from './index.ts'

const server = await startApp()
const { app, as, owner } = server
const [bank, hall] = [await server.aTenant({ slug: 'bank' }), await server.aTenant({ slug: 'hall' })]
/** Nothing has asked for its quotas yet: what a process knows of them may be a minute old. */
const small = await server.aTenant({ slug: 'small' })
const base = await server.listen()
const [root] = await owner<{ id: number }>(
  `insert into users (email, name, is_operator) values ('root@example.org', 'Root', true) returning id`,
)
const operator: Actor = {
  ...anonymousActor,
  role: 'operator',
  principal: `user:${root!.id}`,
  userId: root!.id,
  scopes: new Set(['admin:tenant']),
}
const quotas = (payload: object, actor = operator, t = bank) =>
  app.inject({
    method: 'PATCH',
    url: `/api/v1/platform/tenants/${t.tenant.id}/quotas/`,
    headers: as(actor),
    payload,
  })
const check = async () => {
  await jobs
    .find(({ name }) => name === 'tenants.check_quotas')!
    .run({ runtime: server.runtime, tenants: async () => [bank.tenant, hall.tenant] }, {})
  return owner<{ tenant_id: number; data: unknown }>(
    `select tenant_id, data - 'day' as data from events where type = 'quota.exceeded'`,
  )
}
const take = async (t = bank) =>
  (
    await app.inject({
      method: 'POST',
      url: `/api/v1/public/${t.tenant.slug}/tickets/`,
      payload: { queue_id: t.queues[0]!.id, channel: 'web' },
    })
  ).statusCode

test('the platform’s operator alone sets quotas, on the organisation’s record', async () => {
  expect((await quotas({ sockets: 5 }, bank.admin)).statusCode).toBe(403)
  expect((await quotas({ sockets: -1 })).statusCode).toBe(400)
  expect((await quotas({ sockets: 5, tickets_per_day: 3 })).json()).toMatchObject({
    tenant: { slug: 'bank' },
    quotas: { sockets: 5, tickets_per_day: 3, requests_per_minute: null, public_per_minute: null },
  })
  const url = `/api/v1/platform/tenants/${hall.tenant.id}/quotas/`
  expect((await app.inject({ url, headers: as(operator) })).json()).toMatchObject({ quotas: { sockets: null } })
  const [entry] = await owner<{ details: unknown; subject: string }>(
    `select details, subject from audit_entries where tenant_id = $1 and operation = 'tenants.setQuotas'`,
    [bank.tenant.id],
  )
  expect(entry).toMatchObject({ details: { changes: { sockets: [null, 5], tickets_per_day: [null, 3] } } })
  // A transaction of the tenant cannot, whatever it runs.
  await expect(
    server.db.tenant(bank.tenant.id, (tx) => tx.query(`select app.set_quota($1, 'sockets', 999)`, [bank.tenant.id])),
  ).rejects.toThrow()
  await expect(
    server.db.tenant(bank.tenant.id, (tx) => tx.query(`update tenant_quotas set amount = 999`)),
  ).rejects.toThrow()
})

test('nobody is refused at the door for the day’s quota; administrators are told once', async () => {
  for (let n = 0; n < 3; n++) expect(await take()).toBe(201)
  expect(await check()).toEqual([])
  for (let n = 0; n < 3; n++) expect(await take()).toBe(201)
  // Control: without a quota nobody is told.
  for (let n = 0; n < 6; n++) expect(await take(hall)).toBe(201)
  const told = [{ tenant_id: bank.tenant.id, data: { quota: 'tickets_per_day', amount: 3 } }]
  expect(await check()).toEqual(told)
  expect(await check()).toEqual(told)
  const usage = (slug: string, actor: Actor) =>
    app.inject({ url: `/api/v1/tenants/${slug}/usage/`, headers: as(actor) }).then((answer) => answer.json() as unknown)
  expect(await usage('bank', bank.supervisor)).toMatchObject({ tickets_per_day: 3, is_exceeded: true })
  expect(await usage('hall', hall.supervisor)).toEqual({
    tickets_per_day: null,
    is_exceeded: false,
    media_bytes: 0,
    media_most_bytes: 10_000_000_000,
    voice_bytes: 0,
    voice_most_bytes: 200_000_000,
  })
  await owner(
    `insert into voice_clips (tenant_id, language, word, type, sha256, bytes) values ($1, 'fr', '1', 'audio/wav', sha256('a'), 'abc')`,
    [hall.tenant.id],
  )
  await quotas({ voice_megabytes: 7 }, operator, hall)
  const url = `/api/v1/platform/tenants/${hall.tenant.id}/usage/`
  const kept = { media_bytes: 0, media_most_bytes: 10_000_000_000, voice_bytes: 3, voice_most_bytes: 7_000_000 }
  expect((await app.inject({ url, headers: as(operator) })).json()).toMatchObject(kept)
  expect(await usage('hall', hall.supervisor)).toMatchObject(kept)
})

test('one connection more than the quota is refused; another organisation’s are not counted', async () => {
  await quotas({ sockets: 2 }, operator, small)
  const open = (t = small) => {
    const socket = new WebSocket(
      `${base.replace('http', 'ws')}/ws/tenants/${t.tenant.slug}/queues/${t.queues[0]!.id}/`,
      ['smartqueue.v1', `bearer.${server.tokenOf(t.admin)}`],
    )
    return new Promise<[number | string, WebSocket]>((resolve) => {
      socket.on('message', () => resolve(['open', socket]))
      socket.on('close', (code) => resolve([code, socket]))
      socket.on('error', () => {})
    })
  }
  const first = [await open(), await open()]
  expect(first.map(([state]) => state)).toEqual(['open', 'open'])
  expect((await open())[0]).toBe(4429)
  expect((await open(hall))[0]).toBe('open')
  first[0]![1].close()
  await expect.poll(async () => (await open())[0]).toBe('open')
})
