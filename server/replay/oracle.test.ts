import { describe, expect, test } from 'vitest'
import { simulate } from './oracle.ts'
import { summarize } from './stats.ts'

const line = (arrival_s: number, service_s: number, options: { leaves_s?: number; priority?: 0 | 1 } = {}) => ({
  arrival_s,
  service_s,
  leaves_s: options.leaves_s ?? null,
  priority: options.priority ?? 0,
})
const starts = (...args: Parameters<typeof simulate>) => simulate(...args).map((outcome) => outcome?.start_s)

describe('by hand', () => {
  test('one counter, first come first served', () => {
    expect(simulate([line(0, 10), line(1, 5), line(2, 5)], [{ at_s: 0, open: 1 }])).toEqual([
      { start_s: 0, end_s: 10 },
      { start_s: 10, end_s: 15 },
      { start_s: 15, end_s: 20 },
    ])
  })
  test('nobody is called before a counter opens; a closing counter finishes its customer', () => {
    expect(
      starts(
        [line(0, 10), line(0, 10), line(0, 10)],
        [
          { at_s: 100, open: 2 },
          { at_s: 105, open: 1 },
        ],
      ),
    ).toEqual([100, 100, 110])
  })
  test('a counter more calls at once', () => {
    expect(
      starts(
        [line(0, 100), line(0, 100)],
        [
          { at_s: 0, open: 1 },
          { at_s: 20, open: 2 },
        ],
      ),
    ).toEqual([0, 20])
  })
  test('priority goes ahead of those who wait, never ahead of the one in service', () => {
    expect(
      starts(
        [line(0, 10), line(1, 10), line(2, 10, { priority: 1 }), line(3, 10, { priority: 1 })],
        [{ at_s: 0, open: 1 }],
      ),
    ).toEqual([0, 30, 10, 20])
  })
  test('one whose patience ends leaves; called in the very same instant they stay', () => {
    expect(
      simulate(
        [line(0, 10), line(0, 10, { leaves_s: 9 }), line(0, 10, { leaves_s: 10 }), line(1, 5)],
        [{ at_s: 0, open: 1 }],
      ),
    ).toEqual([
      { start_s: 0, end_s: 10 },
      { start_s: null, end_s: 9 },
      { start_s: 10, end_s: 20 },
      { start_s: 20, end_s: 25 },
    ])
  })
  test('services of no length free their counter before patience ends in that instant', () => {
    expect(starts([line(5, 0), line(5, 0), line(5, 7, { leaves_s: 5 })], [{ at_s: 0, open: 1 }])).toEqual([5, 5, 5])
  })
  test('who waits when no counter opens any more has no outcome', () => {
    expect(simulate([line(0, 10)], [{ at_s: 0, open: 0 }])).toEqual([undefined])
  })
})

/** Mulberry32: a seeded uniform generator, so that every run simulates the same customers. */
function uniform(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
const exponential = (random: () => number, mean: number) => -mean * Math.log(1 - random())

/** Erlang C: the probability of waiting with `c` servers and `a` erlangs offered. */
function erlangC(c: number, a: number): number {
  let b = 1
  for (let k = 1; k <= c; k++) b = (a * b) / (k + a * b)
  return (c * b) / (c - a * (1 - b))
}

describe('against theory', () => {
  const servers = 3
  const meanService = 100
  const offered = 2.4
  const delay = (erlangC(servers, offered) * meanService) / (servers - offered)
  function customers(count: number, priority: (random: () => number) => 0 | 1) {
    const random = uniform(7)
    let now = 0
    return Array.from({ length: count }, () => {
      now += exponential(random, meanService / offered)
      return line(now, exponential(random, meanService), { priority: priority(random) })
    })
  }
  const waits = (lines: ReturnType<typeof customers>) =>
    simulate(lines, [{ at_s: 0, open: servers }]).map(
      (outcome, i) => (outcome?.start_s as number) - (lines[i]?.arrival_s as number),
    )

  test('M/M/3 waits as Erlang C says', () => {
    const all = waits(customers(600_000, () => 0))
    expect(Math.abs(summarize(all).mean / delay - 1)).toBeLessThan(0.03)
    expect(all.filter((wait) => wait > 0).length / all.length).toBeCloseTo(erlangC(servers, offered), 2)
  })
  test('M/M/3 with two priorities waits as Cobham says', () => {
    const share = 0.25
    const lines = customers(600_000, (random) => (random() < share ? 1 : 0))
    const all = waits(lines)
    const mean = (priority: 0 | 1) => summarize(all.filter((_, i) => lines[i]?.priority === priority)).mean
    const base = (erlangC(servers, offered) * meanService) / servers
    const load = offered / servers
    expect(Math.abs(mean(1) / (base / (1 - load * share)) - 1)).toBeLessThan(0.03)
    expect(Math.abs(mean(0) / (base / ((1 - load * share) * (1 - load))) - 1)).toBeLessThan(0.03)
  })
  test('M/M/50+M loses and waits as Garnett, Mandelbaum and Reiman (2002) print', () => {
    const random = uniform(11)
    let now = 0
    const lines = Array.from({ length: 200_000 }, () => {
      now += exponential(random, 60 / 48)
      return line(now, exponential(random, 60), { leaves_s: now + exponential(random, 120) })
    })
    const outcomes = simulate(lines, [{ at_s: 0, open: 50 }])
    const lost = outcomes.filter((outcome) => outcome?.start_s === null).length / lines.length
    const wait = summarize(
      outcomes.map((outcome, i) => (outcome?.start_s ?? outcome?.end_s ?? 0) - (lines[i]?.arrival_s as number)),
    ).mean
    expect(Math.abs(lost / 0.0309 - 1)).toBeLessThan(0.1)
    expect(Math.abs(wait / 3.709 - 1)).toBeLessThan(0.1)
  })
})
