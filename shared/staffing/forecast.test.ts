import { expect, test } from 'vitest'
import { forecastArrivals, SLOTS, type SlotCount } from './forecast.ts'

/** Eight weeks of weekdays: Mondays are twice as busy; `level` by week, the first week first. */
function weeks(level: (week: number) => number): SlotCount[] {
  const first = Temporal.PlainDate.from('2026-08-31')
  return Array.from({ length: 56 }, (_, n) => n).flatMap((n) => {
    if (n % 7 > 4) return []
    const base = (n % 7 === 0 ? 20 : 10) * level(Math.floor(n / 7))
    return [16, 17, 18].map((slot) => ({ day: first.add({ days: n }).toString(), slot, count: base * (slot - 15) }))
  })
}

test('a weekday repeats itself', () => {
  const forecast = forecastArrivals(
    weeks(() => 1),
    '2026-10-26',
  )
  expect(forecast).toHaveLength(SLOTS)
  expect(forecast.slice(15, 20).map((each) => Math.round(each * 1e6) / 1e6)).toEqual([0, 20, 40, 60, 0])
  expect(
    Math.round(
      forecastArrivals(
        weeks(() => 1),
        '2026-10-27',
      )[16]!,
    ),
  ).toBe(10)
})

test('a level that has risen is followed; control: the plain mean of the weekday is not', () => {
  const history = weeks((week) => (week < 7 ? 1 : 1.5))
  const forecast = forecastArrivals(history, '2026-10-26')[16]!
  expect(forecast).toBeGreaterThan(26)
  const mondays = history.filter(({ day, slot }) => slot === 16 && Temporal.PlainDate.from(day).dayOfWeek === 1)
  expect(mondays.reduce((sum, { count }) => sum + count, 0) / mondays.length).toBeLessThan(22)
})

test('nothing known is nothing expected, and the future is not looked at', () => {
  expect(forecastArrivals([], '2026-10-26').every((each) => each === 0)).toBe(true)
  const history = weeks(() => 1)
  const later = [...history, { day: '2026-10-27', slot: 16, count: 9999 }]
  expect(forecastArrivals(later, '2026-10-26')).toEqual(forecastArrivals(history, '2026-10-26'))
})

test('centuries away a weekday is still what it was', () => {
  const history = weeks(() => 1)
  const [soon, late] = ['2026-11-03', '2999-12-31'].map((day) => forecastArrivals(history, day))
  expect(late!.map((each) => Math.round(each))).toEqual(soon!.map((each) => Math.round(each)))
})
