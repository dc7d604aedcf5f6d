import { languageTag } from '../../../shared/format.ts'
import { currentLanguage } from '../../ui/messages.ts'

/** Local dates, `2026-12-01`, are counted at noon UTC: no clock change can move them to another day. */
const noon = (date: string) => new Date(`${date}T12:00:00Z`)
const text = (date: string, options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(languageTag(currentLanguage()), { ...options, timeZone: 'UTC' }).format(noon(date))

/** `mardi 1 décembre` */
export const dayName = (date: string) => text(date, { weekday: 'long', day: 'numeric', month: 'long' })
/** `décembre 2026` */
export const monthName = (month: string) => text(`${month}-01`, { month: 'long', year: 'numeric' })
/** From Monday on: short for the head of a column (Arabic's short ones are whole words), long for those who hear it. */
export const weekdays = (length: 'head' | 'long') =>
  [1, 2, 3, 4, 5, 6, 7].map((day) =>
    text(`2024-01-0${day}`, { weekday: length === 'long' ? length : currentLanguage() === 'ar' ? 'narrow' : 'short' }),
  )

export function addDays(date: string, days: number): string {
  const moved = noon(date)
  moved.setUTCDate(moved.getUTCDate() + days)
  return moved.toISOString().slice(0, 10)
}
/** ISO: 1 is Monday. */
export const weekday = (date: string) => noon(date).getUTCDay() || 7
export const daysIn = (month: string) => noon(addDays(`${addMonths(month, 1)}-01`, -1)).getUTCDate()
export function addMonths(month: string, count: number): string {
  const moved = noon(`${month}-01`)
  moved.setUTCMonth(moved.getUTCMonth() + count)
  return moved.toISOString().slice(0, 7)
}
/** The same day of another month, or its last. */
export const inMonth = (date: string, month: string) =>
  `${month}-${String(Math.min(Number(date.slice(8)), daysIn(month))).padStart(2, '0')}`
