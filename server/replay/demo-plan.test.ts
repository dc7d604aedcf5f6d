import { expect, test } from 'vitest'
import { castDay, openShare, presentAt } from './demo-plan.ts'
import { planTrace, type QueuePlan } from './plan.ts'
import { readTrace } from './trace.ts'

const day = planTrace(
  await Array.fromAsync(readTrace(new URL('../../db/demo/warsaw-ochota-day.csv.gz', import.meta.url).pathname)),
)
const agents = [
  { id: 1, queueIds: [10, 11] },
  { id: 2, queueIds: [10, 11] },
  { id: 3, queueIds: [12] },
]

test('the shipped day is one day of ten queues', () => {
  expect(day).toHaveLength(10)
  expect(day.flatMap((queue) => queue.visits)).toHaveLength(935)
  expect(new Set(day.flatMap((queue) => queue.visits.map((visit) => Math.floor(visit.arrival_s / 86_400))))).toEqual(
    new Set([18_274]),
  )
})

test('each queue gets a class of its own, and as many visitors as its agents can serve', () => {
  const parts = castDay(day, [10, 11, 12], agents, 0)
  expect(new Set(parts.map((part) => part.plan.key)).size).toBe(3)
  for (const part of parts) {
    const whole = (day.find((queue) => queue.key === part.plan.key) as QueuePlan).visits.length
    expect(part.plan.visits.length).toBeGreaterThan(0.1 * whole)
    expect(part.plan.visits.length).toBeLessThan(whole)
  }
  expect(castDay(day, [10, 11, 12], agents, 3).map((part) => part.plan.key)).not.toEqual(parts.map((p) => p.plan.key))
})

test('whoever is in the building came before and has not gone', () => {
  const plan: QueuePlan = {
    key: 'A',
    algorithm: 'fifo',
    staffing: [{ at_s: 0, open: 1 }],
    visits: [0, 10, 20, 300].map((arrival_s, index) => ({
      index,
      arrival_s,
      service_s: 100,
      leaves_s: index === 2 ? 90 : null,
      priority: 0,
      trace_wait_s: 0,
    })),
  }
  expect(presentAt(plan, 50).map((visit) => visit.index)).toEqual([0, 1, 2])
  expect(presentAt(plan, 150).map((visit) => visit.index)).toEqual([1])
  expect(presentAt(plan, 299)).toEqual([])
})

test('the share of open counters follows the day', () => {
  const parts = castDay(day, [10, 11, 12], agents, 0)
  const at = (hour: number) => openShare(parts, 18_274 * 86_400 + hour * 3600)
  expect(at(6)).toBe(0)
  expect(at(12)).toBeGreaterThan(0.3)
  expect(at(12)).toBeLessThanOrEqual(1)
})
