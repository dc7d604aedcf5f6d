import { neverConnected, PATIENCE_MS, retryAfter, type Outcome, type Outgoing, type Provider } from './provider.ts'

interface Settings {
  apiKey: string
  baseUrl: string
  /** `Name <address>` */
  from: string
}

/** E-mail by SendGrid's v3 API, as plain text. Its events name the message by `custom_args`. */
export function sendgrid({ apiKey, baseUrl, from }: Settings): Provider {
  const [, name, address] = /^(.*?)\s*<([^<>]+)>$/.exec(from) ?? [undefined, '', from]
  return {
    name: 'sendgrid',
    async send(message: Outgoing): Promise<Outcome> {
      const body = {
        personalizations: [
          {
            to: [{ email: message.address }],
            custom_args: { tenant_id: String(message.tenant_id), message_id: String(message.id) },
          },
        ],
        from: { email: address, ...(name && { name }) },
        subject: message.subject,
        content: [{ type: 'text/plain', value: message.body }],
        tracking_settings: { click_tracking: { enable: false, enable_text: false }, open_tracking: { enable: false } },
      }
      let answer: Response
      try {
        answer = await fetch(`${baseUrl}/v3/mail/send`, {
          method: 'POST',
          headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
          redirect: 'error',
          signal: AbortSignal.timeout(PATIENCE_MS),
        })
        await answer.text()
      } catch (error) {
        return neverConnected(error) ? { state: 'busy' } : { state: 'unknown' }
      }
      if (answer.ok) return { state: 'sent', provider_id: answer.headers.get('x-message-id') ?? '' }
      // Its failures are told before anything is accepted.
      if (answer.status === 429 || answer.status >= 500) return { state: 'busy', ...retryAfter(answer.headers) }
      return { state: 'refused', code: String(answer.status) }
    },
  }
}
