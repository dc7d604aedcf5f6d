import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diceOf } from './dice.ts'
import { playDay, waitFigures, type Visit } from './day.ts'
import { performance as erlang } from './erlang.ts'

const visit = (id: number, arrived_at: number, service_seconds: number, more: Partial<Visit> = {}): Visit => ({
  id,
  arrived_at,
  service_seconds,
  leaves_after: null,
  rank: arrived_at,
  ...more,
})
test('one counter serves one after the other, two serve side by side', () => {
  const visits = [visit(1, 0, 60), visit(2, 10, 60), visit(3, 20, 60)]
  expect(playDay(visits, [{ at: 0, counters: 1 }]).served.map(({ called_at }) => called_at)).toEqual([0, 60, 120])
  expect(playDay(visits, [{ at: 0, counters: 2 }]).served.map(({ called_at }) => called_at)).toEqual([0, 10, 60])
})

test('a counter that closes finishes whom it serves; who loses patience leaves; the doors close', () => {
  const visits = [visit(1, 0, 100), visit(2, 0, 100), visit(3, 5, 10), visit(4, 6, 10, { leaves_after: 50 })]
  const day = playDay(
    visits,
    [
      { at: 0, counters: 2 },
      { at: 50, counters: 1 },
    ],
    105,
  )
  expect(day.served.map(({ id, called_at }) => [id, called_at])).toEqual([
    [1, 0],
    [2, 0],
    [3, 100],
  ])
  expect(day.left).toEqual([{ id: 4, at: 56 }])
  expect(playDay(visits.slice(0, 3), [{ at: 0, counters: 1 }], 105).unserved).toEqual([3])
})

test('nobody is lost, calls never go back, and no counter is free while somebody waits', () => {
  const people = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 3 })),
    { maxLength: 60, size: 'max' },
  )
  fc.assert(
    fc.property(people, fc.integer({ min: 1, max: 4 }), (list, counters) => {
      let at = 0
      const visits = list.map(([gap, seconds, rank], i) => visit(i + 1, (at += gap), seconds, { rank }))
      const { served } = playDay(visits, [{ at: 0, counters }])
      expect(served.map(({ id }) => id).sort((a, b) => a - b)).toEqual(visits.map(({ id }) => id))
      for (const { id, called_at } of served) {
        const { arrived_at } = visits[id - 1]!
        const busy = (t: number) => served.filter((other) => other.called_at <= t && other.ended_at > t).length
        // Just before the call all counters were busy, or the person had only just come.
        if (called_at > arrived_at) expect(busy(called_at - 0.5)).toBe(counters)
      }
    }),
  )
})

test('many simulated days agree with Erlang C', () => {
  const next = diceOf(42)
  const exponential = (mean: number) => -Math.log(next()) * mean
  let at = 0
  const visits = Array.from({ length: 200_000 }, (_, i) => visit(i, (at += exponential(60)), exponential(150)))
  const { served } = playDay(visits, [{ at: 0, counters: 3 }])
  const waits = served.map(({ id, called_at }) => called_at - visits[id]!.arrived_at)
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length
  const expected = erlang(3, { arrivals_per_hour: 60, service_seconds: 150 }).mean_wait_seconds!
  expect(Math.abs(mean / expected - 1)).toBeLessThan(0.1)
  // Control: with another number of counters they do not.
  expect(
    Math.abs(mean / erlang(4, { arrivals_per_hour: 60, service_seconds: 150 }).mean_wait_seconds! - 1),
  ).toBeGreaterThan(0.5)
})

test('figures of waits', () => {
  expect(waitFigures([])).toEqual({
    count: 0,
    mean_seconds: null,
    p50_seconds: null,
    p90_seconds: null,
    max_seconds: null,
  })
  expect(waitFigures([10, 20, 30, 40])).toEqual({
    count: 4,
    mean_seconds: 25,
    p50_seconds: 20,
    p90_seconds: 40,
    max_seconds: 40,
  })
})
