import type { Row } from '../../server/replay/estimates/rows.ts'
import { afterWarmUp, type Run } from './run.ts'
import { average, geometricMean, naiveRatio, type Score } from './score.ts'

export interface Goal {
  id: string
  text: string
  atMost?: number
  atLeast?: number
  measured: number
}

const bestRatio = ({ mae, baselines, best }: Score) => mae / baselines[best]!
const liveRatio = ({ live, liveBaselines, liveBest }: Score) => live / liveBaselines[liveBest]!
const coldRatio = ({ cold, coldReference }: Score) => cold / coldReference

/** What was promised, over the recorded traces; the known optimum over the simulated ones. */
export function goalsOf(
  traces: Readonly<Record<string, Score>>,
  simulated: Readonly<Record<string, Score>>,
  optima: Readonly<Record<string, number>>,
): Goal[] {
  const scores = Object.values(traces)
  const everywhere = [...scores, ...Object.values(simulated)]
  const worst = (of: (score: Score) => number) => Math.max(...scores.map(of))
  const mean = (of: (score: Score) => number) => geometricMean(scores.map(of))
  const known = 'sim-mms' in simulated
  return [
    {
      id: 'E1',
      text: 'error by that of the best formula of each trace, mean',
      atMost: 0.88,
      measured: mean(bestRatio),
    },
    { id: 'E1', text: 'the same, worst trace', atMost: 1, measured: worst(bestRatio) },
    { id: 'E2', text: 'error by that of position x mean service, mean', atMost: 0.18, measured: mean(naiveRatio) },
    { id: 'E2', text: 'the same, worst trace', atMost: 0.46, measured: worst(naiveRatio) },
    {
      id: 'E3',
      text: 'share in the 80 % interval, lowest trace',
      atLeast: 0.78,
      measured: Math.min(...scores.map(({ coverage }) => coverage)),
    },
    { id: 'E3', text: 'the same, highest trace', atMost: 0.83, measured: worst(({ coverage }) => coverage) },
    {
      id: 'E3',
      text: 'the same on the worst day in ten, lowest trace',
      atLeast: 0.7,
      measured: Math.min(...scores.map(({ coverageOfBadDay }) => coverageOfBadDay)),
    },
    {
      id: 'E4',
      text: 'loss of the interval by that of the best formula with the interval that hindsight fits to it, mean',
      atMost: 1,
      measured: mean(({ pinball, pinballReference }) => pinball / pinballReference),
    },
    { id: 'E5', text: 'remaining wait by the best simple formula, mean', atMost: 0.88, measured: mean(liveRatio) },
    { id: 'E5', text: 'the same, worst trace', atMost: 1, measured: worst(liveRatio) },
    {
      id: 'E6',
      text: 'first 300 tickets by the better of two simple formulas, mean',
      atMost: 1.1,
      measured: mean(coldRatio),
    },
    { id: 'E6', text: 'the same, worst trace', atMost: 1.35, measured: worst(coldRatio) },
    ...(known
      ? [
          {
            id: 'E7',
            text: 'M/M/5: error by that of the optimal predictor',
            atMost: 1.06,
            measured: optima['sim-mms']!,
          },
          { id: 'E7', text: 'M/M/10+M: error by that of QLMP', atMost: 1, measured: optima['sim-mmsm']! },
        ]
      : []),
    {
      id: 'E9',
      text: 'predict and learn, p99 in ms, slowest trace',
      atMost: 1,
      measured: Math.max(...everywhere.map(({ costP99Ms }) => costP99Ms)),
    },
    {
      id: 'E9',
      text: 'state in KiB per queue, largest',
      atMost: 64,
      measured: Math.max(...everywhere.map(({ stateBytes }) => stateBytes)) / 1024,
    },
    {
      id: 'E10',
      text: 'share later than the high figure by over 10 min, worst trace',
      atMost: 0.1,
      measured: worst(({ lateShare }) => lateShare),
    },
  ]
}

export const isMet = ({ measured, atMost = Infinity, atLeast = -Infinity }: Goal): boolean =>
  measured <= atMost && measured >= atLeast

const MMS = { servers: 5, serviceSeconds: 180 }

/** Error by the least any predictor can have, where the law is known; NaN elsewhere. */
export function optimumRatio(name: string, rows: readonly Row[], run: Run, warmUpDays: number): number {
  const scored = afterWarmUp(run.atIssue, rows, warmUpDays)
  const mae = average(scored, ({ wait, prediction }) => Math.abs(wait - prediction.p50))
  if (name === 'sim-mmsm') return mae / average(scored, ({ wait, baselines }) => Math.abs(wait - baselines['QLMP']!))
  if (name !== 'sim-mms') return Number.NaN
  const found = busyAndWaiting(rows)
  return (
    mae /
    average(scored, ({ row, wait }) => {
      const { busy, waiting } = found.get(row.i)!
      // The median of waiting + 1 exponential times of mean service / servers: Wilson & Hilferty.
      const k = waiting + 1
      const median = busy < MMS.servers ? 0 : (MMS.serviceSeconds / MMS.servers) * k * (1 - 1 / (9 * k)) ** 3
      return Math.abs(wait - (k === 1 && median > 0 ? (MMS.serviceSeconds / MMS.servers) * Math.LN2 : median))
    })
  )
}

/** What each customer of a first-come-first-served trace found. */
function busyAndWaiting(rows: readonly Row[]): Map<number, { busy: number; waiting: number }> {
  const found = new Map<number, { busy: number; waiting: number }>()
  let here: Row[] = []
  for (const row of rows) {
    here = here.filter(({ end_s }) => end_s === null || end_s > row.arrival_s)
    const waiting = here.filter(({ start_s }) => start_s === null || start_s > row.arrival_s).length
    found.set(row.i, { busy: here.length - waiting, waiting })
    here.push(row)
  }
  return found
}
