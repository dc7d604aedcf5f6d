import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Algorithm, AlgorithmSettings } from './algorithm.ts'
import { algorithms, rankInTurn, rankOf, registerAlgorithms, type RankingConfig } from './ranking.ts'
import * as plugin from './test/sample-plugin.ts'

interface Person {
  id: number
  arrived_at: number
  priority: number
  channel: string
  appointment_at: number | null
}
const SECOND = 1e6
const START = 1_790_000_000 * SECOND
const MINUTE = 60 * SECOND

/** A morning of up to 60 people, in the order of arrival. */
const morning = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 5 * MINUTE }),
      priority: fc.integer({ min: 0, max: 9 }),
      channel: fc.constantFrom('kiosk', 'web'),
      booked: fc.option(fc.integer({ min: -60 * MINUTE, max: 60 * MINUTE })),
    }),
    { minLength: 2, maxLength: 60, size: 'max' },
  )
  .map((people) => {
    let at = START
    return people.map(({ gap, booked, ...one }, i): Person => {
      at += gap
      return { id: i + 1, arrived_at: at, ...one, appointment_at: booked === null ? null : at + booked }
    })
  })

const config = (algorithm: string, algorithm_settings: AlgorithmSettings = {}): RankingConfig => ({
  algorithm,
  algorithm_settings,
})

interface Served extends Person {
  rank: number
  called_at: number
}
type Next = (waiting: readonly Served[], now: number) => number
const byRank: Next = (waiting) =>
  waiting.reduce(
    (best, one, i) =>
      one.rank < waiting[best]!.rank || (one.rank === waiting[best]!.rank && one.id < waiting[best]!.id) ? i : best,
    0,
  )

/** One counter, each service equally long: whoever is free calls the first by (rank, id). */
function serve(
  ranking: RankingConfig,
  people: readonly Person[],
  serviceSeconds: number,
  next: Next = byRank,
): Served[] {
  const waiting: Served[] = []
  const served: Served[] = []
  let finishes: Record<string, number> = {}
  let coming = 0
  let now = START
  const enter = () => {
    const one = people[coming++]!
    const head = waiting.length ? waiting[byRank(waiting, now)]!.rank : null
    const turn = rankInTurn(ranking, [one], { head, finishes })
    finishes = turn.finishes
    waiting.push({ ...one, rank: turn.ranks[0]!, called_at: 0 })
  }
  while (served.length < people.length) {
    if (waiting.length === 0) now = Math.max(now, people[coming]!.arrived_at)
    while (coming < people.length && people[coming]!.arrived_at <= now) enter()
    const [one] = waiting.splice(next(waiting, now), 1)
    served.push({ ...one!, called_at: now })
    now += serviceSeconds * SECOND
  }
  return served
}

const CASES: [string, AlgorithmSettings][] = [
  ['fifo', {}],
  ['priority', {}],
  ['aging', { boost_seconds: 300 }],
  ['sla', { targets_seconds: [1800, 900, 300] }],
  ['fair_share', { shares: { 0: 1, 5: 3 } }],
  ['fair_share', { share_by: 'channel', shares: { web: 2 } }],
  ['appointment', { lead_seconds: 300, late: 'penalty', penalty_seconds: 600 }],
]

test.each(CASES)('%s %o gives ranks that a bigint and a number hold exactly', (algorithm, settings) => {
  fc.assert(
    fc.property(morning, (people) => {
      for (const { rank } of serve(config(algorithm, settings), people, 60)) {
        expect(Number.isSafeInteger(rank)).toBe(true)
        expect(rank).toBeGreaterThan(0)
      }
    }),
    { numRuns: 50 },
  )
})

/** Seconds somebody waited while the counter did nothing. */
const idleWhileWaiting = (served: readonly Served[], serviceSeconds: number): number =>
  served.reduce((idle, { called_at, arrived_at }, i) => {
    const free = i === 0 ? arrived_at : Math.max(served[i - 1]!.called_at + serviceSeconds * SECOND, arrived_at)
    const isFirst = served.slice(i).every((other) => other.arrived_at >= arrived_at)
    return idle + (isFirst ? called_at - free : 0)
  }, 0)

test.each(CASES)('%s %o keeps nobody waiting while a counter is free, and loses nobody', (algorithm, settings) => {
  fc.assert(
    fc.property(morning, fc.integer({ min: 1, max: 900 }), (people, seconds) => {
      const served = serve(config(algorithm, settings), people, seconds)
      expect(served.map(({ id }) => id).sort((a, b) => a - b)).toEqual(people.map(({ id }) => id))
      expect(idleWhileWaiting(served, seconds)).toBe(0)
    }),
    { numRuns: 50 },
  )
})

test('control: an order that waits for somebody better is found idle', () => {
  const people = [0, 1].map((i): Person => ({
    id: i + 1,
    arrived_at: START + i * MINUTE,
    priority: i,
    channel: 'kiosk',
    appointment_at: null,
  }))
  const lazy = serve(config('fifo'), people, 60).map((one) => ({ ...one, called_at: one.called_at + MINUTE }))
  expect(idleWhileWaiting(lazy, 60)).toBeGreaterThan(0)
})

/** Pairs of one class, both walk-ins, of whom the later was called first. */
const inversions = (served: readonly Served[]) =>
  served.flatMap((first, i) =>
    served
      .slice(i + 1)
      .filter(
        (later) =>
          later.arrived_at < first.arrived_at &&
          later.priority === first.priority &&
          later.channel === first.channel &&
          later.appointment_at === null &&
          first.appointment_at === null,
      ),
  )

test.each(CASES)('%s %o serves a class by arrival', (algorithm, settings) => {
  fc.assert(
    fc.property(morning, (people) => {
      expect(inversions(serve(config(algorithm, settings), people, 240))).toEqual([])
    }),
    { numRuns: 50 },
  )
})

test('control: serving the last first is found out', () => {
  const lastFirst: Next = (waiting) => waiting.length - 1
  const same = crowd(['0']).slice(0, 20)
  expect(inversions(serve(config('fifo'), same, 600, lastFirst)).length).toBeGreaterThan(0)
})

/** The longest lead, in seconds, of anybody who came later and was called earlier. */
const longestOvertaking = (served: readonly Served[]) =>
  Math.max(
    0,
    ...served.flatMap((first, i) => served.slice(i + 1).map((later) => (first.arrived_at - later.arrived_at) / SECOND)),
  )

test.each<[string, AlgorithmSettings, number]>([
  ['aging', { boost_seconds: 120 }, 9 * 120],
  ['sla', { targets_seconds: [1200, 600, 60] }, 1140],
])('%s: nobody is overtaken by who came more than a bound later', (algorithm, settings, bound) => {
  fc.assert(
    fc.property(morning, (people) => {
      expect(longestOvertaking(serve(config(algorithm, settings), people, 600))).toBeLessThanOrEqual(bound)
    }),
  )
})

test('control: with plain priority a low class is overtaken without bound', () => {
  const people = Array.from({ length: 60 }, (_, i): Person => ({
    id: i + 1,
    arrived_at: START + (i + 1) * MINUTE,
    priority: i === 4 ? 0 : 1,
    channel: 'kiosk',
    appointment_at: null,
  }))
  expect(longestOvertaking(serve(config('priority'), people, 90))).toBeGreaterThan(9 * 120)
})

test('sla calls by deadline', () => {
  const settings = { targets_seconds: [1800, 600] }
  const at = (priority: number, minute: number) =>
    rankOf(config('sla', settings), {
      priority,
      channel: 'kiosk',
      appointment_at: null,
      arrived_at: START + minute * MINUTE,
    })
  expect(at(0, 0)).toEqual({ offset: 1800 * SECOND })
  expect(at(9, 0)).toEqual({ offset: 600 * SECOND })
})

/** How far calls of shares that all wait are from their ratio, in tickets, at the worst moment. */
function worstDeviation(served: readonly Served[], weights: Record<string, number>): number {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
  const counts: Record<string, number> = {}
  let worst = 0
  for (const [i, { priority }] of served.entries()) {
    counts[priority] = (counts[priority] ?? 0) + 1
    for (const [share, weight] of Object.entries(weights)) {
      worst = Math.max(worst, Math.abs((counts[share] ?? 0) - ((i + 1) * weight) / total))
    }
  }
  return worst
}
/** Everybody is there from the start, so that no share runs out while the first 30 are called. */
const crowd = (shares: readonly string[]) =>
  Array.from({ length: 300 }, (_, i): Person => ({
    id: i + 1,
    arrived_at: START + i,
    priority: Number(shares[i % shares.length]),
    channel: 'kiosk',
    appointment_at: null,
  }))

test('fair shares are called in their ratio within one ticket; control: first come, first served is not', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 2 })
  fc.assert(
    fc.property(weights, (list) => {
      const shares = Object.fromEntries(list.map((weight, i) => [String(i), weight]))
      const served = serve(config('fair_share', { shares }), crowd(Object.keys(shares)), 60).slice(0, 100)
      expect(worstDeviation(served, shares)).toBeLessThanOrEqual(1)
    }),
  )
  expect(worstDeviation(serve(config('fifo'), crowd(['0', '1']), 60).slice(0, 30), { 0: 1, 1: 2 })).toBeGreaterThan(1)
})

test('a share that was away saves nothing up', () => {
  const shares = { 0: 1, 1: 1 }
  const late = crowd(['1'])
    .slice(0, 20)
    .map((one, i) => ({ ...one, id: 500 + i, priority: 0, arrived_at: START + 20 * MINUTE + i }))
  const served = serve(config('fair_share', { shares }), [...crowd(['1']).slice(0, 60), ...late], 60)
  const after = served.slice(21, 41).map(({ priority }) => priority)
  expect(Math.abs(after.filter((share) => share === 0).length - 10)).toBeLessThanOrEqual(1)
})

test('booked people stand where their time is, however early they come; the late by rule', () => {
  const booked = START + 60 * MINUTE
  const rank = (arrived_at: number, settings: AlgorithmSettings = {}) =>
    rankOf(config('appointment', { lead_seconds: 300, late_after_seconds: 600, ...settings }), {
      priority: 0,
      channel: 'web',
      appointment_at: booked,
      arrived_at,
    })
  const place = { at: booked - 300 * SECOND }
  expect([rank(START), rank(booked), rank(booked + 600 * SECOND)]).toEqual([place, place, place])
  const late = booked + 601 * SECOND
  expect(rank(late)).toEqual({ offset: 0 })
  expect(rank(late, { late: 'keep' })).toEqual(place)
  expect(rank(late, { late: 'penalty', penalty_seconds: 120 })).toEqual({ offset: 120 * SECOND })
})

test('a plugin adds an algorithm by exporting a function', () => {
  registerAlgorithms(plugin)
  try {
    const people = crowd(['0'])
      .slice(0, 6)
      .map((one) => ({ ...one, channel: one.id % 2 ? 'web' : 'kiosk' }))
    const order = serve(config('kiosk_first'), people, 60).map(({ id }) => id)
    expect(order).toEqual([1, 2, 4, 6, 3, 5])
    registerAlgorithms(plugin)
    expect(() => registerAlgorithms({ fifo: plugin.kiosk_first })).toThrow(RangeError)
  } finally {
    delete algorithms['kiosk_first']
  }
  expect(() => registerAlgorithms({ ['Bad Name']: () => ({ offset: 0 }) })).toThrow(RangeError)
  expect(() => registerAlgorithms({ nothing: 1 })).toThrow(TypeError)
})

test('an algorithm that is unknown, inherited or gives no whole number is an error, not a place in the queue', () => {
  const one = { priority: 0, channel: 'web', appointment_at: null, arrived_at: START }
  for (const algorithm of ['', 'lottery', 'constructor', '__proto__']) {
    expect(() => rankOf(config(algorithm), one)).toThrow(RangeError)
  }
  algorithms['broken'] = (() => ({ offset: 0.5 })) satisfies Algorithm
  try {
    expect(() => rankOf(config('broken'), one)).toThrow(RangeError)
  } finally {
    delete algorithms['broken']
  }
})
