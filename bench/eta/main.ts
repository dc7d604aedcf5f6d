/** `npm run bench:eta -- [TRACE.csv.gz …] [--document]`: docs/wait-times.md says what is measured and how. */
import { parseArgs } from 'node:util'
import { basename } from 'node:path'
import { SCENES } from '../../test/queues.ts'
import { readRows } from '../../server/replay/estimates/rows.ts'
import { document } from './document.ts'
import { goalsOf, optimumRatio } from './goals.ts'
import { runTrace } from './run.ts'
import { score, type Score } from './score.ts'
import { baselineTable, goalTable, scoreTable } from './tables.ts'

/** The office day of the demo: what is here when no trace is given. */
const DEMO = new URL('../../db/demo/warsaw-ochota-day.csv.gz', import.meta.url).pathname
const SEED = 7
const WARM_UP_DAYS = 3
/** A place open day and night needs longer until everybody has seen enough. */
const LONG_WARM_UP_DAYS = 45
const LONG_TRACE_DAYS = 80

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { document: { type: 'boolean', default: false }, simulated: { type: 'boolean', default: true } },
  allowNegative: true,
})
const traces: Record<string, Score> = {}
const simulated: Record<string, Score> = {}
for (const path of positionals.length > 0 ? positionals : [DEMO]) {
  const rows = readRows(path)
  const days = new Set(rows.map(({ arrival_s }) => Math.floor(arrival_s / 86_400))).size
  const warmUp = days > LONG_TRACE_DAYS ? LONG_WARM_UP_DAYS : Math.min(WARM_UP_DAYS, days - 1)
  console.error(`${basename(path)}: ${rows.length} rows, ${days} days, scored after ${warmUp}`)
  traces[basename(path).replace(/\.csv(\.gz)?$/, '')] = score(rows, runTrace(rows), warmUp)
}
const optima: Record<string, number> = {}
for (const [name, make] of options.simulated ? Object.entries(SCENES) : []) {
  console.error(name)
  const rows = make(SEED)
  const run = runTrace(rows)
  const warmUp = name === 'hospital' ? LONG_WARM_UP_DAYS : WARM_UP_DAYS
  simulated[name] = score(rows, run, warmUp)
  optima[name] = optimumRatio(name, rows, run, warmUp)
}
const tables = [
  '### Recorded days',
  scoreTable(traces),
  baselineTable(traces),
  ...(options.simulated ? ['### Simulated days', scoreTable(simulated), baselineTable(simulated)] : []),
  '### Goals',
  goalTable(goalsOf(traces, simulated, optima)),
].join('\n\n')
console.log(tables)
if (options.document) document(tables)
