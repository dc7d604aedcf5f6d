import { formatDate, formatDurationRange, formatTime, type Language } from '../../shared/format.ts'
import { currentLanguage, t } from './messages.ts'

/** Clock time in the site's zone, `14:05`. */
export const clockTime = (instant: string, timeZone: string, language: Language = currentLanguage()): string =>
  formatTime(instant, timeZone, language)
export const day = (instant: string, timeZone: string, language: Language = currentLanguage()): string =>
  formatDate(instant, timeZone, language)

/** An honest wait: a range, "a few minutes" below five, or the sentence that there is none. */
export function waitRange(
  lowSeconds: number | null,
  highSeconds: number | null,
  language: Language = currentLanguage(),
): string {
  if (lowSeconds === null || highSeconds === null) return t('ui.no_estimate', {}, language)
  if (highSeconds < 300) return t('ui.few_minutes', {}, language)
  return formatDurationRange(lowSeconds, highSeconds, language)
}

/** Running time of a service or a hold, `2:05` or `1:02:05`. */
export function stopwatch(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

export { ticketCode } from '../../shared/format.ts'

/** A counter that is only numbered, however its organisation spells that. */
const NUMBERED = /^(?:guichet|counter|(?:ال)?شباك)\s*(?:n°\s*)?(\d+)$/i

/** `Guichet 5` in the reader's language; a name of its own (`Bureau des passeports`) as it stands on the door. */
export function counterName(name: string | null, language: Language = currentLanguage()): string {
  const number = NUMBERED.exec(name ?? '')?.[1]
  return number === undefined ? (name ?? '') : t('ui.counter', { number }, language)
}
