import { PGBENCH } from './bench.ts'
import { isMet, type Verdict } from './goals.ts'
import { ratio } from './measure/alternate.ts'
import type { Row } from './measure/sample.ts'

/** Columns padded to their widest cell; the first two to the left, figures to the right. */
function align(rows: readonly (readonly string[])[], left: number): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
const figure = (value: number, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '–')

export function rateTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const { sample, contest, callers, subject } = row
    const factor = subject === PGBENCH ? Number.NaN : ratio(rows, contest, callers, subject, PGBENCH)
    return [
      contest,
      subject,
      String(callers),
      figure(sample.perSecond),
      Number.isNaN(factor) ? '' : `${figure(factor, 2)}x`,
      figure(sample.p50Ms, 2),
      figure(sample.p99Ms, 2),
      figure(sample.serverMicroseconds),
      figure(sample.postgresMicroseconds),
      figure(sample.busyCores, 2),
      sample.failures ? String(sample.failures) : '',
    ]
  })
  const head = [
    'contest',
    'subject',
    'callers',
    'per second',
    'ratio',
    'p50 ms',
    'p99 ms',
    'Node µs',
    'PG µs',
    'cores',
    'failed',
  ]
  return align([head, ...lines], 2)
}

/** A line for each result, a column for each figure. */
export function resultTable<Result>(
  columns: readonly [head: string, of: (result: Result) => number, digits: number][],
  results: readonly Result[],
): string {
  const lines = results.map((result) => columns.map(([, of, digits]) => figure(of(result), digits)))
  return align([columns.map(([head]) => head), ...lines], 0)
}

/** What was measured beside what it should be; figures without a goal are told as they are. */
export function goalTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map((verdict) => {
    const { text, atLeast, atMost, measured } = verdict
    const bound = atLeast !== undefined ? `≥ ${atLeast}` : atMost !== undefined ? `≤ ${atMost}` : ''
    return [text, bound, figure(measured ?? Number.NaN, 2), bound && (isMet(verdict) ? 'met' : 'not met')]
  })
  return align([['goal', 'is', 'measured', ''], ...lines], 1)
}
