import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextPasses } from '../../../shared/call-order.ts'
import { assign, mayCall, type Candidate, type Desk } from './assign.ts'
import { precedes } from './rules.ts'

const desk = (agent_id: number, queues: Record<number, number>, more: Partial<Desk> = {}): Desk => ({
  agent_id,
  counter_id: agent_id + 100,
  queues: new Map(Object.entries(queues).map(([id, weight]) => [Number(id), { weight, pass: 0 }])),
  call_mode: 'weight',
  max_wait_seconds: null,
  skills: [],
  languages: null,
  ...more,
})
const waiting = (id: number, queue_id: number, wait_seconds: number, more: Partial<Candidate> = {}): Candidate => ({
  id,
  queue_id,
  rank: 10_000 - wait_seconds,
  wait_seconds,
  reserved_agent_id: null,
  reserved_counter_id: null,
  required_skill: null,
  language: null,
  ...more,
})
const ids = (picked: Map<number, Candidate>) => Object.fromEntries([...picked].map(([agent, { id }]) => [agent, id]))

test('weight times waiting time decides between queues, the lower rank at a tie', () => {
  expect(ids(assign([desk(1, { 1: 1, 2: 3 })], [waiting(11, 1, 500), waiting(21, 2, 200)]))).toEqual({ 1: 21 })
  expect(ids(assign([desk(1, { 1: 1, 2: 3 })], [waiting(11, 1, 601), waiting(21, 2, 200)]))).toEqual({ 1: 11 })
  expect(ids(assign([desk(1, { 1: 1, 2: 3 })], [waiting(21, 2, 200), waiting(11, 1, 600)]))).toEqual({ 1: 11 })
})

test('what is kept for an agent or a counter is given to nobody else, whatever its queue', () => {
  const kept = waiting(11, 9, 100, { reserved_agent_id: 2 })
  const atCounter = waiting(12, 9, 50, { reserved_counter_id: 103 })
  expect(ids(assign([desk(1, { 9: 1 }), desk(2, { 1: 1 }), desk(3, { 1: 1 })], [kept, atCounter]))).toEqual({
    2: 11,
    3: 12,
  })
  expect(mayCall(desk(1, { 9: 1 }), kept)).toBe(false)
})

test('nobody is given twice, nobody callable is left while an agent goes without, and each queue keeps its order', () => {
  const desks = fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1 }), { maxLength: 8 })
  const lines = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 3000 })), { maxLength: 20 })
  fc.assert(
    fc.property(desks, lines, (served, people) => {
      const agents = served.map((queues, i) => desk(i + 1, Object.fromEntries(queues.map((queue) => [queue, 1]))))
      const candidates = people
        .map(([queue, wait], i) => waiting(i + 1, queue, wait))
        .sort((a, b) => (precedes(a, b) ? -1 : 1))
      const picked = assign(agents, candidates)
      const given = [...picked.values()]
      expect(new Set(given).size).toBe(given.length)
      const left = candidates.filter((candidate) => !given.includes(candidate))
      for (const agent of agents) {
        if (!picked.has(agent.agent_id)) expect(left.filter((candidate) => mayCall(agent, candidate))).toEqual([])
      }
      for (const one of given) {
        const overtaken = left.filter((other) => other.queue_id === one.queue_id && precedes(other, one))
        expect(overtaken).toEqual([])
      }
    }),
  )
})

test('a strict agent takes the heaviest queue first, and everybody first who waited longer than the limit', () => {
  const line = [waiting(11, 1, 900), waiting(21, 2, 10)]
  expect(ids(assign([desk(1, { 1: 1, 2: 9 }, { call_mode: 'strict' })], line))).toEqual({ 1: 21 })
  expect(ids(assign([desk(1, { 1: 1, 2: 9 }, { call_mode: 'strict', max_wait_seconds: 600 })], line))).toEqual({
    1: 11,
  })
  expect(ids(assign([desk(1, { 1: 1, 2: 99 }, { max_wait_seconds: 600 })], line))).toEqual({ 1: 11 })
})

test('who needs a skill or speaks a language waits for somebody who has it', () => {
  const line = [
    waiting(11, 1, 900, { required_skill: 'sign' }),
    waiting(12, 1, 800, { language: 'ar' }),
    waiting(13, 1, 700),
  ]
  const french = desk(1, { 1: 1 }, { languages: ['fr'] })
  expect(ids(assign([french], line))).toEqual({ 1: 13 })
  const all = [french, desk(2, { 1: 1 }), desk(3, { 1: 1 }, { skills: ['sign'], languages: ['fr', 'en'] })]
  expect(ids(assign(all, line))).toEqual({ 1: 13, 2: 12, 3: 11 })
})

/** Calls of each queue when one agent calls `count` times and nobody ever runs out of people. */
function callsByQueue(
  weights: Record<number, number>,
  count: number,
  call_mode: Desk['call_mode'],
): Map<number, number> {
  let agent = desk(1, weights, { call_mode })
  const calls = new Map<number, number>()
  for (let i = 0; i < count; i++) {
    const line = Object.keys(weights).map((id) => waiting(Number(id) * 1000 + i, Number(id), 100))
    const { queue_id } = assign([agent], line).get(1)!
    calls.set(queue_id, (calls.get(queue_id) ?? 0) + 1)
    const queues = new Map(agent.queues)
    for (const { queue_id: id, pass } of nextPasses(agent, queue_id)) queues.set(id, { ...queues.get(id)!, pass })
    agent = { ...agent, queues }
  }
  return calls
}
const isInRatio = (weights: Record<number, number>, count: number, mode: Desk['call_mode']) => {
  const calls = callsByQueue(weights, count, mode)
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
  return Object.entries(weights).every(([id, weight]) => {
    const due = (count * weight) / total
    return Math.abs((calls.get(Number(id)) ?? 0) - due) <= Object.keys(weights).length
  })
}

test('calls by ratio follow the weights at every moment; control: by weight × wait they do not', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 4 })
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 120 }), (list, count) => {
      const byQueue = Object.fromEntries(list.map((weight, i) => [i + 1, weight]))
      expect(isInRatio(byQueue, count, 'ratio')).toBe(true)
    }),
  )
  expect(isInRatio({ 1: 1, 2: 2 }, 30, 'weight')).toBe(false)
})

test('a queue that had nobody to call saves up no calls', () => {
  const agent = desk(1, { 1: 1, 2: 1 })
  const queues = new Map([
    [1, { weight: 1, pass: 10 }],
    [2, { weight: 1, pass: 0 }],
  ])
  expect(nextPasses({ ...agent, queues }, 1)).toEqual([
    { queue_id: 1, pass: 11 },
    { queue_id: 2, pass: 10 },
  ])
})
