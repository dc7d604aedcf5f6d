/** Half hours of a day. */
export const SLOTS = 48
/** Arrivals in one half hour of one past day. */
export interface SlotCount {
  /** ISO date, local to the site. */
  day: string
  /** 0 = 00:00 to 00:30. */
  slot: number
  count: number
}

/** A day weighs half as much as one so many days later. */
const HALF_LIFE_DAYS = 21
/** The level of the last days against the profile moves a forecast at most so far. */
const MOST_DRIFT = 2
const RECENT_DAYS = 7

const date = (day: string) => Temporal.PlainDate.from(day)

/**
 * Arrivals to expect in each half hour of a day: the profile of its weekday, recent weeks counting more, times the drift
 * of the level in the last week. Days without anybody were closed and do not count. Zeros when nothing is known.
 * @param day ISO date after the history's
 */
export function forecastArrivals(history: readonly SlotCount[], day: string): number[] {
  const past = history.filter((each) => each.day < day)
  const days = [...new Set(past.map((each) => each.day))].sort()
  if (days.length === 0) return Array.from({ length: SLOTS }, () => 0)
  const profile = (target: string) => weekdayProfile(past, days, target)
  const recent = days.filter((each) => date(each).until(date(day)).days <= RECENT_DAYS)
  const seen = sum(past.filter((each) => recent.includes(each.day)).map(({ count }) => count))
  const expected = sum(recent.flatMap(profile))
  const drift = expected > 0 ? Math.min(MOST_DRIFT, Math.max(1 / MOST_DRIFT, seen / expected)) : 1
  return profile(day).map((arrivals) => arrivals * drift)
}

function weekdayProfile(history: readonly SlotCount[], days: readonly string[], target: string): number[] {
  const weekday = date(target).dayOfWeek
  const same = days.filter((day) => date(day).dayOfWeek === weekday)
  const used = same.length ? same : days
  const ages = used.map((day) => Math.abs(date(day).until(date(target)).days))
  // Against the youngest: centuries away all of them would weigh nothing.
  const youngest = Math.min(...ages)
  const weights = new Map(used.map((day, n) => [day, 0.5 ** ((ages[n]! - youngest) / HALF_LIFE_DAYS)]))
  const total = sum([...weights.values()])
  const slots = Array.from({ length: SLOTS }, () => 0)
  for (const { day, slot, count } of history) slots[slot]! += (count * (weights.get(day) ?? 0)) / total
  return slots
}
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
