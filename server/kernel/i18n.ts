import { IntlMessageFormat } from 'intl-messageformat'
import ar from '../../shared/locales/ar.json' with { type: 'json' }
import en from '../../shared/locales/en.json' with { type: 'json' }
import fr from '../../shared/locales/fr.json' with { type: 'json' }
import { languageTag } from '../../shared/format.ts'
import type { Locale } from './schema.ts'

const catalogues: Record<Locale, Record<string, string>> = { fr, en, ar }
const formats: Record<Locale, Map<string, IntlMessageFormat>> = { fr: new Map(), en: new Map(), ar: new Map() }

/**
 * Text of the message catalogue in the reader's language, else in the tenant's, else in French, else the key itself.
 * ICU plurals; digits are Latin in every language, so that paper, screens and messages show the same signs. A message
 * whose values are missing counts as absent: half a sentence must not reach people.
 */
export function translate(
  locale: Locale,
  key: string,
  params: Record<string, string | number> = {},
  tenantLocale: Locale = 'fr',
): string {
  for (const candidate of new Set<Locale>([locale, tenantLocale, 'fr'])) {
    const text = formatMessage(candidate, key, params)
    if (text !== undefined) return text
  }
  return key
}

function formatMessage(locale: Locale, key: string, params: Record<string, string | number>): string | undefined {
  const message = Object.hasOwn(catalogues[locale], key) ? catalogues[locale][key] : undefined
  if (message === undefined || !message.includes('{')) return message
  let format = formats[locale].get(key)
  if (!format)
    formats[locale].set(
      key,
      (format = new IntlMessageFormat(message, languageTag(locale), undefined, { ignoreTag: true })),
    )
  try {
    return String(format.format(params))
  } catch {
    return undefined
  }
}

/** The best language we speak for an Accept-Language header (RFC 9110 §12.5.4); region and script are ignored. */
export function negotiateLocale(acceptLanguage: string | undefined, fallback: Locale): Locale {
  let best: Locale = fallback
  let bestQuality = 0
  for (const range of (acceptLanguage ?? '').split(',')) {
    const [tag = '', ...options] = range.trim().toLowerCase().split(';')
    const locale = tag.split('-')[0]!.trim()
    const weight = options.find((option) => option.trim().startsWith('q='))
    const quality = weight === undefined ? 1 : Number(weight.trim().slice(2))
    if (quality > bestQuality && isLocale(locale)) {
      best = locale
      bestQuality = quality
    }
  }
  return best
}

const isLocale = (text: string): text is Locale => Object.hasOwn(catalogues, text)
