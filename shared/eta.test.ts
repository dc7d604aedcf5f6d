import { assert, double, integer, nat, property, record } from 'fast-check'
import { expect, test } from 'vitest'
import { estimateWait } from './eta.ts'

const M = 1_000_000
/** Quantiles of Gamma(shape, 1), exactly: shape is whole, so the distribution is a Poisson tail; by bisection. */
function exactQuantile(shape: number, p: number): number {
  const cdf = (x: number) => {
    let term = Math.exp(-x)
    let tail = term
    for (let i = 1; i < shape; i++) tail += term *= x / i
    return 1 - tail
  }
  let low = 0
  let high = 20 * shape + 20
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2
    if (cdf(middle) < p) low = middle
    else high = middle
  }
  return low
}

test.each([
  [1, 0.066],
  [2, 0.013],
  [5, 0.003],
  [20, 0.001],
  [200, 0.0002],
])('the quantiles of %i departures are within the documented error', (shape, tolerance) => {
  const factors = { ahead: shape - 1, agents_open: 1, agents_free: 0, service_seconds: M }
  const { eta_low_seconds, eta_seconds, eta_high_seconds } = estimateWait(factors)
  for (const [figure, p] of [
    [eta_low_seconds, 0.1],
    [eta_seconds, 0.5],
    [eta_high_seconds, 0.9],
  ] as const) {
    expect(Math.abs(figure! / M / exactQuantile(shape, p) - 1)).toBeLessThan(tolerance)
  }
})

test('says nothing when nobody serves or the pace is unknown', () => {
  const nothing = { eta_seconds: null, eta_low_seconds: null, eta_high_seconds: null }
  expect(estimateWait({ ahead: 3, agents_open: 0, agents_free: 0, service_seconds: 300 })).toEqual(nothing)
  expect(estimateWait({ ahead: 3, agents_open: 2, agents_free: 0, service_seconds: null })).toEqual(nothing)
  expect(estimateWait({ ahead: 3, agents_open: 2, agents_free: 0, service_seconds: 0 })).toEqual(nothing)
})

test('free agents take the first in line at once; with all busy even the first waits', () => {
  const pace = { agents_open: 3, service_seconds: 300 }
  expect(estimateWait({ ...pace, ahead: 1, agents_free: 2 }).eta_high_seconds).toBe(0)
  expect(estimateWait({ ...pace, ahead: 2, agents_free: 2 })).toEqual(
    estimateWait({ ...pace, ahead: 0, agents_free: 0 }),
  )
  expect(estimateWait({ ...pace, ahead: 0, agents_free: 0 }).eta_low_seconds).toBeGreaterThan(0)
})

test('whole seconds, low ≤ median ≤ high, longer with more ahead and shorter with more agents', () => {
  const factors = record({
    ahead: nat(5000),
    agents_open: integer({ min: 1, max: 60 }),
    agents_free: nat(3),
    service_seconds: double({ min: 1, max: 7200, noNaN: true }),
  })
  assert(
    property(factors, (given) => {
      const { eta_low_seconds: low, eta_seconds: median, eta_high_seconds: high } = estimateWait(given)
      expect([low, median, high].every(Number.isSafeInteger)).toBe(true)
      expect(0 <= low! && low! <= median! && median! <= high!).toBe(true)
      expect(estimateWait({ ...given, ahead: given.ahead + 1 }).eta_seconds).toBeGreaterThanOrEqual(median!)
      expect(estimateWait({ ...given, agents_open: given.agents_open + 1 }).eta_seconds).toBeLessThanOrEqual(median!)
    }),
  )
})
