import { translate } from '../kernel/i18n.ts'
import type { Locale } from '../kernel/schema.ts'

/** Markup that is safe to send as it is. */
export class Html {
  readonly markup: string
  constructor(markup: string) {
    this.markup = markup
  }
}
type Value = Html | string | number | false | null | undefined | readonly Value[]

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
function markupOf(value: Value): string {
  if (value instanceof Html) return value.markup
  if (Array.isArray(value)) return value.map(markupOf).join('')
  if (value === null || value === undefined || value === false) return ''
  return String(value).replace(/[&<>"']/g, (sign) => ESCAPES[sign]!)
}
/** Markup from a template; every value that is not markup itself is escaped. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(String.raw({ raw: parts }, ...values.map(markupOf)))

const LOCALES: readonly Locale[] = ['fr', 'en', 'ar']
const OWN_NAMES: Record<Locale, string> = { fr: 'Français', en: 'English', ar: 'العربية' }

export interface PageOptions {
  locale: Locale
  title: string
  /** Query of the page beside `lang`, kept when the language is changed. */
  query?: Record<string, string>
  /** Module below `/assets/pages/`. */
  script?: string
  /** What the script needs, as JSON. */
  data?: unknown
  /** Of the answer's policy: without it no script runs. */
  nonce?: string
}

/** A whole page. Nothing inline is executed: scripts and styles are files, data is a JSON block. */
export function page({ locale, title, query, script, data, nonce }: PageOptions, body: Html): string {
  const languages = LOCALES.map((each) => {
    const href = `?${new URLSearchParams({ ...query, lang: each }).toString()}`
    return html`<a href="${href}" lang="${each}" hreflang="${each}" ${each === locale && html`aria-current="true"`}
      >${OWN_NAMES[each]}</a
    >`
  })
  const json = data === undefined ? '' : JSON.stringify(data).replaceAll('<', '\\u003c')
  return html`<!doctype html>
    <html lang="${locale}" dir="${locale === 'ar' ? 'rtl' : 'ltr'}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        <link rel="stylesheet" href="/assets/pages.css" />
        ${
          json &&
          html`<script type="application/json" id="data">
            ${new Html(json)}
          </script>`
        }
        ${script && html`<script type="module" nonce="${nonce}" src="/assets/pages/${script}.js"></script>`}
      </head>
      <body>
        ${body}
        <nav class="languages" aria-label="${translate(locale, 'page.choose_language')}">${languages}</nav>
      </body>
    </html> `.markup
}

/** The catalogue's page texts and ticket states in one language, for a page's script. */
export function textsOf(locale: Locale, catalogue: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(catalogue).filter(([key]) =>
    /^(page|ticket_status|agent_status|queue_status)\./.test(key),
  )
  return Object.fromEntries(entries.map(([key, text]) => [key, text || translate(locale, key)]))
}
