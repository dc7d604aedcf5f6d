import { type Prediction, Predictor } from '../../../shared/prediction/predictor.ts'
import { ARRIVE, ASK, END, eventsOf, LEAVE, type Row, START, type TraceEvent } from './rows.ts'

/** What was told, to whom and when. */
export interface Told extends Prediction {
  row: Row
  at: number
}

/** Offices write `office:queue` and each of their classes is a line of its own; all other classes share one. */
export const lineOf = (row: Row): string => (row.class.includes(':') ? row.class : '')

/** Feeds one event to the predictor; answers what it tells at an arrival or a question. */
export function feed(predictor: Predictor, { at, kind, row }: TraceEvent): Prediction | null {
  if (kind === ARRIVE) {
    if (row.open !== null) predictor.setOpen(lineOf(row), row.open, at)
    return predictor.arrive(row.i, lineOf(row), row.class, at)
  }
  if (kind === ASK) return predictor.remaining(row.i, at)
  if (kind === START) predictor.start(row.i, at)
  else if (kind === END) predictor.end(row.i, lineOf(row), at)
  else if (kind === LEAVE) predictor.leave(row.i, at)
  return null
}

/**
 * What the product's predictor tells in a trace, event by event with what was known at that instant: at each arrival,
 * or, when `isLive`, once in each longer wait.
 */
export function* predictTrace(rows: readonly Row[], isLive = false): Generator<Told> {
  const predictor = new Predictor()
  for (const event of eventsOf(rows, isLive)) {
    const prediction = feed(predictor, event)
    if (prediction && event.row.isScored && event.kind === (isLive ? ASK : ARRIVE)) {
      yield { row: event.row, at: event.at, ...prediction }
    }
  }
}

/** The lines of `eta-replay`, in the order of the trace. */
export function* linesOf(rows: readonly Row[], isLive: boolean): Generator<string> {
  const told = [...predictTrace(rows, isLive)].sort((a, b) => a.row.i - b.row.i)
  for (const { row, at, p10, p50, p90 } of told) {
    const asked = isLive && { asked_at_s: at }
    yield JSON.stringify({ i: row.i, ...asked, p10: rounded(p10), p50: rounded(p50), p90: rounded(p90) })
  }
}

/** To the millisecond, which no wait is known to. */
const rounded = (seconds: number) => Math.round(seconds * 1000) / 1000
