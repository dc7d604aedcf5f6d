import { beforeEach, expect, test } from 'vitest'
import { pushLoopback } from '../../../test/providers/push.ts'
import { usePush } from '../../kernel/push/index.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations as registry } from '../index.ts'
import { visitorOf } from '../tickets/index.ts'
import { jobs, listenToAll } from './jobs.ts'
import { forgetMessages } from './retention.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
usePush('s'.repeat(40), { subject: 'mailto:a@example.org', allowsLoopback: true })
const as = caller(runtime, registry)
let bank: TenantFixture
let run: ReturnType<typeof as>
let agent: ReturnType<typeof as>
beforeEach(async () => {
  bank = await aTenant(owner)
  run = as(bank.admin, bank.tenant)
  agent = as(bank.agentActors[0]!, bank.tenant)
})
let phones = 0
async function visit(hasPhone = true) {
  const customer = { phone: `+336${String(50_000_000 + ++phones)}`, email: `v${phones}@example.org` }
  const input = { queue_id: bank.queues[0]!.id, channel: 'reception', ...(hasPhone && { customer }) }
  const { id, public_token } = await run('tickets.take', input)
  return { id: id as number, me: as((await visitorOf(db, public_token))!, bank.tenant), customer }
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )

test('visitor and counter write to each other on the ticket’s page, and nobody else reads it', async () => {
  const { id, me } = await visit(false)
  await me('messages.write', { body: 'Où est l’ascenseur ?' })
  const answer = await agent('messages.send', { ticket_id: id, body: 'À gauche, <b>niveau 1</b>.' })
  expect(answer).toMatchObject({ channel: 'page', status: 'sent', sent_at: expect.stringMatching(/Z$/) as string })
  const said = (await me('messages.mine')).results as { direction: string; body: string }[]
  expect(said.map(({ direction, body }) => [direction, body])).toEqual([
    ['in', 'Où est l’ascenseur ?'],
    ['out', 'À gauche, <b>niveau 1</b>.'],
  ])
  expect(await agent('messages.get', { id: answer.id })).toEqual(answer)
  const stranger = await aTenant(owner)
  expect(await codeOf(as(stranger.admin, stranger.tenant)('messages.get', { id: answer.id }))).toBe('not_found')
  expect((await agent('messages.list', { ticket_id: id })).results).toMatchObject([
    { direction: 'in', kind: 'text', channel: 'page', status: 'received' },
    { direction: 'out', kind: 'chat', channel: 'page', status: 'sent' },
  ])
  expect((await (await visit()).me('messages.mine')).results).toEqual([])
  const events = await owner<{ type: string; data: object }>(
    `select type, data from events where ticket_id = $1 and type like 'message.%' order by "offset"`,
    [id],
  )
  expect(events.map(({ type }) => type)).toEqual(['message.received', 'message.sent'])
  expect(JSON.stringify(events)).not.toContain('ascenseur')
  // A visit that is over is no conversation any more, and thirty questions are enough.
  for (let i = 1; i < 30; i++) await me('messages.write', { body: `${i}` })
  expect(await codeOf(me('messages.write', { body: '31' }))).toBe('conversation_full')
  await me('tickets.leave')
  expect(await codeOf(me('messages.write', { body: 'Encore' }))).toBe('illegal_transition')
})

test('an answer on the page wakes the phone that follows the ticket, once, and not after the visit', async () => {
  const phone = await pushLoopback()
  const { id, me } = await visit(false)
  await me('tickets.subscribe', phone.subscription)
  await me('messages.write', { body: 'Où est le parking ?' })
  const { id: messageId } = await agent('messages.send', { ticket_id: id, body: 'Derrière le bâtiment.' })
  const waiting = await owner(`select 1 from graphile_worker.jobs where task_identifier = 'notifications.wake'`)
  expect(waiting).toHaveLength(1)
  const job = jobs.find(({ name }) => name === 'notifications.wake')!
  const wake = () =>
    job.run({ runtime, tenants: async () => [bank.tenant] }, { tenant_id: bank.tenant.id, message_id: messageId })
  await wake()
  expect(phone.notices).toEqual([{ title: 'Site 1: A-001', body: 'Derrière le bâtiment.', lang: 'fr' }])
  await me('tickets.leave')
  await wake()
  expect(phone.notices).toHaveLength(1)
  await phone.close()
})

test('a phone that follows the ticket is told nobody’s name: it may be a stranger’s who typed a number', async () => {
  const queue_id = bank.queues[0]!.id
  for (const channel of ['push', 'sms'])
    await run('templates.create', { event: 'survey', channel, language: 'fr', body: '{name} : votre avis ? {link}' })
  const rule = await run('notification-rules.create', { queue_id, event: 'survey', channels: ['push'] })
  const bodies: string[] = []
  for (const channel of ['push', 'sms']) {
    await run('notification-rules.update', { id: rule.id, channels: [channel] })
    const customer = { name: 'Zoé', phone: `+336${String(50_000_000 + ++phones)}` }
    const { id, public_token } = await run('tickets.take', { queue_id, channel: 'reception', language: 'fr', customer })
    const phone = await pushLoopback()
    await as((await visitorOf(db, public_token))!, bank.tenant)('tickets.subscribe', phone.subscription)
    await agent('tickets.callNext', { id: bank.agents[0]!.id })
    await agent('tickets.start', { id })
    await agent('tickets.complete', { id })
    await listenToAll({ runtime, tenants: async () => [bank.tenant] })
    const rows = await owner<{ body: string }>('select body from messages where ticket_id = $1 and channel = $2', [
      id,
      channel,
    ])
    bodies.push(...rows.map(({ body }) => body.slice(0, 6)))
    await phone.close()
  }
  // The owner of the number is.
  expect(bodies).toEqual([' : vot', 'Zoé : '])
})

test('a visitor says on which channels to be written to', async () => {
  const { id, me, customer } = await visit()
  expect(await me('messages.preferences')).toEqual({ sms: true, whatsapp: true, email: true })
  expect(await me('messages.prefer', { sms: false, whatsapp: false })).toEqual({
    sms: false,
    whatsapp: false,
    email: true,
  })
  expect(await agent('messages.send', { ticket_id: id, body: 'x' })).toMatchObject({ channel: 'email' })
  expect(await me('messages.prefer', { sms: true })).toMatchObject({ sms: true, whatsapp: false })
  // STOP is taken back by START alone.
  await owner(`insert into message_opt_outs (tenant_id, channel, address) values ($1, 'sms', $2)`, [
    bank.tenant.id,
    customer.phone,
  ])
  expect(await me('messages.prefer', { sms: true })).toMatchObject({ sms: false })
  expect(await codeOf((await visit(false)).me('messages.prefer', { sms: true }))).toBe('cannot_be_reached')
})

test('who types the number of somebody known reads and changes nothing of theirs', async () => {
  const { me: known, customer } = await visit()
  const { phone } = customer
  await known('tickets.leave')
  const person = () => owner<{ consents: object }>('select consents from customers where phone = $1', [phone])
  await owner(
    `update customers set consents = '{"sms": false}', created_at = now() - interval '1 day' where phone = $1`,
    [phone],
  )
  const input = { queue_id: bank.queues[0]!.id, channel: 'web', customer: { phone } }
  const taken = await as(bank.anonymous, bank.tenant)('tickets.take', input)
  const stranger = as((await visitorOf(db, taken.public_token as string))!, bank.tenant)
  expect(await stranger('messages.preferences')).toEqual({ sms: true, whatsapp: true, email: true })
  expect(await codeOf(stranger('messages.prefer', { sms: true }))).toBe('cannot_be_reached')
  expect(await person()).toEqual([{ consents: { sms: false } }])
  await owner(`update customers set consents = '{}', name = 'Samira Haddad' where phone = $1`, [phone])
  for (const channel of ['sms', 'page'])
    await agent('messages.send', { ticket_id: taken.id, body: `Bonjour, ${channel}`, channel })
  await owner(`update messages set status = 'sent' where ticket_id = $1`, [taken.id])
  const read = (await stranger('messages.mine')).results as { body: string }[]
  expect(read.map(({ body }) => body)).toEqual(['Bonjour, page'])
  // Whoever is new by this visit speaks for themselves.
  const fresh = { ...input, customer: { phone: `+336${String(50_000_000 + ++phones)}` } }
  const own = await as(bank.anonymous, bank.tenant)('tickets.take', fresh)
  const me = as((await visitorOf(db, own.public_token))!, bank.tenant)
  expect(await me('messages.prefer', { sms: false })).toMatchObject({ sms: false })
})

test('what visitors said of their visits is read by those who run the place, last first', async () => {
  const ids: number[] = []
  for (const [rating, comment] of [
    [5, 'Merci'],
    [2, 'Trop long'],
  ] as const) {
    const { id, me } = await visit()
    ids.push(id)
    await run('tickets.callNext', { id: bank.agents[0]!.id })
    for (const verb of ['start', 'complete']) await run(`tickets.${verb}`, { id })
    await me('tickets.rate', { rating, comment })
  }
  const { results } = await run('tickets.feedback')
  expect(results).toMatchObject([
    { ticket_id: ids[1], rating: 2, comment: 'Trop long', agent_id: bank.agents[0]!.id },
    { ticket_id: ids[0], rating: 5, comment: 'Merci' },
  ])
  expect((await run('tickets.feedback', { rating_up_to: 3 })).results).toHaveLength(1)
  expect((await run('tickets.feedback', { ticket_id: ids[0] })).results).toMatchObject([{ rating: 5 }])
  const page = await run('tickets.feedback', { limit: 1 })
  expect((await run('tickets.feedback', { limit: 1, cursor: page.next })).results).toMatchObject([
    { ticket_id: ids[0] },
  ])
  expect(await codeOf(agent('tickets.feedback'))).toBe('forbidden')
})

test('messages are forgotten after the organisation’s days, by its own midnight; what is under way and STOP stay', async () => {
  const other = await aTenant(owner)
  await owner(`update tenants set data_retention_days = 30, timezone = 'America/Sao_Paulo' where id = $1`, [
    bank.tenant.id,
  ])
  const insert = (tenantId: number, siteId: number, age: string, status = 'sent') =>
    owner(
      `insert into messages (tenant_id, direction, site_id, kind, channel, language, address, body, status, created_at)
       values ($1, 'out', $2, 'chat', 'sms', 'fr', '+33612345678', $3::text, $4,
         date_trunc('day', now() at time zone 'America/Sao_Paulo') at time zone 'America/Sao_Paulo' - ($3::text)::interval)`,
      [tenantId, siteId, age, status],
    )
  const site = bank.sites[0]!.id
  for (const age of ['30 days 1 second', '40 days', '29 days 23 hours 59 minutes', '0 days'])
    await insert(bank.tenant.id, site, age)
  await insert(bank.tenant.id, site, '31 days', 'queued')
  await insert(other.tenant.id, other.sites[0]!.id, '40 days')
  await owner(`insert into message_opt_outs (tenant_id, channel, address) values ($1, 'sms', '+33612345678')`, [
    bank.tenant.id,
  ])
  await owner(
    `insert into outbox_messages (recipient, subject, body, created_at) values ('a', '', 'old', now() - interval '8 days'), ('a', '', 'new', now())`,
  )
  const job = jobs.find(({ name }) => name === 'notifications.retention')!
  await job.run({ runtime, tenants: async () => [] }, {})
  const left = await owner<{ tenant_id: number; body: string }>(
    'select tenant_id, body from messages where body like $1 order by id',
    ['%day%'],
  )
  expect(left).toEqual([
    { tenant_id: bank.tenant.id, body: '29 days 23 hours 59 minutes' },
    { tenant_id: bank.tenant.id, body: '0 days' },
    { tenant_id: bank.tenant.id, body: '31 days' },
    { tenant_id: other.tenant.id, body: '40 days' },
  ])
  expect(await owner('select 1 from message_opt_outs where tenant_id = $1', [bank.tenant.id])).toHaveLength(1)
  expect((await owner<{ body: string }>('select body from outbox_messages')).map(({ body }) => body)).toEqual(['new'])
  expect(await forgetMessages((work) => db.tenant(bank.tenant.id, work))).toBe(0)
  // Messages may have fewer days of their own, never more than the rest.
  for (const [days, forgotten] of [
    [60, 0],
    [29, 1],
  ]) {
    await owner(`update tenants set message_retention_days = $2 where id = $1`, [bank.tenant.id, days])
    expect(await forgetMessages((work) => db.tenant(bank.tenant.id, work))).toBe(forgotten)
  }
})
