import fc from 'fast-check'
import { expect, test } from 'vitest'
import { playDay } from './day.ts'
import { playSite, type SiteDesk, type SiteVisit } from './site.ts'

const visit = (id: number, queue_id: number, arrived_at: number, more: Partial<SiteVisit> = {}): SiteVisit => ({
  id,
  queue_id,
  arrived_at,
  since: arrived_at,
  service_seconds: 60,
  rank: arrived_at,
  required_skill: null,
  language: null,
  reserved_for: null,
  ...more,
})
const desk = (id: number, weights: Record<number, number>, more: Partial<SiteDesk> = {}): SiteDesk => ({
  id,
  queues: new Map(Object.entries(weights).map(([queue, weight]) => [Number(queue), { weight, pass: 0 }])),
  call_mode: 'weight',
  max_wait_seconds: null,
  skills: [],
  languages: null,
  free_at: 0,
  ...more,
})
const callsOf = (visits: SiteVisit[], desks: SiteDesk[], until?: number) =>
  playSite(visits, desks, until).called.map(({ visit: { id }, called_at }) => [id, called_at])

const people = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 3 })),
  { maxLength: 50, size: 'max' },
)

test('one queue served by agents who serve nothing else is a day of that queue', () => {
  fc.assert(
    fc.property(
      people,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 100, max: 4000 }),
      (list, counters, until) => {
        let at = 0
        const visits = list.map(([gap, service_seconds, rank], i) =>
          visit(i + 1, 1, (at += gap), { service_seconds, rank }),
        )
        const desks = Array.from({ length: counters }, (_, i) => desk(i + 1, { 1: 1 }))
        const day = playDay(
          visits.map((one) => ({ ...one, leaves_after: null })),
          [{ at: 0, counters }],
          until,
        )
        const site = playSite(visits, desks, until)
        expect(site.called.map(({ visit: { id }, called_at }) => [id, called_at])).toEqual(
          day.served.map(({ id, called_at }) => [id, called_at]),
        )
        const left = site.unserved.map(({ id }) => id).sort((a, b) => a - b)
        expect(left).toEqual(day.unserved.filter((id) => visits[id - 1]!.arrived_at < until).sort((a, b) => a - b))
      },
    ),
  )
})

test('an agent of two queues calls by the own way of choosing', () => {
  const visits = Array.from({ length: 12 }, (_, i) => i + 1).map((id) => visit(id, id % 2 ? 1 : 2, 0, { rank: id }))
  const order = (call_mode: SiteDesk['call_mode'], weights: Record<number, number>) =>
    callsOf(visits, [desk(1, weights, { call_mode })]).map(([id]) => id)
  expect(order('strict', { 1: 1, 2: 5 })).toEqual([2, 4, 6, 8, 10, 12, 1, 3, 5, 7, 9, 11])
  const firstSix = order('ratio', { 1: 2, 2: 1 }).slice(0, 6)
  expect(firstSix.filter((id) => id! % 2)).toHaveLength(4)
  // Whoever has waited too long comes before the heaviest queue.
  const late = [visit(1, 1, 0, { since: -500 }), visit(2, 2, 0), visit(3, 2, 0)]
  const patient = desk(1, { 1: 1, 2: 9 }, { call_mode: 'strict', max_wait_seconds: 400 })
  expect(callsOf(late, [patient]).map(([id]) => id)).toEqual([1, 2, 3])
})

test('skills, languages and reservations send people to the agents who have them; the others are passed by', () => {
  const visits = [
    visit(1, 1, 0, { required_skill: 'notary' }),
    visit(2, 1, 1, { language: 'ar' }),
    visit(3, 1, 2),
    visit(4, 1, 3, { reserved_for: 1 }),
  ]
  const plain = desk(1, { 1: 1 }, { languages: ['fr'] })
  const notary = desk(2, { 1: 1 }, { skills: ['notary'] })
  expect(callsOf(visits, [plain, notary])).toEqual([
    [1, 0],
    [3, 2],
    [2, 60],
    [4, 62],
  ])
  const { called, unserved } = playSite(visits, [plain])
  expect(called.map((one) => one.visit.id)).toEqual([3, 4])
  expect(unserved.map(({ id }) => id)).toEqual([1, 2])
  // A counter nobody sits at yet may be anybody's.
  expect(callsOf(visits.slice(0, 2), [desk(9, { 1: 1 }, { skills: null })])).toHaveLength(2)
})

test('nobody waits while an agent who may call them is free, and everybody whom somebody may call is called', () => {
  fc.assert(
    fc.property(people, fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }), (list, served) => {
      let at = 0
      const visits = list.map(([gap, service_seconds, queue], i) =>
        visit(i + 1, (queue % 2) + 1, (at += gap), { service_seconds }),
      )
      // 1: the first queue, 2: the second, 3: both.
      const desks = served.map((kind, i) => desk(i + 1, { ...(kind !== 2 && { 1: 1 }), ...(kind !== 1 && { 2: 1 }) }))
      const { called, unserved } = playSite(visits, desks)
      const isServed = (queue: number) => desks.some(({ queues }) => queues.has(queue))
      expect(unserved.every(({ queue_id }) => !isServed(queue_id))).toBe(true)
      expect(called.length + unserved.length).toBe(visits.length)
      for (const { visit: own, called_at } of called) {
        if (called_at === own.arrived_at) continue
        const able = desks.filter(({ queues }) => queues.has(own.queue_id)).length
        const busy = called.filter((one) => one.called_at < called_at && one.ended_at >= called_at).length
        expect(busy).toBeGreaterThanOrEqual(able)
      }
    }),
  )
})
