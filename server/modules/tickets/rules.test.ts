import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  assign,
  mayCall,
  placeAfter,
  precedes,
  RANK_GAP,
  TRANSITIONS,
  transitionOf,
  VERBS,
  type Candidate,
  type Desk,
  type Place,
} from './rules.ts'
import { FINAL_STATUSES, TICKET_STATUSES } from '../../../shared/ticket-status.ts'

test('every state but the final ones can be left, and every one can be reached', () => {
  const left = new Set(VERBS.flatMap((verb) => transitionOf(verb).from))
  const reached = new Set(VERBS.flatMap((verb) => [...transitionOf(verb).to]))
  expect([...reached].sort()).toEqual([...TICKET_STATUSES].sort())
  const closed = TICKET_STATUSES.filter((status) => !left.has(status))
  expect(closed.sort()).toEqual(FINAL_STATUSES.filter((status) => status !== 'absent').sort())
})

test('events are named in the past, once each', () => {
  const names = VERBS.map((verb) => TRANSITIONS[verb].event)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^ticket\.(\w+ed|held|no_show)$/)
})

/** A line in order, with as little room as one likes, and someone who is not in it. */
const line = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 1000 })), { maxLength: 12 }),
    fc.integer({ min: 1, max: 1000 }),
  )
  .map(([steps, id]) => {
    let rank = 1_000_000
    const ids = new Set([id])
    const places = steps.flatMap(([step, other]): Place[] =>
      ids.has(other) ? [] : (ids.add(other), [{ rank: (rank += step), id: other }]),
    )
    return { places: places.sort((a, b) => a.rank - b.rank || a.id - b.id), id }
  })

test('whoever is placed stands exactly there, and nobody overtakes anybody', () => {
  fc.assert(
    fc.property(line, fc.nat(12), ({ places, id }, at) => {
      const index = Math.min(at, places.length)
      const slot = placeAfter(index === 0 ? null : places[index - 1]!, places.slice(index), id)
      fc.pre(places.length > 0)
      const moved = new Map(slot!.shifted.map((place) => [place.id, place.rank]))
      const after = [
        { id, rank: slot!.rank },
        ...places.map((place) => ({ id: place.id, rank: moved.get(place.id) ?? place.rank })),
      ]
      after.sort((a, b) => (precedes(a, b) ? -1 : 1))
      const expected = places.map((place) => place.id)
      expected.splice(index, 0, id)
      expect(after.map((place) => place.id)).toEqual(expected)
      for (const place of slot!.shifted)
        expect(place.rank).toBeGreaterThan(places.find((one) => one.id === place.id)!.rank)
    }),
  )
})

test('between two who came one after the other there is room for several without moving anybody', () => {
  const before = { rank: 1000, id: 1 }
  let next = { rank: 1000 + RANK_GAP, id: 2 }
  for (let id = 3; id < 7; id++) {
    const slot = placeAfter(before, [next], id)!
    expect(slot.shifted).toEqual([])
    next = { rank: slot.rank, id }
  }
})

const desk = (agent_id: number, queues: Record<number, number>): Desk => ({
  agent_id,
  counter_id: agent_id + 100,
  queues: new Map(Object.entries(queues).map(([id, weight]) => [Number(id), weight])),
})
const waiting = (id: number, queue_id: number, wait_seconds: number, more: Partial<Candidate> = {}): Candidate => ({
  id,
  queue_id,
  rank: 10_000 - wait_seconds,
  wait_seconds,
  reserved_agent_id: null,
  reserved_counter_id: null,
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

test('only an empty line has no place to offer', () => {
  expect(placeAfter(null, [], 1)).toBeNull()
})
