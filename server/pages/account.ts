import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { translate } from '../kernel/i18n.ts'
import { callerLocale } from '../transports/locale.ts'
import { html, type Html, type PageOptions } from './html.ts'

/** Where a new password is asked for, and what links in e-mails open, by path. The token is in the fragment, which only the page's script reads. */
const PAGES = {
  'forgot-password': { title: 'page.forgot_password', asks: 'email' },
  'reset-password': { title: 'page.choose_password', asks: 'password' },
  invitation: { title: 'page.invitation', asks: 'name and password' },
  'confirm-email': { title: 'page.confirm_email', asks: '' },
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
  for (const [name, { title, asks }] of Object.entries(PAGES)) {
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
      const address = html`<label
        >${t('page.your_email')}<input
          name="email"
          type="email"
          maxlength="254"
          autocomplete="username"
          dir="ltr"
          required
      /></label>`
      return send(
        reply,
        { locale, title: t(title), script: 'account', data: { locale, texts: textsOf(request), page: name } },
        html`<main>
          <h1>${t(title)}</h1>
          <p id="about" class="muted">${asks === 'email' && t('page.forgot_about')}</p>
          <p id="done" class="notice" role="status" hidden></p>
          <p id="problem" class="notice" role="alert" hidden></p>
          <form id="account" class="card">
            ${asks === 'email' && address}${asks === 'name and password' && person}${asks.includes('password') && password}
            <button class="primary" disabled>${t('page.confirm')}</button>
          </form>
          <p id="next" hidden><a class="button primary" href="/app/?lang=${locale}">${t('page.sign_in')}</a></p>
          <noscript><p class="notice">${t('page.needs_script')}</p></noscript>
        </main>`,
      )
    })
  }
}
