import type { Config } from '../../../config.ts'
import { neverConnected, PATIENCE_MS, retryAfter, type Outcome, type Outgoing, type Provider } from './provider.ts'

/** A text is looked for among those of the last minutes before the first attempt, since clocks differ. */
const CLOCK_SLACK_MINUTES = 2

/**
 * SMS and WhatsApp by Twilio's Messages resource. Twilio knows no key that makes a repeated request harmless, so after an
 * answer that did not come its own list of messages is asked first.
 */
export function twilio(settings: NonNullable<Config['twilio']>, url: (path: string) => string): Provider {
  const { accountSid, authToken, from = '', whatsappFrom = '', baseUrl } = settings
  const resource = `${baseUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`
  const headers = { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}` }
  const to = ({ channel, address }: Outgoing) => (channel === 'whatsapp' ? `whatsapp:${address}` : address)
  const sender = ({ channel }: Outgoing) => (channel === 'whatsapp' ? `whatsapp:${whatsappFrom}` : from)

  async function send(message: Outgoing): Promise<Outcome> {
    const body = new URLSearchParams({
      To: to(message),
      [sender(message).startsWith('MG') ? 'MessagingServiceSid' : 'From']: sender(message),
      Body: message.body,
      StatusCallback: url(`/webhooks/twilio/status/${message.tenant_id}/${message.id}`),
    })
    let answer: Response
    let text: string
    try {
      answer = await fetch(resource, {
        method: 'POST',
        headers,
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      text = await answer.text()
    } catch (error) {
      return neverConnected(error) ? { state: 'busy' } : { state: 'unknown' }
    }
    if (answer.status === 429) return { state: 'busy', ...retryAfter(answer.headers) }
    if (answer.status >= 500) return { state: 'unknown' }
    const told = parse(text)
    if (answer.ok && typeof told.sid === 'string') return { state: 'sent', provider_id: told.sid }
    return answer.ok ? { state: 'unknown' } : { state: 'refused', code: String(told.code ?? answer.status) }
  }

  async function find(message: Outgoing): Promise<string[]> {
    const since = Temporal.Instant.from(message.since).subtract({ minutes: CLOCK_SLACK_MINUTES })
    const query = new URLSearchParams({
      To: to(message),
      'DateSent>': since.toString({ smallestUnit: 'second' }),
      PageSize: '50',
    })
    const answer = await fetch(`${resource}?${query.toString()}`, {
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    if (!answer.ok) throw new Error(`the provider answers ${answer.status}`)
    const { messages = [] } = parse(await answer.text())
    // Its list begins with the last.
    return messages
      .filter(({ body, direction }) => body === message.body && direction !== 'inbound')
      .map(({ sid }) => sid)
      .toReversed()
  }

  return { name: 'twilio', send, find }
}

interface Told {
  sid?: string
  code?: number
  messages?: { sid: string; body: string; direction?: string }[]
}
function parse(text: string): Told {
  try {
    return JSON.parse(text) as Told
  } catch {
    return {}
  }
}
