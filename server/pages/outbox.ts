import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { formatDate, formatTime } from '../../shared/format.ts'
import type { Actor } from '../kernel/access.ts'
import { notFound } from '../kernel/errors.ts'
import { translate } from '../kernel/i18n.ts'
import { callerLocale } from '../transports/locale.ts'
import { html, type Html, type PageOptions } from './html.ts'

interface Kept {
  id: number
  channel: string
  recipient: string
  subject: string
  body: string
  created_at: string
}
export interface OutboxOptions {
  /** Whoever can reach the page may read it: on a developer's own machine only. */
  isOpen: boolean
  consoleOf(request: FastifyRequest): Promise<Actor | undefined>
  messages(): Promise<readonly Kept[]>
  send(reply: FastifyReply, options: PageOptions, body: Html): FastifyReply
}

/**
 * What would have been sent, had somebody been there to send it: texts, links and all. They open people's tickets and
 * accounts, so elsewhere than in development only the platform's operator sees them.
 */
export function outboxPage(app: FastifyInstance, { isOpen, consoleOf, messages, send }: OutboxOptions): void {
  app.get('/dev/outbox', async (request, reply) => {
    if (!isOpen && (await consoleOf(request))?.role !== 'operator') throw notFound()
    const locale = callerLocale(request)
    const t = (key: string) => translate(locale, key)
    const kept = await messages()
    const items = kept.map(
      ({ id, channel, recipient, subject, body, created_at }) =>
        html`<li class="card" id="message-${id}">
          <p class="muted">
            <bdi>${channel}</bdi> · <bdi dir="ltr">${recipient}</bdi> · ${formatDate(created_at, 'UTC', locale)},
            <bdi>${formatTime(created_at, 'UTC', locale)} UTC</bdi>
          </p>
          ${subject && html`<h2 dir="auto">${subject}</h2>`} ${withLinks(body)}
        </li>`,
    )
    return send(
      reply,
      { locale, title: t('page.outbox') },
      html`<main>
        <h1>${t('page.outbox')}</h1>
        <p class="muted">${t('page.outbox_note')}</p>
        ${
          items.length > 0
            ? html`<ul class="plain">
                ${items}
              </ul>`
            : html`<p>${t('page.empty')}</p>`
        }
      </main>`,
    )
  })
}

/** Paragraphs of a message, its addresses to be followed. */
function withLinks(body: string): Html[] {
  return body.split('\n').map((line) => {
    const parts = line.split(/(https?:\/\/\S+)/)
    return html`<p dir="auto">
      ${parts.map((part, i) => (i % 2 === 1 ? html`<a href="${part}" rel="noreferrer">${part}</a>` : part))}
    </p>`
  })
}
