import { generateKeyPairSync, sign } from 'node:crypto'
import { loopback, type Loopback } from './loopback.ts'

interface SentMail {
  to: string
  subject: string
  text: string
  customArgs: Record<string, string>
}
export interface SendgridLoopback extends Loopback {
  mails: SentMail[]
  /** Public key of its event webhook, as its console shows it. */
  webhookKey: string
  /** Events as it posts them: the body and the headers of its signature. */
  signed(events: readonly object[], timestamp: number): { payload: string; headers: Record<string, string> }
}
interface Posted {
  personalizations: { to: { email: string }[]; custom_args: Record<string, string> }[]
  subject: string
  content: { value: string }[]
}

/** SendGrid's v3 mail/send and its signed event webhook. */
export async function sendgridLoopback(): Promise<SendgridLoopback> {
  const mails: SentMail[] = []
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const base = await loopback({
    accept(_, body) {
      const { personalizations, subject, content } = JSON.parse(body) as Posted
      for (const { to, custom_args } of personalizations)
        mails.push({ to: to[0]!.email, subject, text: content[0]!.value, customArgs: custom_args })
      return { status: 202, headers: { 'x-message-id': `sg-${mails.length}` }, body: '' }
    },
  })
  return Object.assign(base, {
    mails,
    webhookKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    signed(events: readonly object[], timestamp: number) {
      const payload = JSON.stringify(events)
      const signature = sign('sha256', Buffer.from(`${timestamp}${payload}`), privateKey).toString('base64')
      return {
        payload,
        headers: {
          'content-type': 'application/json',
          'x-twilio-email-event-webhook-signature': signature,
          'x-twilio-email-event-webhook-timestamp': String(timestamp),
        },
      }
    },
  })
}
