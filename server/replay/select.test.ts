import { expect, test } from 'vitest'
import type { QueuePlan } from './plan.ts'
import { formatInstant, selectVisits } from './select.ts'

const DAY = 86_400
/** Three active days (18000, 18001, 18003), visits at 9:00 and 10:00, two queues. */
const plan: QueuePlan[] = ['A', 'B'].map((key, q) => ({
  key,
  algorithm: 'fifo',
  staffing: [18_000, 18_001, 18_003].flatMap((day) => [
    { at_s: day * DAY + 9 * 3600, open: 2 },
    { at_s: (day + 1) * DAY, open: 0 },
  ]),
  visits: [18_000, 18_001, 18_003].flatMap((day, d) =>
    [9, 10].map((hour, h) => ({
      index: d * 4 + h * 2 + q,
      arrival_s: day * DAY + hour * 3600,
      service_s: 60,
      leaves_s: null,
      priority: 0 as const,
      trace_wait_s: 0,
    })),
  ),
}))
const indexes = (...args: Parameters<typeof selectVisits> extends [unknown, infer S] ? [S] : never) =>
  selectVisits(plan, args[0])
    .flatMap((queue) => queue.visits.map((visit) => visit.index))
    .sort((a, b) => a - b)

test('everything by default', () => {
  expect(indexes({})).toHaveLength(12)
})

test('a date, an instant, the n-th active day, a number of days, a number of tickets', () => {
  // 18001 days after 1970-01-01 is 2019-04-15.
  expect(indexes({ from: '2019-04-15', until: '2019-04-15' })).toEqual([4, 5, 6, 7])
  expect(indexes({ from: '2019-04-15T09:30' })).toEqual([6, 7, 8, 9, 10, 11])
  expect(indexes({ from: '2', until: '2' })).toEqual([4, 5, 6, 7])
  expect(indexes({ from: '2', days: 2 })).toEqual([4, 5, 6, 7, 8, 9, 10, 11])
  expect(indexes({ days: 1, tickets: 3 })).toEqual([0, 1, 2])
})

test('counters already open at the first arrival open with it; queues without a visit are left out', () => {
  const [queue] = selectVisits(plan, { from: '2019-04-15T09:30' })
  expect(queue?.staffing[0]).toEqual({ at_s: 18_001 * DAY + 10 * 3600, open: 2 })
  expect(selectVisits(plan, { tickets: 1 }).map((each) => each.key)).toEqual(['A'])
})

test('refuses an empty part, an unknown day and what is no time', () => {
  expect(() => selectVisits(plan, { from: '2030-01-01' })).toThrow(RangeError)
  expect(() => selectVisits(plan, { from: '4' })).toThrow(/3 active days/)
  expect(() => selectVisits(plan, { from: 'Tuesday' })).toThrow(RangeError)
})

test('instants read as local time', () => {
  expect(formatInstant(18_001 * DAY + 9 * 3600 + 59)).toBe('2019-04-15 09:00')
})
