import { idleOf } from './by-length.ts'
import type { Line } from './line.ts'
import { clamp, toLog } from './scale.ts'

/** How many classical estimates a sample holds. */
export const EXPERTS = 13
/** Places of those the rest is measured against: throughput, capacity profile, mean by length. */
export const BASE = [0, 3, 5] as const
/** Places of those that compete with the regression. */
export const MIXED = [0, 3, 5] as const

/** Place of position by counters. */
export const COUNTED = 12

/**
 * What each classical formula says to a ticket with `ahead` before it, in log seconds; NaN where one cannot say.
 * Names and sources: docs/wait-times.md.
 */
export function consult(line: Line, kind: number, ahead: number, bucket: number, at: number, out: Float64Array): void {
  const departures = Math.max(0, ahead + 1 - idleOf(bucket))
  const [long, hour, quarter] = line.paces
  const overall = line.overallRate
  const hourly = hour.rate(overall, 900)
  const profiled = (level: number) =>
    departures === 0 ? toLog(0) : toLog(line.profile.secondsFor(departures, at, overall, level))
  const throughput = toLog(departures / hourly)
  const { lastWait, lastAhead, recentLogs } = line
  out[0] = throughput
  out[1] = toLog(departures / quarter.rate(hourly, 300))
  out[2] = toLog(departures / long.rate(line.believedRate, 600))
  out[3] = profiled(1)
  out[4] = profiled(clamp(line.level.rate(1, 3), 0.1, 10))
  out[5] = line.byLength.estimate(kind, bucket, throughput)
  out[6] = lastWait < 0 ? Number.NaN : toLog(lastWait)
  out[7] = line.waitingCount === 0 ? Number.NaN : toLog(line.headWait(at))
  out[8] = lastWait < 0 ? Number.NaN : toLog((lastWait * (ahead + 1)) / (lastAhead + 1))
  out[9] = recentLogs.length === 0 ? Number.NaN : recentLogs.reduce((sum, log) => sum + log, 0) / recentLogs.length
  out[10] = line.byHour.estimate(at)
  out[11] = toLog(patientSeconds(departures, hourly, line.abandonment.rate(0, 3600)))
  out[COUNTED] = counted(line, departures)
}

/** Position by counters: the formula of most products, with the number of servers they leave out. */
function counted(line: Line, departures: number): number {
  if (line.seesEnds) return toLog((departures * line.serviceSeconds) / Math.max(1, Math.round(line.capacity)))
  if (!line.open || line.counterPace.events < 3) return Number.NaN
  return toLog(departures / (line.open * line.counterPace.rate(0, 0)))
}

/** Mean time until `n` have left a line served at `rate` from which each waiter leaves at `theta` (Whitt 1999). */
function patientSeconds(n: number, rate: number, theta: number): number {
  if (theta <= 0) return n / rate
  // The sum of 1 / (rate + i theta) over the n departures, by its integral from one half before to one half after.
  return Math.log1p((n * theta) / Math.max(rate / 2, rate - theta / 2)) / theta
}
