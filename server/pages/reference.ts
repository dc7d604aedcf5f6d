import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { translate } from '../kernel/i18n.ts'
import type { Locale } from '../kernel/schema.ts'
import { CATALOGUE } from '../modules/webhooks/index.ts'
import { callerLocale } from '../transports/locale.ts'
import { html, type Html, type PageOptions } from './html.ts'

type Send = (reply: FastifyReply, options: PageOptions, body: Html) => FastifyReply

/** What programs are told, as people read it: tables that need no script. */
export function referencePages(app: FastifyInstance, send: Send, catalogue: Readonly<Record<string, string>>): void {
  const codes = (prefix: string) =>
    Object.keys(catalogue)
      .filter((key) => key.startsWith(`${prefix}.`))
      .map((key) => key.slice(prefix.length + 1))
      .toSorted()
  const shown = (request: FastifyRequest, reply: FastifyReply, title: string, rows: (locale: Locale) => Html[]) => {
    const locale = callerLocale(request)
    const name = translate(locale, title)
    return send(
      reply,
      { locale, title: name },
      html`<main>
        <h1>${name}</h1>
        <p>
          <a href="/developer/errors?lang=${locale}">${translate(locale, 'page.errors')}</a> ·
          <a href="/developer/events?lang=${locale}">${translate(locale, 'page.events')}</a> ·
          <a href="/docs/">${translate(locale, 'page.reference')}</a>
        </p>
        <dl>${rows(locale)}</dl>
      </main>`,
    )
  }
  app.get('/developer/errors', (request, reply) =>
    shown(request, reply, 'page.errors', (locale) =>
      codes('errors').map(
        (code) =>
          html`<dt id="${code}"><code dir="ltr">${code}</code></dt>
            <dd>${catalogue[`errors.${code}`]!.includes('{') ? '' : translate(locale, `errors.${code}`)}</dd>`,
      ),
    ),
  )
  app.get('/developer/events', (request, reply) =>
    shown(request, reply, 'page.events', () =>
      Object.entries(CATALOGUE).map(
        ([type, { summary, data }]) =>
          html`<dt id="${type}"><code dir="ltr">${type}</code></dt>
            <dd lang="en" dir="ltr">
              ${summary}.
              <code>${Object.keys((data as { properties?: object }).properties ?? {}).join(', ')}</code>
            </dd>`,
      ),
    ),
  )
}
