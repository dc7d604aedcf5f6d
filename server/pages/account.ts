import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { translate } from '../kernel/i18n.ts'
import { callerLocale } from '../transports/locale.ts'
import { html, type Html, type PageOptions } from './html.ts'

/** What a link in an e-mail opens, by its path. The token is in the fragment, which only the page's script reads. */
const PAGES = {
  'reset-password': { title: 'page.choose_password', asksPassword: true, asksName: false },
  invitation: { title: 'page.invitation', asksPassword: true, asksName: true },
  'confirm-email': { title: 'page.confirm_email', asksPassword: false, asksName: false },
} as const

type Send = (reply: FastifyReply, options: PageOptions, body: Html) => FastifyReply

/**
 * The pages that links in e-mails open. Opening one changes nothing, whoever or whatever follows the link: a person
 * presses the button, and the page posts to the operation.
 */
export function accountPages(
  app: FastifyInstance,
  send: Send,
  textsOf: (request: FastifyRequest) => Record<string, string>,
): void {
  for (const [name, { title, asksPassword, asksName }] of Object.entries(PAGES)) {
    app.get(`/app/${name}`, (request, reply) => {
      const locale = callerLocale(request)
      const t = (key: string) => translate(locale, key)
      const password = html`<label id="password-field"
        >${t('page.new_password')}<input
          name="password"
          type="password"
          minlength="10"
          maxlength="200"
          autocomplete="new-password"
          required
      /></label>`
      const person = html`<label id="name-field"
        >${t('page.your_name')}<input name="name" type="text" maxlength="200" autocomplete="name" required
      /></label>`
      return send(
        reply,
        { locale, title: t(title), script: 'account', data: { locale, texts: textsOf(request), page: name } },
        html`<main>
          <h1>${t(title)}</h1>
          <p id="about" class="muted"></p>
          <p id="done" class="notice" role="status" hidden></p>
          <p id="problem" class="notice" role="alert" hidden></p>
          <form id="account" class="card">
            ${asksName && person}${asksPassword && password}
            <button class="primary" disabled>${t('page.confirm')}</button>
          </form>
          <noscript><p class="notice">${t('page.needs_script')}</p></noscript>
        </main>`,
      )
    })
  }
}
