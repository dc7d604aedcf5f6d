import type { AppointmentsBookingPage, TicketsMine, TicketsSitePage } from '../../data/operations.ts'
import type { Language } from '../../../shared/format.ts'

/** A refusal in the reader's language; `code` is empty when the server was not reached. */
export class Refused extends Error {
  readonly code: string
  constructor(code: string, title: string) {
    super(title)
    this.code = code
  }
}

/** What a stranger may ask of one site, from somebody else's page. */
export function serverAt(base: string, tenant: string, site: string, language: Language) {
  async function ask<Answer>(path: string, body?: object): Promise<Answer> {
    const headers: Record<string, string> = { accept: 'application/json', 'accept-language': language }
    if (body) Object.assign(headers, { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() })
    const answer = await fetch(`${base}/api/v1${path}`, {
      method: body ? 'POST' : 'GET',
      headers,
      credentials: 'omit',
      ...(body && { body: JSON.stringify(body) }),
    }).catch(() => {
      throw new Refused('', '')
    })
    const said: unknown = await answer.json().catch(() => ({}))
    if (answer.ok) return said as Answer
    const { code = '', title = '' } = said as { code?: string; title?: string }
    throw new Refused(code, title)
  }
  const of = encodeURIComponent
  return {
    page: `${base}/site/${of(tenant)}/${of(site)}`,
    ticketPage: (token: string) => `${base}/t/${of(token)}?lang=${language}`,
    bookingPage: (service: number) => `${base}/site/${of(tenant)}/${of(site)}/book/${service}?lang=${language}`,
    lines: () => ask<TicketsSitePage>(`/public/${of(tenant)}/sites/${of(site)}/`),
    services: () => ask<AppointmentsBookingPage>(`/public/${of(tenant)}/sites/${of(site)}/booking/`),
    take: (queueId: number) =>
      ask<{ public_token: string }>(`/public/${of(tenant)}/tickets/`, { queue_id: queueId, channel: 'web', language }),
    mine: (token: string) => ask<TicketsMine>(`/t/${of(token)}/`),
  }
}
export type Server = ReturnType<typeof serverAt>
