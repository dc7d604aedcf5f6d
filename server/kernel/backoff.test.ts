import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JITTER, retryWaitMs } from './backoff.ts'

const bounds = { first: 4, most: 300 }
const wait = fc.record({
  attempt: fc.integer({ min: 1, max: 10_000 }),
  random: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('a wait stays within a quarter of the doubled one, and never above the most', () => {
  fc.assert(
    fc.property(wait, ({ attempt, random }) => {
      const plain = Math.min(bounds.most, bounds.first * 2 ** Math.min(attempt - 1, 30)) * 1000
      const ms = retryWaitMs(attempt, bounds, random)
      expect(ms).toBeGreaterThanOrEqual(Math.floor(plain * (1 - JITTER)))
      expect(ms).toBeLessThanOrEqual(Math.ceil(plain * (1 + JITTER)))
    }),
  )
})

test('who says when to come back is never asked sooner, and at most a quarter later', () => {
  fc.assert(
    fc.property(wait, fc.integer({ min: 1, max: 86_400 }), ({ attempt, random }, retryAfterSeconds) => {
      const ms = retryWaitMs(attempt, { ...bounds, retryAfterSeconds }, random)
      expect(ms).toBeGreaterThanOrEqual(retryAfterSeconds * 1000)
      expect(ms).toBeLessThanOrEqual(Math.ceil(retryAfterSeconds * 1000 * (1 + JITTER)))
    }),
  )
})

test('what failed at once comes back at different times; without jitter it does not', () => {
  const waits = (random?: number) => new Set(Array.from({ length: 1000 }, () => retryWaitMs(5, bounds, random)))
  expect(waits().size).toBeGreaterThan(900)
  expect(waits(0.5).size).toBe(1)
})
