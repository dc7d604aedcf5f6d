import { expect, test } from 'vitest'
import { castDay, isOnDuty, presentAt } from './demo-plan.ts'
import { planTrace, type QueuePlan } from './plan.ts'
import { median } from './stats.ts'
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

const queues = [
  { id: 10, expectedSeconds: 240 },
  { id: 11, expectedSeconds: 240 },
  { id: 12, expectedSeconds: 1500 },
]
const parts = castDay(day, queues, agents)

test('each queue gets a class of its own that takes about as long, and the visitors its agents can serve', () => {
  expect(new Set(parts.map((part) => part.plan.key)).size).toBe(3)
  const typical = parts.map((part) => median(part.plan.visits.map((visit) => visit.service_s)))
  expect(typical[0]).toBeLessThan(400)
  expect(typical[2]).toBeGreaterThan(900)
  for (const part of parts) {
    const whole = (day.find((queue) => queue.key === part.plan.key) as QueuePlan).visits.length
    expect(part.plan.visits.length).toBeGreaterThan(0.1 * whole)
    expect(part.plan.visits.length).toBeLessThanOrEqual(whole)
  }
})

test('more queues than classes use classes again', () => {
  const many = Array.from({ length: 12 }, (_, i) => ({ id: i, expectedSeconds: 300 }))
  expect(new Set(castDay(day, many, agents).map((part) => part.plan.key)).size).toBe(10)
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

test('agents come and go with the counters of the day, and every queue keeps one', () => {
  const dutyAt = (hour: number) =>
    agents.filter((agent) => isOnDuty(agent, agents, parts, 18_274 * 86_400 + hour * 3600)).map((agent) => agent.id)
  expect(dutyAt(6)).toEqual([])
  for (const hour of [10, 12, 14, 16]) expect(dutyAt(hour)).toEqual(expect.arrayContaining([1, 3]))
})
