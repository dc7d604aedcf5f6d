import type { Config } from '../../../config.ts'
import { checkSending } from '../../../kernel/sending.ts'
import type { Outgoing, Provider } from './provider.ts'
import { sendgrid } from './sendgrid.ts'
import { twilio } from './twilio.ts'

export type { Outcome, Outgoing } from './provider.ts'

let configured: { texts: Provider | undefined; mails: Provider | undefined; secrets: Secrets } = {
  texts: undefined,
  mails: undefined,
  secrets: { twilioToken: undefined, sendgridKey: undefined },
}
interface Secrets {
  twilioToken: string | undefined
  /** Public key of SendGrid's signed event webhook, base64 of its DER. */
  sendgridKey: string | undefined
}

/** Gives the process what it sends with. Without keys messages land in the outbox. */
export function useProviders(
  config: Pick<Config, 'twilio' | 'sendgrid' | 'emailFrom'>,
  url: (path: string) => string,
): void {
  configured = {
    texts: config.twilio && twilio(config.twilio, url),
    mails: config.sendgrid && sendgrid({ ...config.sendgrid, from: config.emailFrom }),
    secrets: { twilioToken: config.twilio?.authToken, sendgridKey: config.sendgrid?.webhookKey },
  }
}

/** @throws AppError `sending_held` in a restored copy */
export function providerOf(channel: Outgoing['channel']): Provider | undefined {
  checkSending()
  return channel === 'email' ? configured.mails : configured.texts
}
export const webhookSecrets = (): Secrets => configured.secrets
