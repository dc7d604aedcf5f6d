/** Languages of the product; every text and figure exists in each. */
export type Language = 'fr' | 'en' | 'ar'

/** Latin digits everywhere, or paper, board and voice would disagree (ar-EG would print ١٢); days before months. */
const TAGS: Record<Language, string> = { fr: 'fr-u-nu-latn', en: 'en-GB-u-nu-latn', ar: 'ar-u-nu-latn' }

/** BCP 47 tag that formats numbers and dates of a language the way every surface shows them. */
export const languageTag = (language: Language): string => TAGS[language]

/** Making an Intl formatter costs far more than using it. Their number is bounded by languages × zones × styles. */
const dateFormats = new Map<string, Intl.DateTimeFormat>()
function dateFormat(language: Language, timeZone: string, style: 'time' | 'date') {
  const key = `${language} ${timeZone} ${style}`
  let format = dateFormats.get(key)
  if (!format) {
    const options: Intl.DateTimeFormatOptions =
      style === 'time'
        ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
        : { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }
    dateFormats.set(key, (format = new Intl.DateTimeFormat(TAGS[language], { ...options, timeZone })))
  }
  return format
}

/** Clock time of an instant (RFC 3339) in a site's zone, `14:05`. Throws RangeError for an unknown zone. */
export const formatTime = (instant: string, timeZone: string, language: Language): string =>
  dateFormat(language, timeZone, 'time').format(new Date(instant))

/** Day of an instant in a site's zone: `lundi 2 mars 2026`. Throws RangeError for an unknown zone. */
export const formatDate = (instant: string, timeZone: string, language: Language): string =>
  dateFormat(language, timeZone, 'date').format(new Date(instant))

const unitFormats = new Map<string, Intl.NumberFormat>()
function unitFormat(language: Language, unit: 'hour' | 'minute') {
  const key = `${language} ${unit}`
  let format = unitFormats.get(key)
  if (!format) {
    format = new Intl.NumberFormat(TAGS[language], { style: 'unit', unit, unitDisplay: 'short' })
    unitFormats.set(key, format)
  }
  return format
}

/** Duration in whole minutes, rounded up so that nobody is promised too little: `12 min`, `1 h 5 min`. */
export function formatDuration(seconds: number, language: Language): string {
  const minutes = Math.max(0, Math.ceil(seconds / 60))
  const hours = Math.floor(minutes / 60)
  if (hours === 0) return unitFormat(language, 'minute').format(minutes)
  const rest = minutes % 60 === 0 ? [] : [unitFormat(language, 'minute').format(minutes % 60)]
  return [unitFormat(language, 'hour').format(hours), ...rest].join(' ')
}

/**
 * A wait between two durations, as a range because a single figure promises too much: `12–18 min`; from an hour on
 * both ends in full. One duration when both round to the same minute.
 */
export function formatDurationRange(lowSeconds: number, highSeconds: number, language: Language): string {
  const low = Math.max(0, Math.floor(lowSeconds / 60))
  const high = Math.max(0, Math.ceil(highSeconds / 60))
  if (low === high) return formatDuration(high * 60, language)
  if (high >= 60) return `${formatDuration(low * 60, language)} – ${formatDuration(high * 60, language)}`
  return unitFormat(language, 'minute')
    .formatToParts(high)
    .map(({ type, value }) => (type === 'integer' ? `${low}–${value}` : value))
    .join('')
}

/** A ticket's number as people read it: `A042` is shown as `A-042`. */
export const ticketCode = (number: string): string => number.replace(/^([A-Z0-9]*[A-Z])(\d+)$/, '$1-$2')
