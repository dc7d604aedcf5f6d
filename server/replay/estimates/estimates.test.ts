import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { Predictor } from '../../../shared/prediction/predictor.ts'
import { SCENES } from '../../../test/queues.ts'
import { randomizer } from '../../../test/random.ts'
import { feed, linesOf, predictTrace, type Told } from './replay.ts'
import { ARRIVE, eventsOf, type Row, readRows } from './rows.ts'

const MAX_STATE_BYTES = 65_536
/** `offices`: two lines of one site, which together are enough for trees. */
const scene = (name: string, count = 2500): Row[] =>
  name === 'offices'
    ? scene('office', count).map((row) => ({ ...row, class: `town:${row.i % 2}` }))
    : SCENES[name]!(11).slice(0, count)

/** The same until `instant`; whatever happens later happens otherwise. */
function scrambled(rows: readonly Row[], instant: number): Row[] {
  const random = randomizer(3)
  const later = (at: number | null) => (at !== null && at > instant ? instant + 1 + random() * 50_000 : at)
  return rows.map((row) => {
    const isFuture = row.arrival_s > instant
    const start_s = row.start_s === null ? null : Math.max(row.arrival_s, later(row.start_s)!)
    const end_s = row.end_s === null ? null : Math.max(start_s ?? row.arrival_s, later(row.end_s)!)
    return { ...row, start_s, end_s, open: isFuture && row.open !== null ? 9 : row.open }
  })
}

type Teller = (rows: readonly Row[]) => Iterable<Told>
/** How many figures told before the instant change when the future does. */
function leaks(rows: readonly Row[], teller: Teller): number {
  const instant = rows[Math.floor(rows.length * 0.6)]!.arrival_s
  const told = (from: readonly Row[]) =>
    [...teller(from)].filter(({ at }) => at <= instant).map(({ row, at, p10, p50, p90 }) => [row.i, at, p10, p50, p90])
  const before = told(rows)
  const after = told(scrambled(rows, instant))
  expect(before.length).toBeGreaterThan(20)
  expect(after.length).toBe(before.length)
  return before.filter((line, i) => String(line) !== String(after[i])).length
}

const ASKED = 7
/** What waiting tickets are told while others come: an instant that depends on nothing that is yet to happen. */
function* askedWhileWaiting(rows: readonly Row[]): Generator<Told> {
  const predictor = new Predictor()
  const came: Row[] = []
  for (const event of eventsOf(rows)) {
    feed(predictor, event)
    if (event.kind !== ARRIVE) continue
    came.push(event.row)
    for (const row of came.slice(-ASKED, -1)) {
      const told = predictor.remaining(row.i, event.at)
      if (told) yield { row, at: event.at, ...told }
    }
  }
}

const SEEN = ['office', 'offices', 'priorities', 'hospital']
test.each(SEEN)('%s: what is told does not depend on what comes later', (name) => {
  expect(leaks(scene(name), predictTrace)).toBe(0)
})

test.each(SEEN)('%s: nor does what is told to those who wait', (name) => {
  expect(leaks(scene(name), askedWhileWaiting)).toBe(0)
})

test('a control that knows the day’s mean wait beforehand is caught', () => {
  function* cheat(rows: readonly Row[]): Generator<Told> {
    const waits = rows.filter(({ start_s }) => start_s !== null).map(({ start_s, arrival_s }) => start_s! - arrival_s)
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length
    for (const told of predictTrace(rows)) yield { ...told, p50: told.p50 + mean * 1e-6 }
  }
  expect(leaks(scene('office'), cheat)).toBeGreaterThan(100)
})

test.each(SEEN)('%s: stopped and restored anywhere, it tells the same, bit for bit', (name) => {
  const events = eventsOf(scene(name), true)
  const steady = new Predictor()
  let restored = new Predictor()
  const random = randomizer(5)
  const lines = name === 'offices' ? 2 : 1
  let restarts = 0
  for (const event of events) {
    if (random() < 0.01) {
      const state = restored.save()
      expect(state.length).toBeLessThan(MAX_STATE_BYTES * lines)
      restored = Predictor.load(state)!
      restarts++
    }
    expect(feed(restored, event)).toEqual(feed(steady, event))
  }
  expect(restarts).toBeGreaterThan(20)
})

test('questions change nothing: an arrival is told the same whether somebody asked in between or not', () => {
  const rows = scene('priorities')
  const told = (isAsked: boolean) => {
    const predictor = new Predictor()
    return eventsOf(rows, isAsked).flatMap((event) => {
      const prediction = feed(predictor, event)
      return event.kind === ARRIVE ? [prediction] : []
    })
  }
  expect(told(true)).toEqual(told(false))
})

test('one line per scored arrival in the trace’s order, low ≤ median ≤ high', () => {
  const rows = scene('hospital', 800).map((row) => ({ ...row, isScored: row.i % 5 !== 0 }))
  const lines = [...linesOf(rows, false)].map(
    (line) => JSON.parse(line) as { i: number; p10: number; p50: number; p90: number },
  )
  expect(lines.map(({ i }) => i)).toEqual(rows.filter(({ isScored }) => isScored).map(({ i }) => i))
  expect(lines.every(({ p10, p50, p90 }) => 0 <= p10 && p10 <= p50 && p50 <= p90 && p90 < 1e7)).toBe(true)
})

test('odd rows are read as far as they make sense and never stop the replay', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'eta-')), 'odd.csv.gz')
  const rows = [
    'arrival_s,start_s,end_s,class,server,abandoned,open_servers,scored',
    '1000,1000,1000,A,s1,0,,1',
    'nonsense',
    '',
    '900,1100,950,A,s1,0,2,1',
    '1000,500,,B,,0,-3,1',
    '1001,,,,,0,x,1',
    '1002,,1002,A,,1,,1',
    '1e12,1e12,1e12,A,,0,,1',
    '1003,99999999999,,A,,0,0,1',
    '-50,-20,-10,Town:1,,0,1,1',
  ]
  writeFileSync(path, gzipSync(rows.join('\n')))
  const lines = [...linesOf(readRows(path), false)].map((line) => JSON.parse(line) as Record<string, number>)
  expect(lines.map(({ i }) => i)).toEqual([0, 3, 4, 5, 6, 7, 8, 9])
  expect(lines.flatMap(Object.values).every(Number.isFinite)).toBe(true)
  for (const line of linesOf(readRows(path), true)) expect(JSON.parse(line)).toHaveProperty('asked_at_s')
})
