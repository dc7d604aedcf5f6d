import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { html } from './html.ts'

interface Wanted {
  tenant?: string
  site?: string
  kind?: string
  lang?: string
  accent?: string
}

/**
 * A page as somebody else's would be, with the widget on it and nothing more: the console shows it in a frame while the line
 * for one's own page is put together. Its policy lets this one script run and ask this server, sends no form, and lets
 * only this server frame it. It is of the console's own origin, without which it could ask nothing; nothing of anybody else runs there.
 */
export function widgetPreview(app: FastifyInstance): void {
  app.get<{ Querystring: Wanted }>('/widget-preview', (request, reply) => {
    const { tenant = '', site = '', kind = 'join', lang = 'fr', accent = '' } = request.query
    const nonce = randomBytes(16).toString('base64')
    const page = html`<!doctype html>
      <html lang="${lang}">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="robots" content="noindex" />
          <title>Widget</title>
        </head>
        <body>
          <script
            nonce="${nonce}"
            src="/widget.js"
            data-tenant="${tenant}"
            data-site="${site}"
            data-kind="${kind}"
            data-lang="${lang}"
            data-accent="${accent}"
          ></script>
        </body>
      </html>`
    return reply
      .header('x-frame-options', 'SAMEORIGIN')
      .header(
        'content-security-policy',
        `default-src 'none'; script-src 'nonce-${nonce}'; connect-src 'self'; require-trusted-types-for 'script'; ` +
          `trusted-types 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`,
      )
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(page.markup)
  })
}
