import fc from 'fast-check'
import { expect, test } from 'vitest'
import { algorithms, queueStatus, rankOffset, type StatusFacts } from './rules.ts'

/** An arrival between 2020 and 2080, to the microsecond, and a class. */
const ticket = fc.record({
  arrival: fc.integer({ min: 1_577_836_800_000_000, max: 3_471_292_800_000_000 }),
  priority: fc.integer({ min: 0, max: 9 }),
})
type Arrived = { arrival: number; priority: number }
const rank = (algorithm: string, { arrival, priority }: Arrived) => arrival + rankOffset({ algorithm }, { priority })

test('every algorithm gives a rank that a bigint and a JavaScript number hold exactly', () => {
  for (const algorithm of Object.keys(algorithms)) {
    fc.assert(
      fc.property(ticket, (one) => {
        expect(Number.isSafeInteger(rank(algorithm, one))).toBe(true)
        expect(rank(algorithm, one)).toBeGreaterThan(0)
      }),
    )
  }
})

test('within a class every algorithm serves by arrival', () => {
  for (const algorithm of Object.keys(algorithms)) {
    fc.assert(
      fc.property(ticket, fc.integer({ min: 1, max: 1e12 }), (one, later) => {
        expect(rank(algorithm, { ...one, arrival: one.arrival + later })).toBe(rank(algorithm, one) + later)
      }),
    )
  }
})

test('fifo looks at nothing but arrival', () => {
  fc.assert(
    fc.property(ticket, (one) => {
      expect(rank('fifo', one)).toBe(one.arrival)
    }),
  )
})

test('priority serves a higher class first, whoever came when, within three years', () => {
  const threeYears = 3 * 365 * 86_400 * 1_000_000
  fc.assert(
    fc.property(ticket, ticket, fc.integer({ min: -threeYears, max: threeYears }), (one, other, apart) => {
      fc.pre(one.priority > other.priority)
      expect(rank('priority', one)).toBeLessThan(rank('priority', { ...other, arrival: one.arrival + apart }))
    }),
  )
})

test('an algorithm that is unknown, inherited or gives no whole number is an error, not a place in the queue', () => {
  for (const algorithm of ['', 'lottery', 'constructor', '__proto__']) {
    expect(() => rankOffset({ algorithm }, { priority: 0 })).toThrow(RangeError)
  }
  algorithms['broken'] = () => 0.5
  try {
    expect(() => rankOffset({ algorithm: 'broken' }, { priority: 0 })).toThrow(RangeError)
  } finally {
    delete algorithms['broken']
  }
})

const open: StatusFacts = {
  is_active: true,
  is_open: true,
  seconds_to_close: 3600,
  max_capacity: 10,
  waiting_count: 3,
  eta_seconds: 600,
}
test.each<[string, Partial<StatusFacts>]>([
  ['open', {}],
  ['open', { max_capacity: null, waiting_count: 500 }],
  ['open', { eta_seconds: 3600 }],
  ['open', { eta_seconds: 3601, seconds_to_close: null }],
  ['open', { eta_seconds: null }],
  ['closing', { eta_seconds: 3601 }],
  ['full', { waiting_count: 10, eta_seconds: 9999 }],
  ['paused', { is_active: false, waiting_count: 10 }],
  ['closed', { is_open: false, is_active: false }],
])('a queue is %s when %o', (status, facts) => {
  expect(queueStatus({ ...open, ...facts })).toBe(status)
})
