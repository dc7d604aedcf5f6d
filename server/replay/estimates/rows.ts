import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** One row of a trace, as much of it as makes sense. Times are seconds of the local wall clock. */
export interface Row {
  /** From 0, counting every row under the header, also those that make no sense. */
  i: number
  arrival_s: number
  /** Null for those who left, and those still waiting when the trace ends. */
  start_s: number | null
  /** End of service, or the instant of leaving. */
  end_s: number | null
  class: string
  isAbandoned: boolean
  open: number | null
  isScored: boolean
}

/**
 * Reads a trace, gzip or plain, taking columns by name and whatever order rows stand in. A row without an arrival is
 * left out; what else is odd in a row counts as unknown.
 * @throws Error when the file cannot be read or has no column `arrival_s`
 */
export function readRows(path: string): Row[] {
  const bytes = readFileSync(path)
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString()
  const [header = '', ...lines] = text.split(/\r?\n/)
  const columns = header
    .replace(/^\uFEFF/, '')
    .split(',')
    .map((name) => name.trim())
  if (!columns.includes('arrival_s')) throw new Error(`${path}: not a trace, there is no column arrival_s`)
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line, i) => parseRow(columns, line, i)).filter((row) => row !== null)
}

function parseRow(columns: readonly string[], line: string, i: number): Row | null {
  const cells = line.split(',')
  const cell = (name: string) => cells[columns.indexOf(name)]?.trim() ?? ''
  const number = (name: string) => {
    const value = cell(name) === '' ? Number.NaN : Number(cell(name))
    return Number.isFinite(value) ? value : null
  }
  const arrival_s = number('arrival_s')
  if (arrival_s === null) return null
  const start = number('start_s')
  const end = number('end_s')
  const isAbandoned = cell('abandoned') === '1' || (start === null && end !== null)
  const start_s = isAbandoned || start === null ? null : Math.max(start, arrival_s)
  return {
    i,
    arrival_s,
    start_s,
    end_s: end === null || end < (start_s ?? arrival_s) ? null : end,
    class: cell('class'),
    isAbandoned,
    open: number('open_servers'),
    isScored: cell('scored') !== '0',
  }
}

/** What happens at one instant, in this order. */
export const END = 0
export const START = 1
export const LEAVE = 2
export const ASK = 3
export const ARRIVE = 4
/** Of those who came at this very instant. */
const AT_ONCE = 5

export interface TraceEvent {
  at: number
  kind: typeof END | typeof START | typeof LEAVE | typeof ASK | typeof ARRIVE
  row: Row
}

/** Waits shorter than this are not asked about again. */
const ASKED_FROM_SECONDS = 120
/** Multiples of the plastic number's inverse visit the unit interval evenly: an instant of each wait, without chance. */
const PLASTIC = 0.754_877_666_246_692_7

/**
 * The events of a trace in the order in which they happened: ends, starts, leavings, questions, arrivals, then the
 * starts and leavings of those who just came. `isAsked` adds one question in each scored wait of more than 2 minutes.
 */
export function eventsOf(rows: readonly Row[], isAsked = false): TraceEvent[] {
  const events: (TraceEvent & { order: number })[] = []
  const add = (at: number, kind: TraceEvent['kind'], row: Row, order: number) => events.push({ at, kind, row, order })
  for (const row of rows) {
    const { arrival_s, start_s, end_s } = row
    add(arrival_s, ARRIVE, row, ARRIVE)
    if (start_s !== null) {
      add(start_s, START, row, start_s === arrival_s ? AT_ONCE : START)
      if (end_s !== null) add(end_s, END, row, end_s === start_s ? AT_ONCE + 1 : END)
      const wait = start_s - arrival_s
      if (isAsked && row.isScored && wait > ASKED_FROM_SECONDS) {
        add(arrival_s + Math.max(1, Math.floor(wait * ((0.5 + row.i * PLASTIC) % 1))), ASK, row, ASK)
      }
    } else if (end_s !== null) add(end_s, LEAVE, row, end_s === arrival_s ? AT_ONCE : LEAVE)
  }
  return events.sort((a, b) => a.at - b.at || a.order - b.order || a.row.i - b.row.i)
}
