import {
  array,
  assert,
  constantFrom,
  infiniteStream,
  integer,
  maxSafeInteger,
  oneof,
  property,
  record,
} from 'fast-check'
import { expect, test } from 'vitest'
import { RankIndex, type RankKey } from './rank-index.ts'

const byRankThenId = (a: RankKey, b: RankKey) => a.rank - b.rank || a.id - b.id
/** Microseconds since 1970 on 2026-03-02: the size ranks have in production. */
const START = 1_772_000_000_000_000

/** Asserts that the index answers like a sorted array. */
function expectSame(index: RankIndex, naive: RankKey[], probes: RankKey[]) {
  const sorted = naive.toSorted(byRankThenId)
  expect(index.size).toBe(sorted.length)
  expect([...index.first()]).toEqual(sorted)
  expect([...index.first(3)]).toEqual(sorted.slice(0, 3))
  for (const k of [-1, 0, sorted.length >> 1, sorted.length - 1, sorted.length]) expect(index.at(k)).toEqual(sorted[k])
  for (const probe of probes) {
    expect(index.rankOf(probe.rank, probe.id)).toBe(sorted.filter((key) => byRankThenId(key, probe) < 0).length)
    expect(index.has(probe.rank, probe.id)).toBe(sorted.some((key) => byRankThenId(key, probe) === 0))
  }
}

const key = record({
  rank: oneof(
    integer({ min: -3, max: 3 }),
    integer({ min: 0, max: 100 }).map((n) => START + n),
    maxSafeInteger(),
  ),
  id: integer({ min: 1, max: 6 }),
})

test('answers like a naive sort after any inserts and deletes', () => {
  const step = record({ act: constantFrom<('insert' | 'delete')[]>('insert', 'insert', 'delete'), key })
  assert(
    property(array(step, { maxLength: 200 }), array(key, { maxLength: 10 }), (steps, probes) => {
      const index = new RankIndex()
      let naive: RankKey[] = []
      for (const { act, key } of steps) {
        const isPresent = naive.some((other) => byRankThenId(other, key) === 0)
        expect(index[act](key.rank, key.id)).toBe(act === 'insert' ? !isPresent : isPresent)
        naive = naive.filter((other) => byRankThenId(other, key) !== 0)
        if (act === 'insert') naive.push(key)
      }
      expectSame(index, naive, [...probes, ...steps.map((each) => each.key)])
    }),
    { numRuns: 200 },
  )
})

test('answers like a naive sort across many blocks: random fill, random and head deletes, refill', () => {
  assert(
    property(infiniteStream(integer({ min: 0, max: 1_000_000 })), (random) => {
      const next = (below: number) => (random.next().value as number) % below
      const index = new RankIndex()
      const naive: RankKey[] = []
      const add = (id: number) => {
        const added = { rank: START + next(2000) - 1000, id }
        index.insert(added.rank, added.id)
        naive.push(added)
      }
      const remove = (place: number) => {
        const [removed] = naive.splice(place, 1)
        expect(index.delete(removed!.rank, removed!.id)).toBe(true)
      }
      for (let id = 1; id <= 4000; id++) add(id)
      const probes = Array.from({ length: 8 }, (_, i) => ({ rank: START + next(3000) - 1500, id: i * 500 }))
      expectSame(index, naive, probes)
      for (let i = 0; i < 2500; i++) remove(next(naive.length))
      expectSame(index, naive, probes)
      naive.sort(byRankThenId)
      for (let i = 0; i < 1000; i++) remove(0)
      expectSame(index, naive, probes)
      for (let id = 5000; id < 6500; id++) add(id)
      expectSame(index, naive, probes)
      while (naive.length > 0) remove(next(naive.length))
      expectSame(index, naive, probes)
    }),
    { numRuns: 5 },
  )
})

test('a day of arrivals in order, served from the head', () => {
  const ranks = Float64Array.from({ length: 3000 }, (_, i) => START + i)
  const ids = Float64Array.from({ length: 3000 }, (_, i) => i + 1)
  const index = RankIndex.from(ranks, ids)
  for (let served = 0; served < 3000; served++) {
    expect(index.at(0)).toEqual({ rank: START + served, id: served + 1 })
    expect(index.rankOf(START + 2999, 3000)).toBe(2999 - served)
    index.delete(START + served, served + 1)
  }
  expect(index.size).toBe(0)
})

test('refuses keys that a double cannot hold and arrays out of order', () => {
  const index = new RankIndex()
  for (const bad of [Number.NaN, 0.5, 2 ** 53, Infinity]) {
    expect(() => index.insert(bad, 1)).toThrow(RangeError)
    expect(() => index.insert(1, bad)).toThrow(RangeError)
  }
  expect(() => RankIndex.from([2, 1], [1, 2])).toThrow(RangeError)
  expect(() => RankIndex.from([1, 1], [7, 7])).toThrow(RangeError)
  expect(() => RankIndex.from([1], [])).toThrow(RangeError)
})
