import type { Language } from '../../../shared/format.ts'
import { setLanguage } from '../../ui/messages.ts'
import { booking } from './booking.ts'
import { el } from './dom.ts'
import { join } from './join.ts'
import { serverAt } from './server.ts'
import { status } from './status.ts'
import { recall, type Widget } from './widget.ts'
import css from './widget.css?inline'

const languageOf = (wanted: string): Language => {
  const short = wanted.slice(0, 2).toLowerCase()
  return short === 'en' || short === 'ar' ? short : 'fr'
}

/**
 * Puts the widget where its script stands, or into `data-target`. `data-tenant`, `data-site`; `data-kind`: `join` (default),
 * `booking` or `status` with `data-token`; `data-lang`; `data-accent`: a colour.
 */
export function mount(script: HTMLScriptElement): void {
  const { tenant = '', site = '', kind = 'join', token = '', lang = '', target = '', accent = '' } = script.dataset
  const language = languageOf(lang || document.documentElement.lang || navigator.language)
  setLanguage(language)
  const host = el('div', { lang: language, dir: language === 'ar' ? 'rtl' : 'ltr' })
  const place = target ? document.querySelector(target) : null
  if (place) place.append(host)
  else script.before(host)
  const root = host.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet()
  // Made by the script itself, so that a page's policy on styles has nothing to refuse.
  sheet.replaceSync(css)
  if (CSS.supports('color', accent)) sheet.insertRule(`:host { --accent: ${accent} }`, sheet.cssRules.length)
  root.adoptedStyleSheets = [sheet]
  const frame = el('section', { 'aria-live': 'polite' })
  root.append(frame)
  const widget: Widget = {
    server: serverAt(new URL(script.src).origin, tenant, site, language),
    language,
    memory: token ? '' : `smartqueue:${tenant}:${site}`,
    join: (refusal) => void join(widget, refusal),
    status: (own) => void status(widget, own),
    show: (...content) => frame.replaceChildren(...content.filter((each) => each !== false)),
  }
  const kept = token || recall(widget.memory)
  if (kind === 'booking') void booking(widget)
  else if (kept) widget.status(kept)
  else widget.join()
}
