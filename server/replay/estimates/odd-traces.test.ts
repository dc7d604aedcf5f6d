import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { Predictor } from '../../../shared/prediction/predictor.ts'
import { ODD_SCENES } from '../../../test/odd-queues.ts'
import { randomizer } from '../../../test/random.ts'
import { replayEstimates } from './index.ts'
import { feed } from './replay.ts'
import { eventsOf, type Row } from './rows.ts'

const HEADER = ['arrival_s', 'start_s', 'end_s', 'class', 'server', 'abandoned', 'open_servers', 'scored'] as const
type Column = (typeof HEADER)[number]
const cellsOf = (row: Row): Record<Column, string> => ({
  arrival_s: String(row.arrival_s),
  start_s: row.start_s === null ? '' : String(row.start_s),
  end_s: row.end_s === null ? '' : String(row.end_s),
  class: row.class,
  server: '',
  abandoned: row.isAbandoned ? '1' : '0',
  open_servers: row.open === null ? '' : String(row.open),
  scored: row.isScored ? '1' : '0',
})
const folder = mkdtempSync(join(tmpdir(), 'eta-'))

/** What `eta-replay` prints for a trace of these rows and columns. */
function printed(rows: readonly Row[], isLive: boolean, columns: readonly Column[] = HEADER): string[] {
  const path = join(folder, 'trace.csv.gz')
  const lines = rows.map((row) => {
    const cells = cellsOf(row)
    return columns.map((name) => cells[name]).join(',')
  })
  writeFileSync(path, gzipSync([columns.join(','), ...lines, ''].join('\n')))
  let text = ''
  replayEstimates(path, isLive, { write: (block: string) => ((text += block), true) })
  return text.split('\n').slice(0, -1)
}

interface Line {
  i: number
  asked_at_s?: number
  p10: number
  p50: number
  p90: number
}
const LINE = /^\{"i":\d+,"p10":[\d.e+-]+,"p50":[\d.e+-]+,"p90":[\d.e+-]+\}$/
const LIVE_LINE = /^\{"i":\d+,"asked_at_s":[\d.e+-]+,"p10":[\d.e+-]+,"p50":[\d.e+-]+,"p90":[\d.e+-]+\}$/

/** Lines as documented, in order, of figures that somebody could be told. */
function expectHonest(lines: readonly string[], format: RegExp, rows: readonly Row[], isServed = true): Line[] {
  for (const line of lines) expect(line).toMatch(format)
  const told = lines.map((line) => JSON.parse(line) as Line)
  expect(told.map(({ i }) => i)).toEqual(told.map(({ i }) => i).toSorted((a, b) => a - b))
  const waits = rows.flatMap(({ start_s, arrival_s }) => (start_s === null ? [] : [start_s - arrival_s]))
  // Where nobody is ever called the line grows for ever.
  const most = isServed ? 5 * Math.max(3600, ...waits) : 1e8
  const odd = told.filter(({ p10, p50, p90 }) => !(0 <= p10 && p10 <= p50 && p50 <= p90 && p90 <= most))
  expect(odd).toEqual([])
  return told
}
/** Enough for some days of any of them. */
const scene = (name: string) => ODD_SCENES[name]!(11).slice(0, 1500)
const SCENES = Object.keys(ODD_SCENES)

test.each(SCENES)('%s: every scored arrival is told something sound, also while it waits', (name) => {
  const rows = scene(name)
  const told = expectHonest(printed(rows, false), LINE, rows)
  expect(told.map(({ i }) => i)).toEqual(rows.map(({ i }) => i))
  const live = expectHonest(printed(rows, true), LIVE_LINE, rows)
  const long = rows.filter(({ start_s, arrival_s }) => start_s !== null && start_s - arrival_s > 120)
  expect(live.map(({ i }) => i)).toEqual(long.map(({ i }) => i))
  for (const { i, asked_at_s } of live) {
    expect(asked_at_s).toBeGreaterThan(rows[i]!.arrival_s)
    expect(asked_at_s).toBeLessThan(rows[i]!.start_s!)
  }
})

test.each(SCENES)('%s: the state stays under 64 KiB and goes on bit for bit', (name) => {
  const steady = new Predictor()
  let restored = new Predictor()
  for (const [n, event] of eventsOf(scene(name), true).entries()) {
    if (n % 400 === 399) {
      const state = restored.save()
      expect(state.length).toBeLessThan(65_536)
      restored = Predictor.load(state)!
    }
    expect(feed(restored, event)).toEqual(feed(steady, event))
  }
})

test('rows in any order are told the same number of things, as sound', () => {
  const random = randomizer(23)
  for (const name of ['night', 'classes', 'stalls']) {
    const rows = scene(name)
      .map((row) => ({ row, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ row }, i) => ({ ...row, i }))
    expect(expectHonest(printed(rows, false), LINE, rows)).toHaveLength(rows.length)
  }
})

test('columns that are missing are unknown, down to arrivals alone', () => {
  const rows = scene('pair')
  for (const missing of HEADER.slice(1)) {
    const columns = HEADER.filter((name) => name !== missing)
    const isServed = missing !== 'start_s'
    expect(expectHonest(printed(rows, false, columns), LINE, rows, isServed)).toHaveLength(rows.length)
  }
  expect(expectHonest(printed(rows, false, ['arrival_s']), LINE, rows, false)).toHaveLength(rows.length)
  expect(printed(rows, true, ['arrival_s'])).toEqual([])
  expect(expectHonest(printed(rows, true, ['start_s', 'arrival_s']), LIVE_LINE, rows).length).toBeGreaterThan(100)
})

test('people who come before the doors open for the first time are not told weeks', () => {
  const rows = scene('early')
  const first = expectHonest(printed(rows, false), LINE, rows).slice(0, 60)
  expect(Math.max(...first.map(({ p90 }) => p90))).toBeLessThan(86_400)
})

test('only who is scored is told, and a trace of nobody is nothing', () => {
  const rows = scene('bursts').map((row) => ({ ...row, isScored: row.i % 3 === 1 }))
  expect(expectHonest(printed(rows, false), LINE, rows).every(({ i }) => i % 3 === 1)).toBe(true)
  expect(printed([], false)).toEqual([])
})
