import { expect, test } from 'vitest'
import { mostOpen, planTrace } from './plan.ts'
import { openCounters } from './staffing.ts'
import { deriveServiceSeconds } from './service-times.ts'
import type { Visit } from './trace.ts'

const visit = (fields: Partial<Visit> & { arrival_s: number }): Visit => ({
  start_s: null,
  end_s: null,
  class: 'Office:1',
  server: null,
  abandoned: false,
  open_servers: 1,
  scored: true,
  ...fields,
})

test('one counter: a service lasts until the next start when the next customer waited', () => {
  const visits = [
    visit({ arrival_s: 0, start_s: 10 }),
    visit({ arrival_s: 1, start_s: 310 }),
    visit({ arrival_s: 2, start_s: 510 }),
  ]
  // The last has no next start: the median (nearest rank of 200 and 300) stands in.
  expect(deriveServiceSeconds(visits, [{ at_s: 0, open: 1 }])).toEqual([300, 200, 200])
})

test('two counters: starts are dealt to the counter that has been busy longest', () => {
  const starts = [0, 50, 400, 450, 900]
  const visits = starts.map((start_s) => visit({ arrival_s: 0, start_s }))
  expect(deriveServiceSeconds(visits, [{ at_s: 0, open: 2 }])).toEqual([400, 400, 500, 400, 400])
})

test('a counter that stood idle or closed is not a measurement, and three medians are the cap', () => {
  const visits = [
    visit({ arrival_s: 0, start_s: 0 }),
    visit({ arrival_s: 0, start_s: 100 }),
    visit({ arrival_s: 0, start_s: 200 }),
    visit({ arrival_s: 5000, start_s: 5000 }),
    visit({ arrival_s: 5001, start_s: 9000 }),
  ]
  expect(deriveServiceSeconds(visits, [{ at_s: 0, open: 1 }])).toEqual([100, 100, 100, 300, 100])
})

test('a known end is believed, zero included', () => {
  const visits = [visit({ arrival_s: 0, start_s: 0, end_s: 40 }), visit({ arrival_s: 0, start_s: 40, end_s: 40 })]
  expect(deriveServiceSeconds(visits, [{ at_s: 0, open: 1 }])).toEqual([40, 0])
})

test('counters open with the first start, follow the figure beside each arrival, close at midnight', () => {
  const visits = [
    visit({ arrival_s: 100, start_s: 160, open_servers: 3 }),
    visit({ arrival_s: 200, start_s: 300, open_servers: 0 }),
    visit({ arrival_s: 400, start_s: 500, open_servers: 2 }),
    visit({ arrival_s: 86_500, start_s: 86_600, open_servers: 1 }),
  ]
  expect(openCounters(visits)).toEqual([
    { at_s: 160, open: 3 },
    { at_s: 200, open: 1 },
    { at_s: 400, open: 2 },
    { at_s: 86_400, open: 0 },
    { at_s: 86_600, open: 1 },
    { at_s: 172_800, open: 0 },
  ])
})

test('classes without servers are queues; one who left has a patience, one who was served has none', () => {
  const plan = planTrace([
    visit({ arrival_s: 0, start_s: 5, class: 'B:2' }),
    visit({ arrival_s: 1, start_s: 6, class: 'A:1' }),
    visit({ arrival_s: 2, end_s: 90, class: 'B:2', abandoned: true }),
  ])
  expect(
    plan.map((queue) => [queue.key, queue.algorithm, queue.visits.map((v) => [v.index, v.leaves_s, v.trace_wait_s])]),
  ).toEqual([
    ['A:1', 'fifo', [[1, null, 5]]],
    [
      'B:2',
      'fifo',
      [
        [0, null, 5],
        [2, 90, null],
      ],
    ],
  ])
})

test('named servers are one pool with priorities; agents work in shifts', () => {
  const plan = planTrace([
    visit({ arrival_s: 0, start_s: 0, end_s: 60, class: 'R-PS', server: 'a1', open_servers: null }),
    visit({ arrival_s: 10, start_s: 10, end_s: 80, class: 'P-PS', server: 'a2', open_servers: null }),
    visit({ arrival_s: 50, start_s: 100, end_s: 130, class: 'R-NW', server: 'a1', open_servers: null }),
    visit({ arrival_s: 5000, start_s: 5000, end_s: 5050, class: 'R-NW', server: 'a1', open_servers: null }),
  ])
  expect(plan).toHaveLength(1)
  expect(plan[0]?.algorithm).toBe('priority')
  expect(plan[0]?.visits.map((v) => [v.priority, v.service_s])).toEqual([
    [0, 60],
    [1, 70],
    [0, 30],
    [0, 50],
  ])
  expect(plan[0]?.staffing).toEqual([
    { at_s: 0, open: 1 },
    { at_s: 10, open: 2 },
    { at_s: 80, open: 1 },
    { at_s: 130, open: 0 },
    { at_s: 5000, open: 1 },
    { at_s: 5050, open: 0 },
  ])
  expect(plan.map(mostOpen)).toEqual([2])
})
