import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sendgridLoopback } from '../../../test/providers/sendgrid.ts'
import { twilioLoopback } from '../../../test/providers/twilio.ts'
import { systemActor } from '../../kernel/access.ts'
import { visitorOf } from '../tickets/index.ts'
import { operations as ticketOperations } from '../tickets/index.ts'
import { operations as customerOperations } from '../customers/index.ts'
import { operations as queueOperations } from '../queues/index.ts'
import { operations as staffingOperations } from '../staffing/index.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations, useProviders } from './index.ts'
import { listenToAll, recover } from './jobs.ts'
import { planNext } from './plan.ts'
import { sendMessage } from './sending/send.ts'
import { settle } from './sending/settle.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, [
  ...operations,
  ...ticketOperations,
  ...queueOperations,
  ...customerOperations,
  ...staffingOperations,
])
const twilio = await twilioLoopback()
const sendgrid = await sendgridLoopback()
afterAll(() => Promise.all([twilio.close(), sendgrid.close()]))

let bank: TenantFixture
let run: ReturnType<typeof as>
const context = { runtime, tenants: async () => [bank.tenant] }
let phones = 0

beforeEach(async () => {
  bank = await aTenant(owner, { queues: 2, agents: 1 })
  run = as(bank.admin, bank.tenant)
  const { accountSid, authToken, url: baseUrl } = twilio
  useProviders(
    {
      twilio: { accountSid, authToken, from: '+33700000000', whatsappFrom: '+33700000001', baseUrl },
      sendgrid: { apiKey: 'key', webhookKey: sendgrid.webhookKey, baseUrl: sendgrid.url },
      emailFrom: 'Queue <queue@example.org>',
    },
    runtime.url.bind(runtime),
  )
})
afterEach(() => {
  twilio.texts.length = 0
  sendgrid.mails.length = 0
  for (const provider of [twilio, sendgrid]) Object.assign(provider, { faults: [], outage: null })
})

const queueId = (i = 0) => bank.queues[i]!.id
const rule = (event: string, more: Record<string, unknown> = {}) =>
  run('notification-rules.create', { queue_id: queueId(), event, channels: ['sms'], ...more })
const take = (customer: Record<string, unknown> = {}) =>
  run('tickets.take', {
    queue_id: queueId(),
    channel: 'reception',
    customer: {
      name: 'Samira',
      phone: `+336${String(10_000_000 + ++phones)}`,
      email: `p${phones}@example.org`,
      ...customer,
    },
  })
const callNext = async () => (await run('tickets.callNext', { id: bank.agents[0]!.id })).ticket as { id: number }
const finish = async (id: number) => {
  await run('tickets.start', { id })
  await run('tickets.complete', { id })
}
interface Row {
  id: number
  ticket_id: number
  kind: string
  channel: string
  status: string
  error_code: string | null
  body: string
  language: string
  dedupe_key: string
}
const messages = () => owner<Row>('select * from messages where tenant_id = $1 order by id', [bank.tenant.id])
const age = (seconds: number) =>
  owner(
    `update messages set next_at = next_at - make_interval(secs => $2), not_after = not_after - make_interval(secs => $2),
       claimed_at = claimed_at - make_interval(secs => $2) where tenant_id = $1`,
    [bank.tenant.id, seconds],
  )
/** Sends all that is due, as the jobs would. */
async function drain() {
  const due = await owner<{ id: number }>(
    `select id from messages where tenant_id = $1 and direction = 'out' and status in ('queued', 'sending') and next_at <= clock_timestamp() order by id`,
    [bank.tenant.id],
  )
  for (const { id } of due) await sendMessage(runtime, bank.tenant, id)
}
const told = async (id: number) =>
  (
    await owner<{ type: string }>(
      `select type from events where ticket_id = $1 and type like 'message.%' order by "offset"`,
      [id],
    )
  ).map(({ type }) => type)

describe('who is told what', () => {
  test('an offer of tomorrow names the day and until when to answer, on the site’s clock', async () => {
    await rule('tomorrow_offered')
    const asked = await take({ locale: 'en' })
    const offered = await run('queues.offerTomorrow', { id: queueId(), count: 1 })
    await listenToAll(context)
    const [message, ...others] = await messages()
    expect(others).toEqual([])
    expect([message!.ticket_id, message!.kind, message!.language]).toEqual([asked.id, 'tomorrow_offered', 'en'])
    const until = Temporal.Instant.from(offered.expires_at).toZonedDateTimeISO('Europe/Paris').toPlainTime()
    expect(message!.body).toContain(`by ${until.toString({ smallestUnit: 'minute' })}`)
    expect(message!.body).toContain(String(Temporal.PlainDate.from(offered.day).day))
  })

  test('a call is told once, in the ticket’s language, however many workers listen and however often', async () => {
    await rule('called')
    await take({ locale: 'ar' })
    const { id } = await callNext()
    await Promise.all(Array.from({ length: 10 }, () => listenToAll(context)))
    await owner('update notification_cursors set "offset" = 0 where tenant_id = $1', [bank.tenant.id])
    await listenToAll(context)
    const [message, ...others] = await messages()
    expect(others).toEqual([])
    expect(message).toMatchObject({ ticket_id: id, kind: 'called', channel: 'sms', status: 'queued', language: 'ar' })
    await Promise.all([1, 2, 3].map(() => sendMessage(runtime, bank.tenant, message!.id)))
    expect(twilio.texts).toHaveLength(1)
    expect(await told(id)).toEqual(['message.sent'])
    // The text opens the ticket's page; nobody else is shown how.
    const token = /\/t\/(\S+)/.exec(twilio.texts[0]!.body)![1]!
    expect((await visitorOf(db, token))?.ticketId).toBe(id)
    const { results } = await run('messages.list', { ticket_id: id })
    expect(results).toMatchObject([{ kind: 'called', status: 'sent' }])
    expect(JSON.stringify(results)).not.toContain(token)
    // Control: without the key of what was said, reading the log again says it again.
    await owner('update messages set dedupe_key = null where tenant_id = $1', [bank.tenant.id])
    await owner('update notification_cursors set "offset" = 0 where tenant_id = $1', [bank.tenant.id])
    await listenToAll(context)
    expect(await messages()).toHaveLength(2)
  })

  test('what happened before the first rule is nobody’s news', async () => {
    await take()
    await callNext()
    await rule('called')
    await listenToAll(context)
    expect(await messages()).toEqual([])
  })

  test('places in the line, once each, not to newcomers; missed, transferred and survey', async () => {
    await rule('position', { threshold: 2 })
    for (const event of ['missed', 'survey']) await rule(event)
    await run('notification-rules.create', { queue_id: queueId(1), event: 'transferred', channels: ['sms'] })
    const ids: number[] = []
    for (let i = 0; i < 4; i++) ids.push((await take()).id as number)
    await listenToAll(context)
    expect(await messages()).toEqual([])
    await owner(`update tickets set created_at = created_at - interval '5 minutes' where tenant_id = $1`, [
      bank.tenant.id,
    ])
    const first = await callNext()
    await listenToAll(context)
    await run('tickets.noShow', { id: first.id })
    await listenToAll(context)
    const kinds = async () => (await messages()).map(({ ticket_id, kind }) => [ids.indexOf(ticket_id), kind])
    expect(await kinds()).toEqual([
      [1, 'position'],
      [2, 'position'],
      [0, 'missed'],
    ])
    const second = await callNext()
    await finish(second.id)
    await run('tickets.transfer', { id: ids[3], queue_id: queueId(1) })
    await listenToAll(context)
    expect((await kinds()).slice(3)).toEqual([
      [1, 'survey'],
      [3, 'transferred'],
    ])
  })

  test('consents, words that mean stop, and no address', async () => {
    await rule('called', { channels: ['sms', 'email'] })
    const customer = await run('customers.create', {
      phone: '+33655000001',
      email: 'no@example.org',
      consents: { sms: false },
    })
    await run('tickets.take', { queue_id: queueId(), channel: 'reception', customer_id: customer.id })
    await callNext()
    await listenToAll(context)
    expect((await messages()).map(({ channel }) => channel)).toEqual(['email'])
  })

  test('what can wait is held until the morning of the site; a call is not', async () => {
    const [site] = bank.sites
    const [{ now } = { now: '' }] = await owner<{ now: string }>(
      `select to_char(now() at time zone 'Europe/Paris', 'HH24:MI') as now`,
    )
    const around = (minutes: number) =>
      Temporal.PlainTime.from(now).add({ minutes }).toString({ smallestUnit: 'minute' })
    await run('notifications.setQuietHours', { site_id: site!.id, starts: around(-60), ends: around(120) })
    await rule('called')
    await rule('survey')
    await take()
    const { id } = await callNext()
    await listenToAll(context)
    await finish(id)
    await listenToAll(context)
    await drain()
    const held = await messages()
    expect(held.map(({ kind, status }) => [kind, status])).toEqual([
      ['called', 'expired'],
      ['survey', 'queued'],
    ])
    await age(2 * 3600 + 60)
    await drain()
    expect((await messages())[1]!.status).toBe('sent')
  })
})

describe('providers that fail', () => {
  const called = async (more: Record<string, unknown> = {}) => {
    await rule('called', { valid_seconds: 900, ...more })
    await take()
    const { id } = await callNext()
    await listenToAll(context)
    return id
  }

  test.each(['busy', 'too_many', 'accept_reset', 'accept_500', 'slow'] as const)(
    '%s: tried again, one text at the provider',
    async (fault) => {
      const id = await called()
      twilio.faults = [fault]
      await drain()
      if (fault !== 'slow') expect((await messages())[0]!.status).toBe('queued')
      await age(60)
      await drain()
      expect(twilio.texts).toHaveLength(1)
      expect((await messages())[0]!.status).toBe('sent')
      expect(await told(id)).toEqual(['message.sent'])
    },
  )

  test('control: whoever sends again without asking sends twice', async () => {
    await called()
    twilio.faults = ['accept_reset']
    await drain()
    await owner(`update messages set error_code = 'busy' where tenant_id = $1`, [bank.tenant.id])
    await age(60)
    await drain()
    expect(twilio.texts).toHaveLength(2)
  })

  test.each(['one after the other', 'both at once'])(
    'two equal texts to one number are two, also when neither is sure (%s)',
    async (order) => {
      const { id } = await take()
      const agent = as(bank.agentActors[0]!, bank.tenant)
      for (let i = 0; i < 2; i++) await agent('messages.send', { ticket_id: id, body: 'Votre dossier est prêt.' })
      const [first, second] = (await messages()) as [Row, Row]
      // Twilio took the first, and never heard of the second; neither answer came.
      twilio.faults = ['accept_reset']
      await sendMessage(runtime, bank.tenant, first.id)
      twilio.outage = 'accept_reset'
      await sendMessage(runtime, bank.tenant, second.id)
      twilio.outage = null
      expect((await messages()).map(({ status, error_code }) => [status, error_code])).toEqual([
        ['queued', 'unknown'],
        ['queued', 'unknown'],
      ])
      expect(twilio.texts).toHaveLength(1)
      for (let round = 0; round < 3; round++) {
        await age(60)
        if (order === 'both at once')
          await Promise.allSettled([first, second].map((one) => sendMessage(runtime, bank.tenant, one.id)))
        else await drain()
      }
      expect((await messages()).map(({ status }) => status)).toEqual(['sent', 'sent'])
      expect(twilio.texts).toHaveLength(2)
      const ids = await owner<{ provider_id: string }>('select provider_id from messages where tenant_id = $1', [
        bank.tenant.id,
      ])
      expect(new Set(ids.map(({ provider_id }) => provider_id))).toEqual(new Set(twilio.texts.map(({ sid }) => sid)))
    },
  )

  test('a number that is refused: the next channel, at once', async () => {
    const id = await called({ channels: ['sms', 'email'] })
    twilio.faults = ['refuse']
    await drain()
    await drain()
    expect((await messages()).map(({ channel, status, error_code }) => [channel, status, error_code])).toEqual([
      ['sms', 'failed', '21211'],
      ['email', 'sent', null],
    ])
    expect(sendgrid.mails).toMatchObject([{ subject: expect.stringContaining('tour') }])
    expect(await told(id)).toEqual(['message.failed', 'message.sent'])
  })

  test('nothing delivered in time: the next channel, once; delivered: none', async () => {
    await called({ channels: ['sms', 'email'], escalate_after_seconds: 20 })
    await drain()
    const [{ id } = { id: 0 }] = await messages()
    const jobs = await owner(
      `select 1 from graphile_worker.jobs where task_identifier = 'notifications.escalate' and run_at > now()`,
    )
    expect(jobs).toHaveLength(1)
    for (let i = 0; i < 3; i++) await db.tenant(bank.tenant.id, (tx) => planNext(tx, bank.tenant, id))
    expect((await messages()).map(({ channel }) => channel)).toEqual(['sms', 'email'])
  })

  test('away for ten minutes, then drained: nobody hears late of a call, everybody else is told', async () => {
    await rule('called', { valid_seconds: 180 })
    await rule('survey')
    twilio.outage = 'busy'
    const served = []
    for (let i = 0; i < 10; i++) {
      await take()
      const { id } = await callNext()
      await listenToAll(context)
      await drain()
      if (i < 9) await finish(id)
      served.push(id)
      await listenToAll(context)
      await drain()
    }
    expect((await messages()).filter(({ status }) => status === 'sent')).toEqual([])
    await age(600)
    twilio.outage = null
    await drain()
    await age(600)
    await drain()
    const rows = await messages()
    expect(rows.filter(({ kind, status }) => kind === 'called' && status === 'sent')).toEqual([])
    expect(
      rows.filter(({ kind }) => kind === 'called').every(({ status }) => ['expired', 'failed'].includes(status)),
    ).toBe(true)
    expect(rows.filter(({ kind, status }) => kind === 'survey' && status === 'sent')).toHaveLength(9)
    expect(twilio.texts).toHaveLength(9)
  })

  test('a sender that died is replaced after its lease, a sender that comes back changes nothing', async () => {
    const id = await called()
    const [{ id: messageId } = { id: 0 }] = await messages()
    // It took the message, handed it over, and stopped.
    await owner(`update messages set status = 'sending', attempt = 1, claimed_at = now() where tenant_id = $1`, [
      bank.tenant.id,
    ])
    await sendMessage(runtime, bank.tenant, messageId)
    expect(twilio.texts).toHaveLength(0)
    await age(30)
    await recover(context)
    await sendMessage(runtime, bank.tenant, messageId)
    expect(twilio.texts).toHaveLength(1)
    const late = { id: messageId, attempt: 1, state: 'failed', error_code: 'zombie' }
    const request = { actor: systemActor(bank.tenant.id), tenant: bank.tenant, locale: 'fr' as const, input: late }
    expect((await runtime.execute(settle, request)).output).toEqual({ changed: false })
    expect(await told(id)).toEqual(['message.sent'])
  })
})

test('the counter writes, the wall stands, and who may not be written to is not', async () => {
  const { id } = await take()
  const agent = as(bank.agentActors[0]!, bank.tenant)
  const sent = await agent('messages.send', { ticket_id: id, body: 'Votre dossier est prêt.' })
  expect(sent).toMatchObject({ kind: 'chat', channel: 'sms', status: 'queued' })
  await drain()
  expect(twilio.texts[0]!.body).toBe('Votre dossier est prêt.')
  const other = await aTenant(owner)
  const stranger = as(other.admin, other.tenant)
  await expect(stranger('messages.list', { ticket_id: id })).rejects.toMatchObject({ code: 'not_found' })
  await expect(stranger('messages.send', { ticket_id: id, body: 'x' })).rejects.toMatchObject({ code: 'not_found' })
  const nobody = await run('tickets.take', { queue_id: queueId(), channel: 'reception' })
  await expect(agent('messages.send', { ticket_id: nobody.id, body: 'x' })).rejects.toMatchObject({
    code: 'cannot_be_reached',
  })
})

test('what was written goes with the ticket, also at a site without rules', async () => {
  const { id, public_token } = await take()
  await as(bank.agentActors[0]!, bank.tenant)('messages.send', { ticket_id: id, body: 'Votre dossier est prêt.' })
  await callNext()
  await finish(id)
  expect(await messages()).not.toEqual([])
  const visitor = (await visitorOf(db, public_token))!
  await as(visitor, bank.tenant)('tickets.erase', {})
  await listenToAll(context)
  expect((await messages()).filter(({ ticket_id }) => ticket_id === id)).toEqual([])
})
