import { Webhook as Verifier } from 'standardwebhooks'
import { expect, onTestFinished, test } from 'vitest'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import type { Tenant } from '../../kernel/operation.ts'
import { jobs as allJobs, operations } from '../index.ts'
import { Sender, useWebhooks } from './index.ts'
import { nameServer } from '../../../test/webhooks/name-server.ts'
import { receivers } from '../../../test/webhooks/receivers.ts'

/** Long enough for a good receiver on a busy machine. */
const TIMEOUT_MS = 2500
const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, operations)
const there = await receivers()
const names = await nameServer({
  'inside.receivers.test': ['10.0.0.7'],
  'mixed.receivers.test': ['93.184.215.14', '127.0.0.1'],
  'metadata.receivers.test': ['169.254.169.254'],
  'mapped.receivers.test': ['::ffff:7f00:1'],
  'silent.receivers.test': [],
})
const settings = { allowedNetworks: ['127.0.0.1'], ports: [443], timeoutMs: TIMEOUT_MS, nameServers: [names] }

interface Row {
  id: number
  status: string
  attempt: number
  status_code: number | null
  error_code: string | null
  due_at: string
}
async function aHouse(shape: Parameters<typeof aTenant>[1] = {}) {
  useWebhooks(settings)
  const t = await aTenant(owner, shape)
  const run = as(t.admin, t.tenant)
  const create = (url: string, more: Record<string, unknown> = { events: ['ticket.*'] }) =>
    run<{ id: number; secret: string }>('webhooks.create', { url, ...more })
  const deliveries = (webhookId: number) =>
    owner<Row>(
      'select id, status, attempt, status_code, error_code, due_at from webhook_deliveries where tenant_id = $1 and webhook_id = $2 order by id',
      [t.tenant.id, webhookId],
    )
  const take = () => run<{ id: number }>('tickets.take', { queue_id: t.queues[0]!.id, channel: 'api' })
  const timePasses = () =>
    owner(`update webhook_deliveries set due_at = now() where tenant_id = $1 and status = 'pending'`, [t.tenant.id])
  const endpoint = async (id: number) =>
    (await owner('select * from webhooks where tenant_id = $1 and id = $2', [t.tenant.id, id]))[0]!
  return { ...t, run, create, deliveries, take, timePasses, endpoint }
}
function send(...tenants: Tenant[]): void {
  const sender = new Sender({ runtime, tenants: async () => tenants }, () => {})
  onTestFinished(() => sender.stop())
}
const job = (name: string) => allJobs.find((each) => each.name === name)!

test('thirteen kinds of receivers: each is dealt with as it deserves, and none delays another', async () => {
  const t = await aHouse()
  const urls = {
    ...Object.fromEntries(
      'ok no-content flaky timeout drip reset gone busy redirect huge'
        .split(' ')
        .map((name) => [name, there.url(`/${name}`)]),
    ),
    garbage: there.garbage,
    badTls: there.badTls,
    private: 'https://inside.receivers.test/hook',
  }
  const hooks: Record<string, { id: number; secret: string }> = {}
  for (const [name, url] of Object.entries(urls)) hooks[name] = await t.create(url)
  await t.take()
  send(t.tenant)
  const of = async (name: string) => (await t.deliveries(hooks[name]!.id))[0]
  const isSettled = async (name: string) =>
    !['pending:0', 'sending:1', undefined].includes(await of(name).then((row) => row && `${row.status}:${row.attempt}`))

  for (const name of Object.keys(urls)) await expect.poll(() => isSettled(name), { message: name }).toBe(true)
  await t.timePasses()
  await expect.poll(async () => (await of('flaky'))!.status).toBe('delivered')

  const outcomes = Object.fromEntries(
    await Promise.all(
      Object.keys(urls)
        .filter((name) => name !== 'flaky')
        .map(async (name) => {
          const [first] = await owner<{ status_code: number | null; error_code: string | null }>(
            'select a.status_code, a.error_code from webhook_attempts a join webhook_deliveries d on d.tenant_id = a.tenant_id and d.id = a.delivery_id where d.tenant_id = $1 and d.webhook_id = $2 order by a.attempt limit 1',
            [t.tenant.id, hooks[name]!.id],
          )
          return [name, `${first!.status_code} ${first!.error_code}`]
        }),
    ),
  )
  expect(outcomes).toEqual({
    ok: '200 null',
    'no-content': '204 null',
    timeout: 'null timed_out',
    drip: 'null timed_out',
    reset: 'null connection_failed',
    gone: '410 status',
    busy: '429 status',
    redirect: '307 redirect_refused',
    huge: '200 null',
    garbage: 'null answer_malformed',
    badTls: 'null tls_failed',
    private: 'null address_refused',
  })
  // Everybody's first attempt began before those that take their time had ended: nobody waited for them.
  const [waited] = await owner<{ begun: number }>(
    `select count(*)::int as begun from webhook_attempts a where a.tenant_id = $1 and a.attempt = 1 and a.at < (
       select min(slow.at + make_interval(secs => slow.duration_ms / 1000.0)) from webhook_attempts slow
       where slow.tenant_id = $1 and slow.error_code = 'timed_out')`,
    [t.tenant.id],
  )
  expect(waited!.begun).toBe(Object.keys(urls).length)
  expect(there.received.some(({ path }) => path === '/secret')).toBe(false)
  expect(there.written.huge).toBeLessThan(32 * 1024 * 1024)

  // The same message in both attempts, each signed anew; the published library takes both.
  const both = there.of('/flaky')
  expect(new Set(both.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  for (const { body, headers } of both) {
    const verified = new Verifier(hooks['flaky']!.secret).verify(body, headers as Record<string, string>)
    expect(verified).toMatchObject({
      type: 'ticket.created',
      tenant: t.tenant.slug,
      data: { ticket: { status: 'en_attente' } },
    })
    // Controls: another body, another secret, another message.
    const refused =
      (text: string, secret: string, more: object = {}) =>
      () =>
        new Verifier(secret).verify(text, { ...(headers as Record<string, string>), ...more })
    expect(refused(body.replace('en_attente', 'annulé'), hooks['flaky']!.secret)).toThrow('No matching signature')
    expect(refused(body, hooks['ok']!.secret)).toThrow('No matching signature')
    expect(refused(body, hooks['flaky']!.secret, { 'webhook-id': 'evt_1_x_1' })).toThrow('No matching signature')
  }

  const [gone] = await t.deliveries(hooks['gone']!.id)
  expect(gone).toMatchObject({ status: 'failed', attempt: 1 })
  expect(await t.endpoint(hooks['gone']!.id)).toMatchObject({ is_active: false, disabled_reason: 'gone' })
  const busy = await t.endpoint(hooks['busy']!.id)
  const [rest] = await owner<{ seconds: number }>(
    'select extract(epoch from $1::timestamptz - now())::float8 as seconds',
    [busy['paused_until']],
  )
  expect(rest!.seconds).toBeGreaterThan(60)
})

test('whoever is gone is told nothing more, and the administrators are told so in their language', async () => {
  const t = await aHouse({ locale: 'fr' })
  const { id } = await t.create(there.url('/gone'))
  await t.take()
  send(t.tenant)
  await expect.poll(async () => (await t.endpoint(id))['is_active']).toBe(false)
  await t.take()
  await job('webhooks.send_notice').run(
    { runtime, tenants: async () => [t.tenant] },
    { tenant_id: t.tenant.id, webhook_id: id },
  )
  const mails = await owner<{ recipient: string; body: string }>(
    'select recipient, body from outbox_messages where key like $1',
    [`webhook-${t.tenant.id}-%`],
  )
  expect(mails).toEqual([{ recipient: `admin1@${t.tenant.slug}.example`, body: expect.stringContaining('410') }])
  expect(mails[0]!.body).toMatch(/réactivez/)
  expect(mails[0]!.body).not.toContain('/gone')
  await expect(t.run('webhooks.ping', { id })).rejects.toMatchObject({ code: 'webhook_disabled' })
  // Enabled again it hears of what happens from then on, and of the rest when asked.
  await owner('update webhooks set url = $2 where tenant_id = $1', [t.tenant.id, there.url('/back')])
  await t.run('webhooks.update', { id, is_active: true })
  const { count } = await t.run('webhooks.replay', { id, since: '2020-01-01T00:00:00Z' })
  expect(count).toBe(2)
  await expect.poll(() => there.of('/back').length).toBe(2)
})

test('addresses inside are refused, however they are written', async () => {
  const t = await aHouse()
  useWebhooks({ ...settings, allowedNetworks: ['192.0.2.7'] })
  const hosts =
    '127.0.0.1 127.1 0x7f.1 2130706433 [::1] [::] [::ffff:127.0.0.1] [::ffff:a00:1] [fe80::1] [fd00::1] 10.1.2.3 100.64.0.1 172.16.0.1 192.168.1.1 169.254.169.254 [64:ff9b::7f00:1] localhost metadata.receivers.test inside.receivers.test mixed.receivers.test mapped.receivers.test'
  const ids: number[] = []
  const max = 20
  const all = hosts.split(' ')
  for (const host of all.slice(0, max)) ids.push((await t.create(`https://${host}/`)).id)
  const u = await aHouse()
  useWebhooks({ ...settings, allowedNetworks: ['192.0.2.7'] })
  const last = await u.create(`https://${all[max]}/`)
  await t.take()
  await u.take()
  send(t.tenant, u.tenant)
  for (const id of ids)
    await expect
      .poll(async () => (await t.deliveries(id))[0]?.error_code, { message: all[ids.indexOf(id)]! })
      .toBe('address_refused')
  await expect.poll(async () => (await u.deliveries(last.id))[0]?.error_code).toBe('address_refused')
  await expect(t.create('https://93.184.215.14/')).rejects.toMatchObject({ code: 'too_many_webhooks' })
  useWebhooks({ ...settings, allowedNetworks: [] })
  for (const url of [
    'http://example.org/',
    'https://example.org:22/',
    'ftp://example.org/',
    'https://a:b@example.org/',
    'nonsense',
  ])
    await expect(u.create(url), url).rejects.toMatchObject({ code: 'invalid_input' })
})

test('a secret is changed without a message that nobody can verify', async () => {
  const t = await aHouse()
  const { id, secret: former } = await t.create(there.url('/rotated'))
  const { secret } = await t.run('webhooks.rotateSecret', { id })
  await t.run('webhooks.ping', { id })
  send(t.tenant)
  await expect.poll(() => there.of('/rotated').length).toBe(1)
  const verify = (n: number, with_: string) => () =>
    new Verifier(with_).verify(
      there.of('/rotated')[n]!.body,
      there.of('/rotated')[n]!.headers as Record<string, string>,
    )
  expect(verify(0, secret)()).toMatchObject({ type: 'webhook.pinged' })
  expect(verify(0, former)).not.toThrow()
  await t.run('webhooks.rotateSecret', { id, overlap_hours: 0 })
  await t.run('webhooks.ping', { id })
  await expect.poll(() => there.of('/rotated').length).toBe(2)
  expect(verify(1, secret)).toThrow('No matching signature')
  // The secret itself stands nowhere: not in the row, nor in what the API tells.
  expect(JSON.stringify(await t.run('webhooks.get', { id }))).not.toContain('whsec_')
})

test('a receiver that fails is tried by the schedule, left alone, and disabled after three days', async () => {
  const t = await aHouse()
  const { id } = await t.create(there.url('/down'))
  for (let i = 0; i < 8; i++) await t.take()
  send(t.tenant)
  await expect.poll(async () => Number((await t.endpoint(id))['failures'])).toBeGreaterThanOrEqual(5)
  const paused = (await t.endpoint(id))['paused_until']
  expect(paused).not.toBeNull()
  // Those that were not tried wait: a receiver that is down uses up nobody's attempts.
  expect((await t.deliveries(id)).filter(({ attempt }) => attempt === 0).length).toBeGreaterThan(0)
  await owner(
    `update webhooks set failing_since = now() - interval '73 hours', paused_until = null where tenant_id = $1 and id = $2`,
    [t.tenant.id, id],
  )
  await t.timePasses()
  await expect.poll(async () => (await t.endpoint(id))['disabled_reason']).toBe('failing')
})

test('what was sent and answered can be read, sent again alone, by event and by time', async () => {
  const t = await aHouse({ sites: 2 })
  const { id } = await t.create(there.url('/again'))
  const elsewhere = await t.create(there.url('/elsewhere'), { site_id: t.sites[1]!.id })
  await t.take()
  await t.take()
  send(t.tenant)
  await expect.poll(() => there.of('/again').length).toBe(2)
  const list = () => t.run('webhooks.deliveries', { id, status: 'delivered' })
  await expect.poll(async () => (await list()).results.length).toBe(2)
  const [delivery] = (await list()).results
  const detail = await t.run('webhook-deliveries.get', { id: delivery.id })
  expect(detail.attempts).toMatchObject([{ attempt: 1, status_code: 200, response_body: '' }])
  expect(JSON.parse(detail.attempts[0].request_body)).toMatchObject({ id: delivery.event_id, type: 'ticket.created' })
  await t.run('webhook-deliveries.redeliver', { id: delivery.id })
  await expect.poll(() => there.of('/again').length).toBe(3)
  expect(there.of('/again')[2]!.headers['webhook-id']).toBe(delivery.event_id)
  await expect.poll(async () => (await list()).results.length).toBe(2)
  expect(await t.run('events.resend', { event_id: delivery.event_id })).toEqual({ count: 1 })
  await expect.poll(() => there.of('/again').length).toBe(4)
  await expect.poll(async () => (await list()).results.length).toBe(2)
  expect(await t.run('webhooks.replay', { id, since: '2020-01-01T00:00:00Z', include_delivered: true })).toEqual({
    count: 2,
    next_since: null,
  })
  await expect.poll(() => there.of('/again').length).toBe(6)
  expect(await t.run('webhooks.replay', { id: elsewhere.id, since: '2020-01-01T00:00:00Z' })).toMatchObject({
    count: 0,
  })
  await expect(t.run('events.resend', { event_id: 'evt_1_nothing_9' })).rejects.toMatchObject({ code: 'not_found' })
  expect(there.of('/elsewhere')).toEqual([])
})
