import { systemActor } from '../../../kernel/access.ts'
import { now } from '../../../kernel/clock.ts'
import { AppError } from '../../../kernel/errors.ts'
import type { Runtime } from '../../../kernel/execute.ts'
import type { Tenant } from '../../../kernel/operation.ts'
import { webhookSecrets } from '../providers/index.ts'
import { isFromSendgrid, isFromTwilio } from '../providers/signatures.ts'
import { settle } from '../sending/settle.ts'
import { receive } from './receive.ts'

/** What a provider says, as it came. */
export interface Report {
  /** Path and query that it was sent to. */
  path: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Buffer
  /** Names what follows in the log. */
  requestId?: string
}
type TenantById = (id: number) => Promise<Tenant | undefined>

const TWILIO_STATES: Readonly<Record<string, 'sent' | 'delivered' | 'failed'>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
  undelivered: 'failed',
  failed: 'failed',
}
const SENDGRID_STATES: Readonly<Record<string, 'delivered' | 'failed'>> = {
  delivered: 'delivered',
  bounce: 'failed',
  dropped: 'failed',
}

const header = ({ headers }: Report, name: string) => {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}
const unsigned = () => new AppError('forbidden', 'signature_invalid')

/** Takes in what providers report; nothing is believed without their signature. */
export function reports({ runtime, tenantById }: { runtime: Runtime; tenantById: TenantById }) {
  /** The fields of a form of Twilio's. @throws AppError forbidden `signature_invalid` */
  function formOf(report: Report): Record<string, string> {
    const form = Object.fromEntries(new URLSearchParams(report.body.toString('utf8')))
    const signature = header(report, 'x-twilio-signature')
    if (!isFromTwilio(webhookSecrets().twilioToken, runtime.url(report.path), form, signature)) throw unsigned()
    return form
  }
  async function note({ requestId }: Report, tenantId: number, input: Record<string, unknown>): Promise<void> {
    const tenant = await tenantById(tenantId)
    if (!tenant) return
    await runtime.execute(settle, { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input, requestId })
  }

  return {
    async twilioStatus(report: Report, tenantId: number, messageId: number): Promise<void> {
      const { MessageStatus = '', MessageSid, ErrorCode } = formOf(report)
      const state = TWILIO_STATES[MessageStatus]
      if (!state || !Number.isSafeInteger(messageId)) return
      await note(report, tenantId, {
        id: messageId,
        state,
        ...(MessageSid && { provider_id: MessageSid }),
        ...(ErrorCode && { error_code: ErrorCode }),
      })
    },

    async twilioInbound(report: Report): Promise<void> {
      const { From = '', Body = '', MessageSid = '' } = formOf(report)
      const [channel, address] = From.startsWith('whatsapp:') ? ['whatsapp', From.slice(9)] : ['sms', From]
      const about = await runtime.db.platform((tx) =>
        tx.maybe<{ tenant_id: number; message_id: number }>(
          'select tenant_id, message_id from app.conversation_of($1, $2)',
          [channel, address],
        ),
      )
      const tenant = about && (await tenantById(about.tenant_id))
      // Nobody has written to this number: the answer belongs to no one.
      if (!tenant) return
      const input = { id: about.message_id, text: Body.slice(0, 1600).toWellFormed(), provider_id: MessageSid }
      const { requestId } = report
      await runtime.execute(receive, { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input, requestId })
    },

    async sendgridEvents(report: Report): Promise<void> {
      const given = {
        signature: header(report, 'x-twilio-email-event-webhook-signature'),
        timestamp: header(report, 'x-twilio-email-event-webhook-timestamp'),
      }
      if (!isFromSendgrid(webhookSecrets().sendgridKey, report.body, given, now() / 1000)) throw unsigned()
      const events = JSON.parse(report.body.toString('utf8')) as Record<string, unknown>[]
      for (const { event, tenant_id, message_id, reason } of events) {
        const state = SENDGRID_STATES[String(event)]
        const id = Number(message_id)
        if (!state || !Number.isSafeInteger(id) || id < 1) continue
        await note(report, Number(tenant_id), {
          id,
          state,
          ...(state === 'failed' && {
            error_code: String(reason ?? event)
              .slice(0, 100)
              .toWellFormed(),
          }),
        })
      }
    },
  }
}
