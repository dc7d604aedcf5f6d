import { expect, test } from 'vitest'
import { compareEvents } from './audit.ts'
import { Progress } from './progress.ts'
import { clock, deviation, findFaults, renderReport, type ReplayReport } from './report.ts'
import { freeCode } from './setup.ts'
import { summarize } from './stats.ts'
import { table } from './table.ts'

const waits = { replay: summarize([60, 120, 180]), oracle: summarize([60, 120, 180]), trace: summarize([90, 150]) }
const clean: ReplayReport = {
  trace: 'office',
  speed: 600,
  real_seconds: 54,
  virtual_seconds: 32_400,
  skipped_seconds: 50_000,
  tickets: { planned: 3, taken: 3, called: 3, served: 3, abandoned: 0, unfinished: 0 },
  waits_seconds: waits,
  wait_deviation: 0,
  double_calls: 0,
  missed_calls: 0,
  events: { held: 12, lost: 0, duplicated: 0, invented: 0, late: 0, reconnects: 1, resyncs: 0 },
  tickets_not_final: 0,
  tickets_missing: 0,
  visitors: { followed: 1, informed: 1, refused: 0 },
  api_ms: { ...summarize([1, 2, 30]), retries: 0, by_act: { take: summarize([1, 2, 30]) } },
  refusals: {},
  queues: [
    { queue: 'A', tickets: 2, served: 2, abandoned: 0, waits_seconds: waits },
    { queue: 'B', tickets: 1, served: 1, abandoned: 0, waits_seconds: waits },
  ],
  faults: [],
}

test('nearest-rank percentiles, and nothing for nothing', () => {
  expect(summarize([5, 1, 4, 2, 3])).toEqual({ count: 5, mean: 3, p50: 3, p90: 5, p99: 5, max: 5 })
  expect(summarize([])).toEqual({ count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 })
})

test('a clean report says so and shows the waits beside oracle and trace', () => {
  expect(findFaults(clean)).toEqual([])
  const text = renderReport(clean)
  expect(text).toContain('No fault')
  expect(text).toMatch(/^replay +3 +2:00 +2:00 +3:00 +3:00$/m)
  expect(text).toMatch(/^trace +2 +2:00 +1:30 +2:30 +2:30$/m)
  expect(text).toContain('600 times real time')
})

test.each<[Partial<ReplayReport>, RegExp]>([
  [{ double_calls: 1 }, /1 double calls/],
  [{ events: { ...clean.events, lost: 2 } }, /2 lost events/],
  [{ events: { ...clean.events, duplicated: 1 } }, /duplicated/],
  [{ events: { ...clean.events, invented: 1 } }, /does not hold/],
  [{ events: { ...clean.events, resyncs: 1 } }, /resync/],
  [{ tickets_not_final: 1 }, /final state/],
  [{ tickets: { ...clean.tickets, taken: 2 } }, /could not be taken/],
  [{ visitors: { followed: 2, informed: 1, refused: 1 } }, /not told/],
  [{ refusals: { 'call next: agent_busy': 3 } }, /3 acts/],
  [{ wait_deviation: 0.021 }, /2.10 %/],
])('a broken promise is a fault: %o', (broken, fault) => {
  const report = { ...clean, ...broken }
  expect(findFaults(report).join()).toMatch(fault)
  expect(renderReport({ ...report, faults: findFaults(report) })).toContain('FAULTS')
})

test('the deviation is the worst of mean, p50 and p90; near zero it is counted in seconds', () => {
  const at = (mean: number, p50: number, p90: number) => ({ count: 1, mean, p50, p90, p99: 0, max: 0 })
  expect(deviation(at(101, 50, 206), at(100, 50, 200))).toBeCloseTo(0.03)
  expect(deviation(at(0.01, 0, 0), at(0, 0, 0))).toBeCloseTo(0.01)
})

test('control: an event withheld is lost, one made up is invented', () => {
  const event = (offset: number) => ({ type: 'ticket.called', offset })
  expect(compareEvents([event(1), event(2)], [event(1), event(2)])).toEqual({ lost: 0, invented: 0 })
  expect(compareEvents([event(1), event(2)], [event(2), event(3)])).toEqual({ lost: 1, invented: 1 })
})

test('durations, tables and service codes', () => {
  expect([0, 59.6, 754, 3729].map(clock)).toEqual(['0:00', '1:00', '12:34', '1:02:09'])
  expect(
    table([
      ['a', 'bb'],
      ['long', '1'],
    ]),
  ).toBe('a     bb\nlong   1')
  expect(freeCode('Ochota:599', [])).toBe('599')
  expect(freeCode('Ochota:599', ['599', 'R00'])).toBe('R01')
})

test('the live line is rewritten on a terminal and throttled', () => {
  let text = ''
  const progress = new Progress({ write: (more) => (text += more), isTTY: true, columns: 10 })
  progress.show(() => 'a line longer than the terminal')
  progress.show(() => 'too soon')
  progress.end()
  expect(text).toBe('\r\u001b[2Ka line lo\r\u001b[2K')
})
