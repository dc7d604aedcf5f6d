import { afterAll, beforeAll, expect, test } from 'vitest'
import { sendgridLoopback } from '../../../../test/providers/sendgrid.ts'
import { signedForm, twilioLoopback } from '../../../../test/providers/twilio.ts'
import { startApp } from '../../../test/app.ts'
import type { TenantFixture } from '../../../test/factories.ts'
import { caller } from '../../../test/runtime.ts'
import { operations as registry } from '../../index.ts'
import { sendMessage } from '../sending/send.ts'
import { act } from './act.ts'
import { meaningOf } from './words.ts'

const twilio = await twilioLoopback()
const sendgrid = await sendgridLoopback()
const server = await startApp({
  TWILIO_ACCOUNT_SID: twilio.accountSid,
  TWILIO_AUTH_TOKEN: twilio.authToken,
  TWILIO_FROM: '+33700000000',
  TWILIO_BASE_URL: twilio.url,
  SENDGRID_API_KEY: 'key',
  SENDGRID_BASE_URL: sendgrid.url,
  SENDGRID_WEBHOOK_KEY: sendgrid.webhookKey,
})
const { app, runtime, owner, config } = server
afterAll(() => Promise.all([twilio.close(), sendgrid.close()]))

let bank: TenantFixture
let run: ReturnType<ReturnType<typeof caller>>
beforeAll(async () => {
  bank = await server.aTenant({ queues: 1, agents: 1 })
  run = caller(runtime, registry)(bank.admin, bank.tenant)
})
let phones = 0
/** A ticket whose holder was written to, and the message. */
async function written(channel: 'sms' | 'email' = 'sms') {
  const phone = `+336${String(20_000_000 + ++phones)}`
  const ticket = await run('tickets.take', {
    queue_id: bank.queues[0]!.id,
    channel: 'reception',
    customer: { phone, email: `i${phones}@example.org` },
  })
  const { id } = await run('messages.send', { ticket_id: ticket.id, body: 'Bonjour', channel })
  await sendMessage(runtime, bank.tenant, id)
  return { ticketId: ticket.id as number, messageId: id as number, phone }
}
const post = (path: string, { payload, headers }: { payload: string; headers: Record<string, string> }) =>
  app.inject({ method: 'POST', url: path, payload, headers })
const postForm = (path: string, form: Record<string, string>, token = twilio.authToken) =>
  post(path, signedForm(token, config.publicUrl + path, form))
const list = async (ticketId: number) =>
  (await run('messages.list', { ticket_id: ticketId })).results as {
    kind: string
    status: string
    error_code: string | null
  }[]
const events = async (ticketId: number) =>
  (
    await owner<{ type: string }>(
      `select type from events where ticket_id = $1 and tenant_id = $2 and type like 'message.%' order by "offset"`,
      [ticketId, bank.tenant.id],
    )
  ).map(({ type }) => type)

test('Twilio’s reports are taken once, in any order, and only with its signature', async () => {
  const { ticketId, messageId } = await written()
  const path = `/webhooks/twilio/status/${bank.tenant.id}/${messageId}`
  expect(twilio.texts.at(-1)!.callback).toBe(config.publicUrl + path)
  const delivered = { MessageSid: twilio.texts.at(-1)!.sid, MessageStatus: 'delivered' }
  const refused = await postForm(path, delivered, 'another token')
  expect([refused.statusCode, refused.json().code]).toEqual([403, 'signature_invalid'])
  expect(
    (
      await app.inject({
        method: 'POST',
        url: path,
        payload: 'MessageStatus=delivered',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
    ).statusCode,
  ).toBe(403)
  const altered = signedForm(twilio.authToken, config.publicUrl + path, delivered)
  expect((await post(path, { ...altered, payload: altered.payload.replace('delivered', 'failed') })).statusCode).toBe(
    403,
  )
  expect((await list(ticketId))[0]!.status).toBe('sent')
  for (const MessageStatus of ['delivered', 'sent', 'delivered', 'undelivered'])
    expect((await postForm(path, { ...delivered, MessageStatus })).statusCode).toBe(204)
  expect((await list(ticketId))[0]).toMatchObject({ status: 'delivered' })
  expect(await events(ticketId)).toEqual(['message.queued', 'message.sent', 'message.delivered'])
  // What became of it stands at the ticket.
  const graph = await app.inject({
    method: 'POST',
    url: '/graphql',
    headers: server.as(bank.admin),
    payload: { query: `{ ticket(id: ${ticketId}) { messages { nodes { channel status delivered_at } } } }` },
  })
  expect(graph.json().data.ticket.messages.nodes).toEqual([
    { channel: 'sms', status: 'delivered', delivered_at: expect.stringMatching(/Z$/) as string },
  ])
  // A report with the signature of another message does not move this one.
  const other = await written()
  const theirs = `/webhooks/twilio/status/${bank.tenant.id}/${other.messageId}`
  expect((await post(theirs, signedForm(twilio.authToken, config.publicUrl + path, delivered))).statusCode).toBe(403)
})

test('SendGrid’s events are taken with its signature, and not when they are old', async () => {
  const { ticketId, messageId } = await written('email')
  const { customArgs } = sendgrid.mails.at(-1)!
  expect(customArgs).toEqual({ tenant_id: String(bank.tenant.id), message_id: String(messageId) })
  const now = Math.floor(Date.now() / 1000)
  const bounced = [
    { event: 'processed', ...customArgs },
    { event: 'bounce', reason: '550 unknown user', ...customArgs },
  ]
  const old = sendgrid.signed(bounced, now - 3600)
  expect((await post('/webhooks/sendgrid', old)).statusCode).toBe(403)
  const forged = sendgrid.signed(bounced, now)
  expect((await post('/webhooks/sendgrid', { ...forged, payload: `${forged.payload} ` })).statusCode).toBe(403)
  const stranger = await sendgridLoopback()
  expect((await post('/webhooks/sendgrid', stranger.signed(bounced, now))).statusCode).toBe(403)
  await stranger.close()
  for (let i = 0; i < 2; i++)
    expect((await post('/webhooks/sendgrid', sendgrid.signed(bounced, now))).statusCode).toBe(204)
  expect((await list(ticketId))[0]).toMatchObject({ status: 'failed', error_code: '550 unknown user' })
  expect(await events(ticketId)).toEqual(['message.queued', 'message.sent', 'message.failed'])
})

test.each([
  ['STOP', 'stop'],
  ['arrêt', 'stop'],
  ['إيقاف', 'stop'],
  ['En retard !', 'late'],
  ['متأخر', 'late'],
  ['Oui.', 'coming'],
  ['J’arrive', 'coming'],
  ['نَعَم', 'coming'],
  ['ANNULER', 'cancel'],
  ['إلغاء', 'cancel'],
  ['Leave', 'cancel'],
  ['Reprendre', 'start'],
  ['please stop the noise', 'text'],
  ['', 'text'],
] as const)('%s means %s', (text, meaning) => expect(meaningOf(text)).toBe(meaning))

const answer = (phone: string, Body: string, MessageSid = `SM${Math.random().toString(36).slice(2)}`) =>
  postForm('/webhooks/twilio/inbound', { From: phone, To: '+33700000000', Body, MessageSid })
const lastAnswer = async (ticketId: number) =>
  (
    await owner<{ id: number }>(
      `select id from messages where ticket_id = $1 and direction = 'in' order by id desc limit 1`,
      [ticketId],
    )
  )[0]!.id

test('late asks for time once, however often Twilio says it; cancel leaves; the counter reads all of it', async () => {
  const { ticketId, phone } = await written()
  for (let i = 0; i < 3; i++) expect((await answer(phone, 'Retard', 'SM-late')).statusCode).toBe(200)
  const id = await lastAnswer(ticketId)
  for (let i = 0; i < 2; i++) await act(runtime, bank.tenant, id)
  const row = async () =>
    (
      await owner<{ status: string; delay_count: number; labels: string[] }>('select * from tickets where id = $1', [
        ticketId,
      ])
    )[0]!
  expect(await row()).toMatchObject({ delay_count: 1 })
  await answer(phone, 'oui')
  await act(runtime, bank.tenant, await lastAnswer(ticketId))
  expect((await row()).labels).toEqual(['still_coming'])
  await answer(phone, 'Où est le parking ?')
  await answer(phone, 'annuler')
  await act(runtime, bank.tenant, await lastAnswer(ticketId))
  expect((await row()).status).toBe('annulé')
  expect((await list(ticketId)).map(({ kind }) => kind)).toEqual(['chat', 'late', 'coming', 'text', 'cancel'])
  // What is not possible any more changes nothing.
  await answer(phone, 'retard')
  await act(runtime, bank.tenant, await lastAnswer(ticketId))
  expect(await row()).toMatchObject({ status: 'annulé', delay_count: 1 })
})

test('stop is the last message until start; a stranger’s answer belongs to nobody', async () => {
  const { ticketId, phone } = await written()
  await answer(phone, 'Arrêt')
  await expect(run('messages.send', { ticket_id: ticketId, body: 'x', channel: 'sms' })).rejects.toMatchObject({
    code: 'cannot_be_reached',
  })
  await answer(phone, 'start')
  expect((await run('messages.send', { ticket_id: ticketId, body: 'x', channel: 'sms' })).status).toBe('queued')
  const count = async () => (await owner(`select 1 from messages where direction = 'in'`)).length
  const before = await count()
  expect((await answer('+33699999999', 'STOP')).statusCode).toBe(200)
  expect(await count()).toBe(before)
  expect(
    (await postForm('/webhooks/twilio/inbound', { From: phone, Body: 'STOP', MessageSid: 'SM-x' }, 'forged'))
      .statusCode,
  ).toBe(403)
  expect(await count()).toBe(before)
})
