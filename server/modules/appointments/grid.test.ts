import fc from 'fast-check'
import { expect, test } from 'vitest'
import { freeResource, placesAt, startsIn, withOverbooking, type Booking, type Taken } from './grid.ts'

const MINUTE = 60_000
const booking = (changes: Partial<Booking> = {}): Booking => ({
  queue_id: 1,
  duration_seconds: 900,
  buffer_before_seconds: 0,
  buffer_after_seconds: 0,
  interval_seconds: null,
  resource: 'none',
  capacity: 1,
  overbooking_percent: 0,
  resources: [],
  ...changes,
})
const at = (...minutes: number[]) => minutes.map((minute) => minute * MINUTE)

test('slots fill an interval and none reaches beyond its end', () => {
  const spans = [{ from: 0, until: 50 * MINUTE }]
  expect(startsIn(spans, booking())).toEqual(at(0, 15, 30))
  expect(startsIn(spans, booking({ interval_seconds: 600 }))).toEqual(at(0, 10, 20, 30))
  expect(startsIn(spans, booking({ buffer_before_seconds: 300, buffer_after_seconds: 300 }))).toEqual(at(0, 25))
})

test('buffers keep neighbours free, and what only touches does not overlap', () => {
  const starts = at(0, 15, 30, 45)
  const taken: Taken[] = [[15 * MINUTE, 35 * MINUTE, 1, 1, null, null]]
  expect(placesAt(starts, booking(), taken)).toEqual([1, 0, 0, 1])
  expect(placesAt(starts, booking({ buffer_after_seconds: 300 }), taken)).toEqual([0, 0, 0, 1])
  expect(placesAt(starts, booking(), [[0, 900_000, 2, 1, null, null]])).toEqual([1, 1, 1, 1])
})

test('a counter that is busy twice within a slot is one counter; other queues occupy it too', () => {
  const counters = booking({ resource: 'counters', resources: [7, 8], duration_seconds: 1800 })
  const taken: Taken[] = [
    [0, 10 * MINUTE, 1, 1, 7, null],
    [10 * MINUTE, 20 * MINUTE, 9, 1, 7, null],
  ]
  expect(placesAt([0], counters, taken)).toEqual([1])
  expect(freeResource(0, counters, taken)).toBe(8)
  expect(freeResource(0, counters, [...taken, [0, MINUTE, 1, 1, 8, null]])).toBeNull()
})

test('overbooking adds whole places', () => {
  expect([withOverbooking(10, 15), withOverbooking(3, 30), withOverbooking(1, 100)]).toEqual([11, 3, 2])
})

test('the places are those that counting each slot by itself gives', () => {
  const appointment = fc
    .tuple(
      fc.nat(600),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(1, 2),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(null, 7, 8, 9),
    )
    .map(([from, length, queue, size, counter]): Taken => [
      from * MINUTE,
      (from + length) * MINUTE,
      queue,
      size,
      counter,
      null,
    ])
  fc.assert(
    fc.property(fc.array(appointment, { maxLength: 30 }), fc.constantFrom('none', 'counters'), (unsorted, resource) => {
      const taken = unsorted.toSorted((a, b) => a[0] - b[0])
      const wanted = booking({ resource, resources: [7, 8], capacity: 6, buffer_before_seconds: 300 })
      const starts = startsIn([{ from: 0, until: 660 * MINUTE }], wanted)
      const naive = starts.map((start) => {
        const near = taken.filter(([from, until]) => from < start + 15 * MINUTE && start - 5 * MINUTE < until)
        if (resource === 'none')
          return Math.max(0, 6 - near.filter((each) => each[2] === 1).reduce((sum, each) => sum + each[3], 0))
        const busy = new Set(near.map((each) => each[4]).filter((id) => id === 7 || id === 8))
        const unbound = near.filter((each) => each[2] === 1 && each[4] === null).length
        return Math.max(0, 2 - busy.size - unbound)
      })
      expect(placesAt(starts, wanted, taken)).toEqual(naive)
    }),
    { numRuns: 200 },
  )
})
