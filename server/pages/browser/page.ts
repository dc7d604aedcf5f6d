import { formatDurationRange, formatTime, languageTag, type Language } from '../../../shared/format.ts'
import type { LiveStatus } from '../../../shared/live-client.ts'

/** What the server put into the page for its script. */
export interface PageData {
  locale: Language
  texts: Record<string, string>
}
export const data = <Data extends PageData>(): Data => JSON.parse(document.getElementById('data')!.textContent!) as Data
const { locale, texts } = data()

/** A text of the catalogue: `{name}`, and ICU plurals without nesting, as the pages' texts use them. */
export function text(key: string, params: Record<string, string | number> = {}): string {
  const message = (texts[key] ?? key).replace(
    /\{(\w+), plural, ((?:[^{}]|\{[^{}]*\})*)\}/g,
    (_, name: string, forms: string) => {
      const count = Number(params[name])
      const form = new Map([...forms.matchAll(/(=\d+|\w+) \{([^{}]*)\}/g)].map((match) => [match[1]!, match[2]!]))
      const category = new Intl.PluralRules(languageTag(locale)).select(count)
      return (form.get(`=${count}`) ?? form.get(category) ?? form.get('other') ?? '').replaceAll('#', String(count))
    },
  )
  return message.replace(/\{(\w+)(?:, number)?\}/g, (_, name: string) => String(params[name] ?? ''))
}

/** A range, or why there is none. */
export const wait = (low: number | null, high: number | null): string =>
  low === null || high === null
    ? text('page.no_estimate')
    : high < 60
      ? text('page.few_minutes')
      : formatDurationRange(low, high, locale)

export const time = (instant: string, timeZone: string): string => formatTime(instant, timeZone, locale)

export const element = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E

/** An element with text or children; text is never read as markup. */
export function make(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(tag)
  if (className) made.className = className
  made.append(...children)
  return made
}

export const liveUrl = (path: string): string => `${location.origin.replace(/^http/, 'ws')}${path}?heartbeat=5`

/** Says when the link is lost; what is shown may be old. */
export function showStatus(status: LiveStatus): void {
  element('status').hidden = status === 'live'
  element('status').textContent = text('page.reconnecting')
}
