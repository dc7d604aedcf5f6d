import type { FastifyInstance, FastifyReply } from 'fastify'
import { now } from '../kernel/clock.ts'
import { translate } from '../kernel/i18n.ts'
import type { Locale } from '../kernel/schema.ts'
import { callerLocale } from '../transports/locale.ts'
import { html, type Html, type PageOptions } from './html.ts'

interface Status {
  parts: readonly { part: string; health: string }[]
  notices: readonly {
    level: string
    texts: Partial<Record<Locale, string>>
    surfaces: readonly string[]
    starts_at: string
    ended_at: string | null
  }[]
}
type Send = (reply: FastifyReply, options: PageOptions, body: Html, status?: number) => FastifyReply

/** For anybody: which parts work, and what the platform says. It answers also while the database does not. */
export function statusPage(app: FastifyInstance, send: Send, read: () => Promise<Status>): void {
  app.get('/status', async (request, reply) => {
    const locale = callerLocale(request)
    const text = (key: string) => translate(locale, key)
    const known = await read().catch(() => undefined)
    const { parts, notices } = known ?? { parts: [{ part: 'requests', health: 'stopped' }], notices: [] }
    const worst = ['stopped', 'slow', 'works'].find((each) => parts.some(({ health }) => health === each))!
    const at = (instant: string) => {
      const zoned = Temporal.Instant.from(instant).toZonedDateTimeISO('UTC').toPlainDateTime()
      return html`<time datetime="${instant}" dir="ltr"
        >${zoned.toString({ smallestUnit: 'minute' }).replace('T', ' ')} UTC</time
      >`
    }
    const told = notices
      .filter(({ surfaces }) => surfaces.includes('status'))
      .map(({ level, texts, starts_at, ended_at }) => {
        const language = ([locale, 'fr', 'en', 'ar'] as const).find((each) => texts[each]) ?? locale
        return html`<li data-notice="${level}">
          <strong>${text(`page.level_${level}`)}</strong>
          <p lang="${language}" dir="auto">${texts[language]}</p>
          <p>${at(starts_at)} – ${ended_at ? at(ended_at) : text('page.notice_goes_on')}</p>
        </li>`
      })
    return send(
      reply,
      { locale, title: text('page.status') },
      html`<main data-health="${worst}">
        <h1>${text(`page.status_${worst}`)}</h1>
        <dl class="status">
          ${parts.map(
            ({ part, health }) =>
              html`<div data-part="${part}" data-health="${health}">
                <dt>${text(`page.part_${part}`)}</dt>
                <dd>${text(`page.health_${health}`)}</dd>
              </div>`,
          )}
        </dl>
        ${told.length > 0 && html`<h2>${text('page.notices')}</h2>`}
        <ul class="plain">
          ${told}
        </ul>
        <p>${at(new Date(now()).toISOString())}</p>
      </main>`,
      known ? 200 : 503,
    )
  })
}
