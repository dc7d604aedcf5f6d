import type { Tenant } from '../kernel/operation.ts'
import type { Locale } from '../kernel/schema.ts'
import { html, type Html } from './html.ts'

/** What the platform tells visitors, above their page: in their language, else in the first that it has. */
export const noticesAbove = ({ notices = [] }: Pick<Tenant, 'notices'>, locale: Locale): Html =>
  html`${notices.map(({ level, texts }) => {
    const language = ([locale, 'fr', 'en', 'ar'] as const).find((each) => texts[each]) ?? locale
    return html`<p class="platform-notice" role="status" data-level="${level}" lang="${language}" dir="auto">
      ${texts[language]}
    </p>`
  })}`
