import { twilioSignature } from '../../server/modules/notifications/providers/signatures.ts'
import { loopback, type Loopback } from './loopback.ts'

interface Text {
  sid: string
  to: string
  from: string
  body: string
  callback: string
}
export interface TwilioLoopback extends Loopback {
  /** All that was ever accepted, in order. */
  texts: Text[]
  accountSid: string
  authToken: string
}

/** Twilio's Messages resource: create, and list by recipient. */
export async function twilioLoopback(options: { answerMs?: number } = {}): Promise<TwilioLoopback> {
  const texts: Text[] = []
  const accountSid = 'ACloopback'
  const authToken = 'loopback-token'
  const expected = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
  const base = await loopback(
    {
      read(request) {
        if (request.headers.authorization !== expected) return '{"code":20003}'
        if (request.method !== 'GET') return undefined
        const to = new URL(request.url!, 'http://localhost').searchParams.get('To')
        const messages = texts
          .filter((text) => text.to === to)
          .map(({ sid, body }) => ({ sid, body, direction: 'outbound-api' }))
          .toReversed()
        return JSON.stringify({ messages })
      },
      accept(_, body) {
        const form = new URLSearchParams(body)
        const sid = `SM${String(texts.length + 1).padStart(32, '0')}`
        texts.push({
          sid,
          to: form.get('To') ?? '',
          from: form.get('From') ?? form.get('MessagingServiceSid') ?? '',
          body: form.get('Body') ?? '',
          callback: form.get('StatusCallback') ?? '',
        })
        return { status: 201, body: JSON.stringify({ sid, status: 'queued' }) }
      },
    },
    options,
  )
  return Object.assign(base, { texts, accountSid, authToken })
}

/** A report or an answer as Twilio posts it: the form and its signature. */
export function signedForm(token: string, url: string, form: Record<string, string>) {
  return {
    payload: new URLSearchParams(form).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': twilioSignature(token, url, form),
    },
  }
}
