import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeAfter, precedes, RANK_GAP, TRANSITIONS, transitionOf, VERBS, type Place } from './rules.ts'
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

test('only an empty line has no place to offer', () => {
  expect(placeAfter(null, [], 1)).toBeNull()
})
