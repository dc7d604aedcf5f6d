import { createRequire } from 'node:module'
import type Holidays from 'date-holidays'
import Type, { type Static } from 'typebox'
import { invalid } from '../../kernel/errors.ts'
import { Closed, Text } from '../../kernel/schema.ts'

export const OpeningReason = Closed({
  fr: Type.Optional(Text(200)),
  en: Type.Optional(Text(200)),
  ar: Type.Optional(Text(200)),
})
export type OpeningReason = Static<typeof OpeningReason>

/** Which public holidays count: ISO 3166-1 country, and its state and region as the calendar names them (`FR`, `57`). */
export const HolidayCalendar = Closed({
  country: Type.String({ pattern: '^[A-Z]{2}$' }),
  state: Type.Optional(Type.String({ pattern: '^[A-Z0-9-]{1,10}$' })),
  region: Type.Optional(Type.String({ pattern: '^[A-Z0-9-]{1,10}$' })),
})
export type HolidayCalendar = Static<typeof HolidayCalendar>

let library: typeof Holidays | undefined
/** The library and its rules of the world take a tenth of a second and some memory: only who asks for holidays pays. */
const holidayLibrary = (): typeof Holidays =>
  (library ??= createRequire(import.meta.url)('date-holidays') as typeof Holidays)

const calendarOf = ({ country, state, region }: HolidayCalendar): Holidays =>
  new (holidayLibrary())({ country, ...(state && { state }), ...(region && { region }) })

const years = new Map<string, ReadonlyMap<string, OpeningReason>>()
const MOST_YEARS = 1000

/** Name of the public holiday on a local date, by language, or undefined on any other day. */
export function holidayOn(calendar: HolidayCalendar, date: Temporal.PlainDate): OpeningReason | undefined {
  const key = `${calendar.country}/${calendar.state ?? ''}/${calendar.region ?? ''}/${date.year}`
  let days = years.get(key)
  if (!days) {
    if (years.size >= MOST_YEARS) years.clear()
    years.set(key, (days = holidaysOf(calendar, date.year)))
  }
  return days.get(date.toString())
}

/** Dates of a year with their names. A holiday may last several days. */
function holidaysOf(calendar: HolidayCalendar, year: number): Map<string, OpeningReason> {
  const days = new Map<string, OpeningReason>()
  const source = calendarOf(calendar)
  for (const language of ['fr', 'en', 'ar'] as const) {
    // The last holiday of the year before may reach into this one.
    for (const each of [year - 1, year].flatMap((wanted) => source.getHolidays(wanted, language))) {
      if (each.type !== 'public') continue
      const first = Temporal.PlainDate.from(each.date.slice(0, 10))
      const length = Math.max(1, Math.round((each.end.getTime() - each.start.getTime()) / 86_400_000))
      for (let i = 0; i < length; i++) {
        const date = first.add({ days: i })
        if (date.year === year) days.set(date.toString(), { ...days.get(date.toString()), [language]: each.name })
      }
    }
  }
  return days
}

/** @throws AppError invalid_input for a country, state or region without a calendar */
export function checkHolidayCalendar(calendar: HolidayCalendar, path: string): void {
  const source = new (holidayLibrary())()
  const { country, state, region } = calendar
  if (!source.getCountries()[country]) throw invalid(`${path}/country`, 'not_found')
  if (state !== undefined && !source.getStates(country)?.[state]) throw invalid(`${path}/state`, 'not_found')
  if (region !== undefined && !(state && source.getRegions(country, state)?.[region]))
    throw invalid(`${path}/region`, 'not_found')
}
