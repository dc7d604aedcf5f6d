import Type, { type Static } from 'typebox'
import { invalid } from '../../kernel/errors.ts'
import { Closed, Day, Nullable } from '../../kernel/schema.ts'
import { checkHolidayCalendar, HolidayCalendar, holidayOn, OpeningReason } from './holidays.ts'

/** `24:00` ends a day. An interval whose end is not after its start ends on the next day. */
export const Minute = Type.String({
  pattern: '^(?:(?:[01]\\d|2[0-3]):[0-5]\\d|24:00)$',
  description: 'Local time, HH:MM',
})
const Intervals = Type.Array(Type.Tuple([Minute, Minute], { additionalItems: false }), { maxItems: 24 })

/** When a place is open, in its own time zone. Days are ISO: 1 is Monday. A day without an entry is closed. */
export const OpeningHours = Closed({
  weekly: Closed({
    1: Type.Optional(Intervals),
    2: Type.Optional(Intervals),
    3: Type.Optional(Intervals),
    4: Type.Optional(Intervals),
    5: Type.Optional(Intervals),
    6: Type.Optional(Intervals),
    7: Type.Optional(Intervals),
  }),
  /** A date's own intervals instead of its weekday's, with the reason people are told. */
  exceptions: Type.Optional(
    Type.Array(Closed({ date: Day, intervals: Intervals, reason: Type.Optional(OpeningReason) }), { maxItems: 1000 }),
  ),
  /** Closed from one date to another, both included, with the reason people are told. */
  closures: Type.Optional(
    Type.Array(Closed({ from: Day, to: Day, reason: Type.Optional(OpeningReason) }), { maxItems: 200 }),
  ),
  /** Closed on public holidays, unless the date has an exception. */
  holidays: Type.Optional(HolidayCalendar),
})
export type OpeningHours = Static<typeof OpeningHours>
export type OpeningException = NonNullable<OpeningHours['exceptions']>[number]
export const NullableOpeningHours = Nullable(OpeningHours)

/** Days ahead that `nextOpening` looks through: a year and a bit finds a yearly market. */
const HORIZON_DAYS = 400
/** Beyond a fortnight without a break a place does not close. */
const CONTINUOUS_DAYS = 14

interface Span {
  start: Temporal.Instant
  end: Temporal.Instant
}
const before = (a: Temporal.Instant, b: Temporal.Instant) => Temporal.Instant.compare(a, b) < 0

/** What makes the local date of `instant` unlike other days of the week; its `reason` is public. */
export function exceptionAt(
  hours: OpeningHours | null,
  timezone: string,
  instant: Temporal.Instant,
): OpeningException | undefined {
  return hours ? exceptionOn(hours, instant.toZonedDateTimeISO(timezone).toPlainDate()) : undefined
}

/** The date's own exception first, so that a place can open on a holiday or in the middle of a closure. */
function exceptionOn(hours: OpeningHours, date: Temporal.PlainDate): OpeningException | undefined {
  const key = date.toString()
  const own = hours.exceptions?.find((exception) => exception.date === key)
  if (own) return own
  const closure = hours.closures?.find(({ from, to }) => from <= key && key <= to)
  if (closure) return { date: key, intervals: [], ...(closure.reason && { reason: closure.reason }) }
  const reason = hours.holidays && holidayOn(hours.holidays, date)
  return reason && { date: key, intervals: [], reason }
}

export interface OpeningDay {
  /** Local date. */
  date: string
  spans: Span[]
  /** Why it is unlike other days of the week. */
  reason: OpeningReason | null
}
/** The intervals that begin on each local date from `from` to `to`, both included; a place without hours is open all day. */
export function openingDays(hours: OpeningHours | null, timezone: string, from: string, to: string): OpeningDay[] {
  const days: OpeningDay[] = []
  const last = Temporal.PlainDate.from(to)
  let date = Temporal.PlainDate.from(from)
  for (; Temporal.PlainDate.compare(date, last) <= 0; date = date.add({ days: 1 })) {
    const spans = hours
      ? spansOf(hours, timezone, date)
      : [{ start: instantOf(date, '00:00', timezone), end: instantOf(date, '24:00', timezone) }]
    days.push({ date: date.toString(), spans, reason: (hours && exceptionOn(hours, date)?.reason) ?? null })
  }
  return days
}

/** Is the place open at `instant`? Starts are included, ends are not; null hours are always open. */
export function isOpen(hours: OpeningHours | null, timezone: string, instant: Temporal.Instant): boolean {
  return hours === null || spanAt(hours, timezone, instant) !== undefined
}

/** First instant, from `instant` on, at which the place is open; null when there is none within 400 days. */
export function nextOpening(
  hours: OpeningHours | null,
  timezone: string,
  instant: Temporal.Instant,
): Temporal.Instant | null {
  if (isOpen(hours, timezone, instant)) return instant
  const today = instant.toZonedDateTimeISO(timezone).toPlainDate()
  for (let days = 0; days <= HORIZON_DAYS; days++) {
    const starts = spansOf(hours!, timezone, today.add({ days }))
      .map((span) => span.start)
      .filter((start) => before(instant, start))
    if (starts.length) return starts.reduce((first, start) => (before(start, first) ? start : first))
  }
  return null
}

/** When a place that is open at `instant` closes, across adjoining intervals; null when it is closed or does not close. */
export function closesAt(
  hours: OpeningHours | null,
  timezone: string,
  instant: Temporal.Instant,
): Temporal.Instant | null {
  if (hours === null) return null
  const limit = instant.add({ hours: 24 * CONTINUOUS_DAYS })
  let end: Temporal.Instant | null = null
  for (let span = spanAt(hours, timezone, instant); span; span = spanAt(hours, timezone, span.end)) {
    if (before(limit, span.end)) return null
    end = span.end
  }
  return end
}

/**
 * The same hours, open longer on the local date of `instant`: an exception for that date, whose last interval ends at
 * `until`. A day without opening opens now. @throws `invalid_input` when that is not later than it is, and than the last
 * interval ends
 */
export function extendedHours(
  hours: OpeningHours,
  timezone: string,
  instant: Temporal.Instant,
  until: string,
  reason: OpeningException['reason'],
): OpeningHours {
  const local = instant.toZonedDateTimeISO(timezone)
  const date = local.toPlainDate().toString()
  const now = local.toPlainTime().toString({ smallestUnit: 'minute' })
  const planned = exceptionOn(hours, local.toPlainDate())
  const weekday = String(local.dayOfWeek) as unknown as keyof OpeningHours['weekly']
  const intervals = (planned?.intervals ?? hours.weekly[weekday] ?? []).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const last = intervals.pop()
  const [from, to] = last ?? [now, now]
  // What ends past midnight ends tomorrow.
  const isOvernight = last !== undefined && to <= from
  if (isOvernight || until <= to || until <= now) throw invalid('/until', 'range')
  const why = reason ?? planned?.reason
  const extended: OpeningException = { date, intervals: [...intervals, [from, until]], ...(why && { reason: why }) }
  const others = (hours.exceptions ?? []).filter((exception) => exception.date !== date)
  return { ...hours, exceptions: [...others, extended] }
}

/** The interval that covers `instant` and ends last: yesterday's may reach past midnight. */
function spanAt(hours: OpeningHours, timezone: string, instant: Temporal.Instant): Span | undefined {
  const today = instant.toZonedDateTimeISO(timezone).toPlainDate()
  return [today.subtract({ days: 1 }), today]
    .flatMap((date) => spansOf(hours, timezone, date))
    .filter((span) => !before(instant, span.start) && before(instant, span.end))
    .reduce<Span | undefined>((last, span) => (last && !before(last.end, span.end) ? last : span), undefined)
}

/**
 * The intervals that begin on `date`. A local time that the clock skips means the instant an hour later, one that it
 * repeats the first of both (`compatible`, as in RFC 5545).
 */
function spansOf(hours: OpeningHours, timezone: string, date: Temporal.PlainDate): Span[] {
  const intervals =
    exceptionOn(hours, date)?.intervals ??
    hours.weekly[String(date.dayOfWeek) as unknown as keyof OpeningHours['weekly']] ??
    []
  return intervals.map(([from, to]) => ({
    start: instantOf(date, from, timezone),
    end: instantOf(to <= from ? date.add({ days: 1 }) : date, to, timezone),
  }))
}

function instantOf(date: Temporal.PlainDate, minute: string, timezone: string): Temporal.Instant {
  const [day, time] = minute === '24:00' ? [date.add({ days: 1 }), '00:00'] : [date, minute]
  return day.toPlainDateTime(time).toZonedDateTime(timezone).toInstant()
}

/** Refuses what the schema cannot: two exceptions for one date, an interval that starts at 24:00, an unknown calendar. */
export function checkOpeningHours(hours: OpeningHours | null, path = '/opening_hours'): void {
  if (hours === null) return
  const dates = hours.exceptions?.map(({ date }) => date) ?? []
  const twice = dates.findIndex((date, i) => dates.indexOf(date) !== i)
  const backward = hours.closures?.findIndex(({ from, to }) => to < from) ?? -1
  if (backward >= 0) throw invalid(`${path}/closures/${backward}/to`, 'range')
  if (hours.holidays) checkHolidayCalendar(hours.holidays, `${path}/holidays`)
  if (twice >= 0) throw invalid(`${path}/exceptions/${twice}/date`, 'duplicate')
  const all: [string, readonly (readonly [string, string])[]][] = [
    ...Object.entries(hours.weekly).map(([day, intervals]): [string, typeof intervals] => [`weekly/${day}`, intervals]),
    ...(hours.exceptions ?? []).map(({ intervals }, i): [string, typeof intervals] => [
      `exceptions/${i}/intervals`,
      intervals,
    ]),
  ]
  for (const [part, intervals] of all) {
    const bad = intervals.findIndex(([from]) => from === '24:00')
    if (bad >= 0) throw invalid(`${path}/${part}/${bad}/0`, 'range')
  }
}
