import type { AppError } from '../kernel/errors.ts'
import { translate } from '../kernel/i18n.ts'
import type { Locale } from '../kernel/schema.ts'
import { html, page } from './html.ts'

/** A refusal as people see it in a browser; programs get the problem document instead. */
export function errorPage(refusal: AppError, locale: Locale): string {
  const text =
    refusal.kind === 'not_found'
      ? translate(locale, 'page.not_found')
      : translate(locale, `errors.${refusal.code}`, refusal.params)
  return page(
    { locale, title: text },
    html`<main>
      <h1>${text}</h1>
      <p><a class="button" href="/?lang=${locale}">${translate(locale, 'page.back')}</a></p>
    </main>`,
  )
}
