import { afterAll, expect, test } from 'vitest'
import { twilioLoopback } from '../../../test/providers/twilio.ts'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations as registry } from '../index.ts'
import { useProviders } from './index.ts'
import { listenToAll } from './jobs.ts'
import { sendMessage } from './sending/send.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const twilio = await twilioLoopback()
afterAll(() => twilio.close())
const { accountSid, authToken, url: baseUrl } = twilio
useProviders(
  {
    twilio: { accountSid, authToken, from: '+33700000000', whatsappFrom: undefined, baseUrl },
    sendgrid: undefined,
    emailFrom: '',
  },
  (path) => runtime.url(path),
)

test('an appointment is confirmed, reminded of and cancelled by message, once each, and not after it was moved', async () => {
  const office = await aTenant(owner)
  const run = caller(runtime, registry)(office.admin, office.tenant)
  const program = caller(runtime, registry)(office.system, office.tenant)
  const context = { runtime, tenants: async () => [office.tenant] }
  const queue_id = office.queues[0]!.id
  await run('booking-settings.create', { queue_id, lead_seconds: 0, reminder_minutes: [2880] })
  for (const event of ['appointment_confirmed', 'appointment_reminder', 'appointment_cancelled'])
    await run('notification-rules.create', { queue_id, event, channels: ['sms'] })
  const [clock] = await owner<{ morning: string }>(
    `select to_char(now() at time zone 'utc' + interval '1 day', 'YYYY-MM-DD"T09:00:00Z"') as morning`,
  )
  const booked = await run('appointments.book', {
    queue_id,
    start_at: clock!.morning,
    language: 'en',
    customer: { name: 'Zoé', phone: '+33612340001' },
  })
  expect(booked.status).toBe('booked')
  // Whoever booked after a reminder was due needs none.
  await owner(`update appointments set created_at = created_at - interval '3 days' where id = $1`, [booked.id])
  await program('appointments.sendReminders')
  for (let i = 0; i < 2; i++) await listenToAll(context)
  const rows = () =>
    owner<{ id: number; kind: string; status: string; error_code: string | null }>(
      'select id, kind, status, error_code from messages where appointment_id = $1 order by id',
      [booked.id],
    )
  const kinds = async () => (await rows()).map(({ kind }) => kind)
  expect(await kinds()).toEqual(['appointment_confirmed', 'appointment_reminder'])
  const [confirmation, reminder] = await rows()
  await sendMessage(runtime, office.tenant, confirmation!.id)
  expect(twilio.texts).toHaveLength(1)
  expect(twilio.texts[0]!.body).toMatch(
    /^Appointment confirmed: Service 1, .*, Site 1\. https:\/\/smartqueue\.example\/a\/\S+$/,
  )
  await run('appointments.cancel', { id: booked.id })
  await listenToAll(context)
  await sendMessage(runtime, office.tenant, reminder!.id)
  for (const { id } of await rows()) await sendMessage(runtime, office.tenant, id)
  expect((await rows()).map(({ kind, status, error_code }) => [kind, status, error_code])).toEqual([
    ['appointment_confirmed', 'sent', null],
    ['appointment_reminder', 'expired', 'overtaken'],
    ['appointment_cancelled', 'sent', null],
  ])
  expect(twilio.texts.map(({ body }) => body.split(':')[0])).toEqual(['Appointment confirmed', 'Appointment cancelled'])
})
