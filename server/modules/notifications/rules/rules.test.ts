import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { sendgridLoopback } from '../../../../test/providers/sendgrid.ts'
import { twilioLoopback } from '../../../../test/providers/twilio.ts'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import { operations as registry } from '../../index.ts'
import { useProviders } from '../index.ts'
import { jobs, listenToAll } from '../jobs.ts'
import { watch } from '../listen.ts'
import { sendMessage } from '../sending/send.ts'
import { afterQuietHours } from './quiet.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, registry)
const [twilio, sendgrid] = await Promise.all([twilioLoopback(), sendgridLoopback()])
afterAll(() => Promise.all([twilio.close(), sendgrid.close()]))
const { accountSid, authToken } = twilio
useProviders(
  {
    twilio: { accountSid, authToken, from: '+33700000000', whatsappFrom: '+33700000001', baseUrl: twilio.url },
    sendgrid: { apiKey: 'key', webhookKey: sendgrid.webhookKey, baseUrl: sendgrid.url },
    emailFrom: 'queue@example.org',
  },
  (path) => runtime.url(path),
)

let bank: TenantFixture
let run: ReturnType<typeof as>
let phones = 0
beforeEach(async () => {
  bank = await aTenant(owner, { queues: 2 })
  run = as(bank.admin, bank.tenant)
  twilio.texts.length = 0
  sendgrid.mails.length = 0
})
const queueId = (nth = 0) => bank.queues[nth]!.id
const rule = (event: string, more: object = {}) =>
  run('notification-rules.create', { queue_id: queueId(), event, channels: ['sms'], ...more })
/** Somebody who has waited for ten minutes. */
async function waiting(nth = 0) {
  const phone = `+336${String(40_000_000 + ++phones)}`
  const customer = { phone, email: `r${phones}@example.org`, locale: 'en' }
  const ticket = await run('tickets.take', { queue_id: queueId(nth), channel: 'reception', customer })
  await owner(`update tickets set created_at = created_at - interval '10 minutes' where id = $1`, [ticket.id])
  return { id: ticket.id as number, phone, number: ticket.number as string, customer_id: ticket.customer_id as number }
}
const context = { runtime, tenants: async () => [bank.tenant] }
/** Reads the log and sends what is due. */
async function tell() {
  await listenToAll(context)
  const due = await owner<{ id: number }>(
    `select id from messages where tenant_id = $1 and direction = 'out' and status = 'queued' order by id`,
    [bank.tenant.id],
  )
  for (const { id } of due) await sendMessage(runtime, bank.tenant, id)
}
const told = async () =>
  (
    await owner<{ kind: string; ticket_id: number; channel: string }>(
      `select kind, ticket_id, channel from messages where tenant_id = $1 and direction = 'out' order by id`,
      [bank.tenant.id],
    )
  ).map(({ kind, ticket_id, channel }) => [kind, ticket_id, channel] as const)
/** An answer, as the webhook takes it in. */
async function answer(phone: string, text: string) {
  const [about] = await owner<{ message_id: number }>('select message_id from app.conversation_of($1, $2)', [
    'sms',
    phone,
  ])
  const provider_id = `SM${Math.random().toString(36).slice(2)}`
  return (await as(bank.system, bank.tenant)('messages.receive', { id: about!.message_id, text, provider_id })).kind
}

describe('what is said, and when', () => {
  test('minutes left, as they pass without an event, once', async () => {
    await rule('minutes_left', { threshold: 10 })
    const pace = (minutes: number) =>
      owner('update queue_states set service_seconds = $2 where queue_id = $1', [queueId(), minutes * 60])
    await pace(30)
    const [first, second] = [await waiting(), await waiting()]
    await tell()
    const later = await told()
    await pace(4)
    // A process that has just come up; this one would go on with what it knows.
    const { hub } = testRuntime(db)
    for (let i = 0; i < 3; i++)
      await db.tenant(bank.tenant.id, (tx) => watch({ tx, tenant: bank.tenant, hub }, bank.sites[0]!.id))
    await tell()
    // Whoever is next may be told at once; the second only when the line got quicker, and each once.
    expect(later.filter(([, id]) => id === second.id)).toEqual([])
    expect(await told()).toEqual([
      ['minutes_left', first.id, 'sms'],
      ['minutes_left', second.id, 'sms'],
    ])
    const bodies = twilio.texts.map(({ body }) => body)
    for (const body of bodies) expect(body).toMatch(/^A-00\d: about \d+ minutes? until your turn\./)
  })

  test('a transfer, and every request for time', async () => {
    await run('notification-rules.create', { queue_id: queueId(1), event: 'transferred', channels: ['whatsapp'] })
    await rule('delayed')
    // One that is switched off says nothing.
    await rule('position', { threshold: 9, is_active: false })
    await waiting()
    const { id, phone } = await waiting()
    for (const minutes of [5, 10]) {
      await run('tickets.delay', { id, minutes })
      await tell()
    }
    await run('tickets.transfer', { id, queue_id: queueId(1) })
    await tell()
    expect(await told()).toEqual([
      ['delayed', id, 'sms'],
      ['delayed', id, 'sms'],
      ['transferred', id, 'whatsapp'],
    ])
    expect(twilio.texts.at(-1)).toMatchObject({
      to: `whatsapp:${phone}`,
      from: 'whatsapp:+33700000001',
      body: expect.stringContaining('you are now waiting for Service 2') as string,
    })
    // The log that is read again says nothing again.
    await owner('update notification_cursors set "offset" = 0 where tenant_id = $1', [bank.tenant.id])
    await tell()
    expect(await told()).toHaveLength(3)
  })

  test('“still coming?” before the call, and what each answer does', async () => {
    await rule('still_coming', { threshold: 3 })
    const people = [await waiting(), await waiting(), await waiting(), await waiting()]
    await tell()
    const [yes, late, leave] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]]
    expect((await told()).map(([kind, id]) => [kind, id])).toEqual(
      [yes, late, leave].map(({ id }) => ['still_coming', id]),
    )
    expect(twilio.texts[0]!.body).toContain('Reply YES, LATE or LEAVE')
    expect([
      await answer(yes.phone, 'Yes'),
      await answer(late.phone, 'en retard'),
      await answer(leave.phone, 'إلغاء'),
    ]).toEqual(['coming', 'late', 'cancel'])
    const act = jobs.find(({ name }) => name === 'notifications.act')!
    const answers = await owner<{ id: number }>(`select id from messages where direction = 'in' and tenant_id = $1`, [
      bank.tenant.id,
    ])
    for (const { id } of answers) await act.run(context, { tenant_id: bank.tenant.id, message_id: id })
    const tickets = await owner<{ labels: string[]; status: string; not_before: string | null }>(
      'select labels, status, not_before from tickets where tenant_id = $1 order by id',
      [bank.tenant.id],
    )
    expect(tickets.map(({ labels, status, not_before }) => [labels, status, not_before !== null])).toEqual([
      [['still_coming'], 'en_attente', false],
      [[], 'en_attente', true],
      [[], 'annulé', false],
      [[], 'en_attente', false],
    ])
  })
})

describe('who wants what', () => {
  test.each(['STOP', 'Arrêt', 'إيقاف', 'désabonner', 'توقف'])('%s ends SMS and WhatsApp, not e-mail', async (word) => {
    await rule('position', { threshold: 5, channels: ['sms', 'whatsapp', 'email'] })
    await rule('called', { channels: ['sms', 'whatsapp', 'email'] })
    const { id, phone } = await waiting()
    await tell()
    expect(await told()).toEqual([['position', id, 'sms']])
    expect(await answer(phone, word)).toBe('stop')
    await run('tickets.callNext', { id: bank.agents[0]!.id })
    await tell()
    expect((await told()).at(-1)).toEqual(['called', id, 'email'])
    expect(await answer(phone, 'start')).toBe('start')
    const [{ count } = { count: -1 }] = await owner<{ count: number }>(
      'select count(*)::int as count from message_opt_outs where address = $1',
      [phone],
    )
    expect(count).toBe(0)
  })

  test('a consent that was refused is kept for each channel, also when it is refused later', async () => {
    await rule('position', { threshold: 5, channels: ['sms', 'email'] })
    await rule('called', { channels: ['sms', 'email'] })
    const { id, customer_id } = await waiting()
    await tell()
    await run('customers.update', { id: customer_id, consents: { sms: false } })
    await run('tickets.callNext', { id: bank.agents[0]!.id })
    await tell()
    expect(await told()).toEqual([
      ['position', id, 'sms'],
      ['called', id, 'email'],
    ])
  })
})

const at = (instant: string) => Temporal.Instant.from(instant)
test.each([
  ['2026-06-01T12:00:00Z', 'Europe/Paris', '21:00', '08:00', '2026-06-01T12:00:00Z'],
  ['2026-06-01T20:00:00Z', 'Europe/Paris', '21:00', '08:00', '2026-06-02T06:00:00Z'],
  ['2026-06-01T03:00:00Z', 'Europe/Paris', '21:00', '08:00', '2026-06-01T06:00:00Z'],
  ['2026-06-01T11:30:00Z', 'Europe/Paris', '13:00', '14:00', '2026-06-01T12:00:00Z'],
  // The night of a change of clocks is an hour shorter or longer, and a time that does not exist is the next that does.
  ['2026-03-28T22:00:00Z', 'Europe/Paris', '21:00', '08:00', '2026-03-29T06:00:00Z'],
  ['2026-10-24T22:00:00Z', 'Europe/Paris', '21:00', '08:00', '2026-10-25T07:00:00Z'],
  ['2026-03-28T23:30:00Z', 'Europe/Paris', '00:00', '02:30', '2026-03-29T01:30:00Z'],
  ['2026-01-01T12:00:00Z', 'Europe/Paris', '08:00', '08:00', '2026-01-01T12:00:00Z'],
] as const)('at %s in %s with quiet hours from %s to %s it leaves at %s', (now, zone, starts, ends, leaves) =>
  expect(afterQuietHours(at(now), zone, starts, ends).toString()).toBe(leaves),
)

test('several who set the quiet hours of a site at once all succeed, and one of them has the last word', async () => {
  const site_id = bank.sites[0]!.id
  const wanted = ['20:00', '21:00', '22:00', '23:00'].map((starts) => ({ site_id, starts, ends: '08:00' }))
  await Promise.all(wanted.map((each) => run('notifications.setQuietHours', each)))
  const { starts } = await run('notifications.quietHours', { site_id })
  expect(wanted.map((each) => each.starts)).toContain(starts)
  await run('notifications.setQuietHours', { site_id, starts: null, ends: null })
  expect(await run('notifications.quietHours', { site_id })).toEqual({ starts: null, ends: null })
})
