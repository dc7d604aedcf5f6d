import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasMailServer, mailbox, type Mailbox } from '../../../test/providers/mailbox.ts'
import { pushLoopback } from '../../../test/providers/push.ts'
import { sendgridLoopback } from '../../../test/providers/sendgrid.ts'
import { twilioLoopback } from '../../../test/providers/twilio.ts'
import { useMail } from '../../kernel/mail/index.ts'
import { usePush } from '../../kernel/push/index.ts'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { jobs, operations as registry } from '../index.ts'
import { visitorOf } from '../tickets/index.ts'
import { useProviders } from './index.ts'
import { listenToAll } from './jobs.ts'
import { sendMessage } from './sending/send.ts'
import type { MessageChannel } from './vocabulary.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const [twilio, sendgrid, phone] = await Promise.all([twilioLoopback(), sendgridLoopback(), pushLoopback()])
afterAll(() => Promise.all([twilio.close(), sendgrid.close(), phone.close()]))
usePush('s'.repeat(40), { subject: 'mailto:a@example.org', allowsLoopback: true })
const FROM = 'Files d’attente <queue@example.org>'

/** Sends with Twilio, and e-mail with SendGrid or, without it, by SMTP. */
function use(smtpUrl?: string): void {
  const { accountSid, authToken, url: baseUrl } = twilio
  useMail({ smtpUrl, from: FROM })
  useProviders(
    {
      twilio: { accountSid, authToken, from: '+33700000000', whatsappFrom: '+33700000001', baseUrl },
      sendgrid:
        smtpUrl === undefined ? { apiKey: 'key', webhookKey: sendgrid.webhookKey, baseUrl: sendgrid.url } : undefined,
      emailFrom: FROM,
    },
    (path) => runtime.url(path),
  )
}

type Language = 'fr' | 'en' | 'ar'
/** What a reminder, a call and a survey say in each language, and how their links are opened. */
const SAID: Record<Language, readonly RegExp[]> = {
  fr: [
    /Rappel : rendez-vous Service 1, .*\d\d:\d\d, Site 1\. \S+\/a\//,
    /A-001 : c'est votre tour, guichet Counter 1\. Site 1 \S+\/t\//,
    /Votre avis en 10 secondes : \S+\/t\//,
  ],
  en: [
    /Reminder: Service 1, .* at \d\d:\d\d, Site 1\. \S+\/a\//,
    /A-001: it is your turn, counter Counter 1\. Site 1 \S+\/t\//,
    /Tell us in 10 seconds how it went: \S+\/t\//,
  ],
  ar: [
    /تذكير بموعدك: Service 1، .*\d\d:\d\d، Site 1\. \S+\/a\//,
    /A-001: حان دورك، الشباك Counter 1\. Site 1 \S+\/t\//,
    /شاركنا رأيك في 10 ثوان: \S+\/t\//,
  ],
}
const SUBJECTS: Record<Language, readonly RegExp[]> = {
  fr: [/^Rappel : rendez-vous .* à \d\d:\d\d$/, /^C'est votre tour : A-001$/, /^Votre avis sur votre visite$/],
  en: [/^Reminder: appointment .* at \d\d:\d\d$/, /^It is your turn: A-001$/, /^How was your visit\?$/],
  ar: [/^تذكير: موعد .*\d\d:\d\d$/, /^حان دورك: A-001$/, /^رأيك في زيارتك$/],
}

let people = 0
/** A reminder of tomorrow, a call and a survey, for one person who reads this language on this channel. */
async function visit(language: Language, channel: MessageChannel) {
  const office = await aTenant(owner, { locale: language === 'fr' ? 'en' : 'fr' })
  const run = caller(runtime, registry)(office.admin, office.tenant)
  const context = { runtime, tenants: async () => [office.tenant] }
  const queue_id = office.queues[0]!.id
  await run('booking-settings.create', { queue_id, lead_seconds: 0, reminder_minutes: [2880] })
  for (const event of ['appointment_reminder', 'called', 'survey'])
    await run('notification-rules.create', { queue_id, event, channels: [channel] })
  const address = { email: `${language}.${channel}@example.org`, number: `+3361234${1000 + ++people}` }
  const customer = { name: 'Zoé', locale: language, phone: address.number, email: address.email }
  const send = async () => {
    await listenToAll(context)
    const due = await owner<{ id: number }>(
      `select id from messages where tenant_id = $1 and status = 'queued' order by id`,
      [office.tenant.id],
    )
    for (const { id } of due) await sendMessage(runtime, office.tenant, id)
  }

  const [clock] = await owner<{ morning: string }>(
    `select to_char(now() at time zone 'utc' + interval '1 day', 'YYYY-MM-DD"T09:00:00Z"') as morning`,
  )
  const booked = await run('appointments.book', { queue_id, start_at: clock!.morning, language, customer })
  // Whoever booked after a reminder was due needs none.
  await owner(`update appointments set created_at = created_at - interval '3 days' where id = $1`, [booked.id])
  await caller(runtime, registry)(office.system, office.tenant)('appointments.sendReminders')
  await send()

  const { id, public_token } = await run('tickets.take', { queue_id, channel: 'reception', language, customer })
  if (channel === 'push') {
    const visitor = (await visitorOf(db, public_token))!
    const op = registry.find((one) => one.id === 'tickets.subscribe')!
    await runtime.execute(op, { actor: visitor, tenant: office.tenant, locale: language, input: phone.subscription })
  }
  await run('tickets.callNext', { id: office.agents[0]!.id })
  // A phone is woken by the call itself.
  if (channel === 'push')
    await jobs.find(({ name }) => name === 'tickets.push')!.run(context, { tenant_id: office.tenant.id, ticket_id: id })
  await send()
  await run('tickets.start', { id })
  await run('tickets.complete', { id })
  await send()
  return address
}

const LANGUAGES = ['fr', 'en', 'ar'] as const
describe.each(LANGUAGES)('in %s a reminder, a call and a survey arrive', (language) => {
  test.each(['sms', 'whatsapp'] as const)('by %s at Twilio', async (channel) => {
    use()
    const { number } = await visit(language, channel)
    const isWhatsapp = channel === 'whatsapp'
    const texts = twilio.texts.filter(({ to }) => to === (isWhatsapp ? `whatsapp:${number}` : number))
    expect(texts.map(({ body }) => body)).toEqual(SAID[language].map((text) => expect.stringMatching(text)))
    expect(new Set(texts.map(({ from }) => from))).toEqual(
      new Set([isWhatsapp ? 'whatsapp:+33700000001' : '+33700000000']),
    )
  })

  test('by e-mail at SendGrid', async () => {
    use()
    const { email } = await visit(language, 'email')
    const mails = sendgrid.mails.filter(({ to }) => to === email)
    expect(mails.map(({ text }) => text)).toEqual(SAID[language].map((text) => expect.stringMatching(text)))
    expect(mails.map(({ subject }) => subject)).toEqual(SUBJECTS[language].map((text) => expect.stringMatching(text)))
  })

  test('on the phone that follows the ticket: the call and the survey', async () => {
    use()
    phone.notices.length = 0
    await visit(language, 'push')
    expect(phone.notices.map(({ lang }) => lang)).toEqual([language, language])
    expect(phone.notices[0]!.body).toContain('A-001')
    expect(phone.notices[1]).toMatchObject({
      title: expect.stringMatching(SUBJECTS[language][2]!) as string,
      body: expect.stringMatching(SAID[language][2]!) as string,
    })
  })
})

if (!hasMailServer)
  process.stderr.write('seen.test.ts: python3-aiosmtpd is not installed, NO MAIL WAS READ FROM A MAILBOX\n')

describe.skipIf(!hasMailServer)('in a mailbox, by SMTP', () => {
  let box: Mailbox
  beforeAll(async () => void (box = await mailbox()))
  afterAll(() => box.close())

  test('reminder, call and survey of three people, each in their language, once', async () => {
    use(box.url)
    const people = new Map<Language, string>()
    for (const language of LANGUAGES) people.set(language, (await visit(language, 'email')).email)
    const read = box.read()
    expect(read).toHaveLength(9)
    expect(new Set(read.map(({ id }) => id)).size).toBe(9)
    for (const [language, email] of people) {
      const own = read.filter(({ to }) => to === email)
      for (const [at, text] of SAID[language].entries()) {
        const [mail, ...more] = own.filter((one) => text.test(one.text))
        expect([mail?.subject, more]).toEqual([expect.stringMatching(SUBJECTS[language][at]!), []])
        expect(mail!.from).toContain('queue@example.org')
      }
    }
  })
})
