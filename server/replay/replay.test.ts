import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { startControlServer, type Faults } from './control-server.ts'
import { replay } from './index.ts'
import type { ReplayReport } from './report.ts'

const directory = mkdtempSync(join(tmpdir(), 'replay-'))
const header = 'arrival_s,start_s,end_s,class,server,abandoned,open_servers,scored'

/** Two days at an office of two queues: one busy with two counters, one calm; some give up. */
function office(): string {
  const rows: [number, string][] = []
  for (const day of [18000, 18001]) {
    const opening = day * 86_400 + 9 * 3600
    for (let n = 0; n < 60; n++) {
      const arrival = opening + Math.floor(n / 2) * 60
      rows.push([
        arrival,
        n % 7 === 6
          ? `${arrival},,${arrival + 240},Office:1,,1,2,1`
          : `${arrival},${opening + 60 + n * 70},,Office:1,,0,2,1`,
      ])
      if (n % 3 === 0) rows.push([arrival + 30, `${arrival + 30},${arrival + 30 + (n % 4) * 40},,Office:2,,0,1,1`])
    }
  }
  return file('office', rows)
}
/** A pool of three named agents, two priorities. */
function bank(): string {
  const rows: [number, string][] = []
  for (let n = 0; n < 120; n++) {
    const arrival = 918_000_000 + n * 20
    rows.push([
      arrival,
      n % 11 === 5
        ? `${arrival},,${arrival + 45},R-NW,,1,,1`
        : `${arrival},${arrival + 5},${arrival + 5 + 30 + ((n * 37) % 60)},${n % 4 === 0 ? 'P' : 'R'}-PS,a${n % 3},0,,1`,
    ])
  }
  return file('bank', rows)
}
function file(name: string, rows: [number, string][]): string {
  const path = join(directory, `${name}.csv.gz`)
  rows.sort(([a], [b]) => a - b)
  writeFileSync(path, gzipSync([header, ...rows.map(([, row]) => row), ''].join('\n')))
  return path
}

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
  ['office', office],
  ['bank', bank],
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
  const { report } = await play(office())
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
])(
  'control: %s is found',
  async (_, faults, fault) => {
    const { code, report } = await play(office(), faults)
    expect(report.faults.join('; ')).toMatch(fault)
    expect(code).toBe(1)
  },
  20_000,
)
