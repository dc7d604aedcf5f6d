import { type Prediction, Predictor } from '../../shared/prediction/predictor.ts'
import { feed, lineOf } from '../../server/replay/estimates/replay.ts'
import { ARRIVE, ASK, END, eventsOf, LEAVE, type Row, START } from '../../server/replay/estimates/rows.ts'
import { Baselines } from './baselines.ts'

export interface Answer {
  row: Row
  at: number
  wait: number
  prediction: Prediction
  baselines: Record<string, number>
}
export interface Run {
  atIssue: Answer[]
  live: Answer[]
  lines: number
  stateBytes: number
  /** Milliseconds of each event: predict, learn, keep the books. */
  costs: number[]
}

/** Every predictor on one trace, side by side, from the same events. */
export function runTrace(rows: readonly Row[]): Run {
  const predictor = new Predictor()
  const lines = new Map<string, Baselines>()
  const told = new Map<number, Record<string, number>>()
  const run: Run = { atIssue: [], live: [], lines: 0, stateBytes: 0, costs: [] }
  let events = 0
  for (const event of eventsOf(rows, true)) {
    const { at, kind, row } = event
    const key = lineOf(row)
    let line = lines.get(key)
    if (!line) lines.set(key, (line = new Baselines()))
    line.advance(at)
    const began = performance.now()
    const prediction = feed(predictor, event)
    run.costs.push(performance.now() - began)
    if (events++ % 2000 === 0) run.stateBytes = Math.max(run.stateBytes, predictor.save().length / lines.size)
    if (kind === ARRIVE) {
      if (row.open !== null) line.setOpen(row.open)
      const baselines = line.tell(row)
      told.set(row.i, baselines)
      line.arrive(row)
      if (isScored(row))
        run.atIssue.push({ row, at, wait: row.start_s! - row.arrival_s, prediction: prediction!, baselines })
    } else if (kind === ASK) {
      const baselines = line.remaining(row, told.get(row.i)!)
      if (prediction) run.live.push({ row, at, wait: row.start_s! - at, prediction, baselines })
    } else if (kind === START) line.start(row, at)
    else if (kind === END) line.end(row, at)
    else if (kind === LEAVE) line.leave(row)
  }
  run.lines = lines.size
  return run
}

const isScored = (row: Row) => row.isScored && row.start_s !== null

/** Without the first active days, on which everybody learns. */
export function afterWarmUp(answers: readonly Answer[], rows: readonly Row[], days: number): Answer[] {
  const dayOf = (row: Row) => Math.floor(row.arrival_s / 86_400)
  const first = new Set([...new Set(rows.map(dayOf))].sort((a, b) => a - b).slice(0, days))
  return answers.filter(({ row }) => !first.has(dayOf(row)))
}
