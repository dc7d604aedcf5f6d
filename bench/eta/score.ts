import { NAIVE, NAIVE_BY_SERVERS, QL } from './baselines.ts'
import type { Answer, Run } from './run.ts'
import { afterWarmUp } from './run.ts'
import type { Row } from '../../server/replay/estimates/rows.ts'

const COLD = 300
/** Days with fewer waits say nothing about coverage. */
const TICKETS_OF_A_DAY = 20
const LATE_SECONDS = 600

export interface Score {
  n: number
  meanWait: number
  mae: number
  baselines: Record<string, number>
  best: string
  bias: number
  coverage: number
  coverageOfBadDay: number
  pinball: number
  /** The same of the best formula, with the interval around it that hindsight finds to cover four in five. */
  pinballReference: number
  cold: number
  coldReference: number
  live: number
  liveBaselines: Record<string, number>
  liveBest: string
  liveCoverage: number
  lateShare: number
  costP99Ms: number
  stateBytes: number
}

export function score(rows: readonly Row[], run: Run, warmUpDays: number): Score {
  const scored = afterWarmUp(run.atIssue, rows, warmUpDays)
  const live = afterWarmUp(run.live, rows, warmUpDays)
  const baselines = errors(scored)
  const liveBaselines = errors(live)
  const cold = run.atIssue.slice(0, COLD)
  const coldBaselines = errors(cold)
  const days = Map.groupBy(scored, ({ row }) => Math.floor(row.arrival_s / 86_400))
  const coverages = [...days.values()]
    .filter(({ length }) => length >= TICKETS_OF_A_DAY)
    .map((day) => average(day, covers))
  return {
    n: scored.length,
    meanWait: average(scored, ({ wait }) => wait),
    mae: average(scored, miss),
    baselines,
    best: least(baselines),
    bias: average(scored, ({ wait, prediction }) => prediction.p50 - wait),
    coverage: average(scored, covers),
    coverageOfBadDay: quantile(coverages, 0.1),
    pinball: average(
      scored,
      ({ wait, prediction }) => pinball(wait, prediction.p10, 0.1) + pinball(wait, prediction.p90, 0.9),
    ),
    pinballReference: hindsight(scored, least(baselines)),
    cold: average(cold, miss),
    coldReference: Math.min(coldBaselines[NAIVE_BY_SERVERS]!, coldBaselines[QL]!),
    live: average(live, miss),
    liveBaselines,
    liveBest: least(liveBaselines),
    liveCoverage: average(live, covers),
    lateShare: average(scored, ({ wait, prediction }) => Number(wait > prediction.p90 + LATE_SECONDS)),
    costP99Ms: quantile(run.costs, 0.99),
    stateBytes: run.stateBytes,
  }
}

export const naiveRatio = ({ mae, baselines }: Score): number => mae / baselines[NAIVE]!
export const geometricMean = (values: readonly number[]): number => Math.exp(average(values, Math.log))

const miss = ({ wait, prediction }: Answer) => Math.abs(wait - prediction.p50)
const covers = ({ wait, prediction }: Answer) => Number(wait >= prediction.p10 && wait <= prediction.p90)
const pinball = (wait: number, told: number, tau: number) => Math.max(tau * (wait - told), (tau - 1) * (wait - told))
/** Waits are compared as the predictor does, relative when long and absolute when short. */
const SHIFT_SECONDS = 20
function hindsight(answers: readonly Answer[], formula: string): number {
  const off = ({ wait, baselines }: Answer) => Math.log((wait + SHIFT_SECONDS) / (baselines[formula]! + SHIFT_SECONDS))
  const offs = answers.map(off)
  const factors = [Math.exp(quantile(offs, 0.1)), Math.exp(quantile(offs, 0.9))] as const
  const told = (seconds: number, factor: number) => Math.max(0, (seconds + SHIFT_SECONDS) * factor - SHIFT_SECONDS)
  return average(answers, ({ wait, baselines }) => {
    const seconds = baselines[formula]!
    return pinball(wait, told(seconds, factors[0]), 0.1) + pinball(wait, told(seconds, factors[1]), 0.9)
  })
}
const least = (values: Record<string, number>) =>
  Object.entries(values).reduce((best, entry) => (entry[1] < best[1] ? entry : best), ['', Number.POSITIVE_INFINITY])[0]

/** Mean absolute error of each baseline. */
function errors(answers: readonly Answer[]): Record<string, number> {
  const names = Object.keys(answers[0]?.baselines ?? {})
  return Object.fromEntries(
    names.map((name) => [name, average(answers, ({ wait, baselines }) => Math.abs(wait - baselines[name]!))]),
  )
}
export function average<T>(values: readonly T[], of: (value: T) => number): number {
  let sum = 0
  for (const value of values) sum += of(value)
  return sum / values.length
}
function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(p * (sorted.length - 1))] ?? Number.NaN
}
