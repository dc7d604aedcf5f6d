import { expect, test } from 'vitest'
import { startControlServer, type Faults } from './control-server.ts'
import { bankTrace, officeTrace } from './control-traces.ts'
import { replay } from './index.ts'
import type { ReplayReport } from './report.ts'

async function play(trace: string, faults: Faults = {}) {
  const server = await startControlServer(faults)
  let text = ''
  try {
    const options = {
      trace,
      speed: 'max',
      baseUrl: server.baseUrl,
      tenant: 'control',
      email: 'a',
      password: 'b',
      visitors: 10,
      dropEvery: 40,
      patienceMs: 300,
      json: true,
    } as const
    const code = await replay(options, { write: (more: string) => (text += more) })
    return { code, report: JSON.parse(text) as ReplayReport }
  } finally {
    await server.stop()
  }
}

test.each([
  ['office', officeTrace],
  ['bank', bankTrace],
])('a day at the %s ends without a fault, waits as the oracle says', async (_, trace) => {
  const { code, report } = await play(trace())
  expect(report.faults).toEqual([])
  expect(code).toBe(0)
  expect(report.wait_deviation).toBeLessThan(0.02)
  expect(report.waits_seconds.oracle.mean).toBeGreaterThan(10)
  expect(report.tickets.abandoned).toBeGreaterThan(0)
  expect(report.tickets.served + report.tickets.abandoned).toBe(report.tickets.planned)
  expect(report.events.reconnects).toBeGreaterThan(3)
  expect(report.visitors.informed).toBeGreaterThan(5)
})

test('nights are jumped over', async () => {
  const { report } = await play(officeTrace())
  expect(report.skipped_seconds).toBeGreaterThan(15 * 3600)
  expect(report.virtual_seconds).toBeLessThan(9 * 3600)
})

test.each<[string, Faults, RegExp]>([
  ['a ticket handed to two agents', { doubleCalls: true }, /double calls/],
  ['an event withheld from the feeds', { dropEvery: 97 }, /lost events/],
  ['an event sent twice', { repeatEvery: 97 }, /duplicated events/],
  ['the newest served first', { lastComeFirst: true }, /waits differ/],
  ['a completion forgotten', { forgetEvery: 50 }, /not in their final state/],
  ['a resume that skips what was missed', { noResume: true, dropEvery: 0 }, /lost events/],
])('control: %s is found', async (_, faults, fault) => {
  const { code, report } = await play(officeTrace(), faults)
  expect(report.faults.join('; ')).toMatch(fault)
  expect(code).toBe(1)
})
