/** Remaining wait in whole seconds; all three null when nothing honest can be said. */
export interface Estimate {
  /** Median. */
  eta_seconds: number | null
  /** 10 % wait less than this. */
  eta_low_seconds: number | null
  /** 10 % wait longer than this. */
  eta_high_seconds: number | null
}

export const FORECAST_REASONS = [
  'counter_closed',
  'counter_opened',
  'priority_ahead',
  'slower_than_usual',
  'faster_than_usual',
] as const
/** Why estimates jumped. */
export type ForecastReason = (typeof FORECAST_REASONS)[number]

/** What the predictor of waits foresees for a line, announced when it changes: docs/wait-times.md. */
export interface Forecast {
  /** Agents that delivered service for the queue when it was made. */
  agents_open: number
  reason: ForecastReason | null
  /** Seconds by number of tickets ahead, from 0 on: [ahead, low, median, high]; between them drawn straight. */
  points: [ahead: number, low: number, median: number, high: number][]
}

/** What an estimate is made from; all of it is on every board, so server and browser compute the same figures. */
export interface WaitFactors {
  /** Tickets that will be called earlier. */
  ahead: number
  /** Agents that deliver service for this queue, busy or free. */
  agents_open: number
  /** Those of them who could call somebody now. */
  agents_free: number
  /** Mean time one service takes; null when unknown. */
  service_seconds: number | null
  /** Learned from the line's past; null or absent until enough was seen. */
  forecast?: Forecast | null
}

const NO_ESTIMATE: Estimate = Object.freeze({ eta_seconds: null, eta_low_seconds: null, eta_high_seconds: null })
const NO_WAIT: Estimate = Object.freeze({ eta_seconds: 0, eta_low_seconds: 0, eta_high_seconds: 0 })
/** 90 % quantile of the standard normal distribution. */
const Z90 = 1.2815515655446004

/**
 * Remaining wait of a ticket. With all `s` agents busy and services of mean `m`, agents come free every m/s seconds on
 * average; free agents take the first in line at once; so the ticket waits for `k = ahead + 1 − free` of them, a
 * Gamma(k, m/s) time when services are memoryless (Ibrahim & Whitt 2009; its mean is their QL predictor). Where the
 * line's past has been learned, its forecast says instead what that place waits. No estimate
 * when no agent is open or the pace is unknown: silence harms trust less than a wrong figure.
 */
export function estimateWait({ ahead, agents_open, agents_free, service_seconds, forecast }: WaitFactors): Estimate {
  if (!(agents_open > 0) || service_seconds === null || !(service_seconds > 0)) return NO_ESTIMATE
  const departures = ahead + 1 - Math.min(agents_free, agents_open)
  if (departures <= 0) return NO_WAIT
  if (forecast) return foreseen(forecast, departures - 1, agents_open)
  const scale = service_seconds / agents_open
  return {
    eta_seconds: Math.round(scale * gammaQuantile(departures, 0)),
    eta_low_seconds: Math.round(scale * gammaQuantile(departures, -Z90)),
    eta_high_seconds: Math.round(scale * gammaQuantile(departures, Z90)),
  }
}

/**
 * Quantile of Gamma(shape, 1) at the standard normal quantile `z`, by Wilson & Hilferty (1931): the cube root of a
 * gamma variable is nearly normal. Against exact values between 10 % and 90 %: off by 6.6 % at most for shape 1, under
 * 1.3 % from shape 2 and under 0.3 % from shape 5; far inside the uncertainty of the mean itself.
 */
function gammaQuantile(shape: number, z: number): number {
  return shape * (1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape))) ** 3
}

/** The forecast's figures at a place of the line, more or less of them as agents have gone or come since it was made. */
function foreseen({ points, agents_open: made }: Forecast, ahead: number, agentsOpen: number): Estimate {
  const scale = made / agentsOpen
  const next = points.findIndex(([place]) => place >= ahead)
  const last = points.at(-1)!
  const at = (figure: 1 | 2 | 3): number => {
    if (next < 0) return Math.round((scale * last[figure] * (ahead + 1)) / (last[0] + 1))
    const [to, from] = [points[next]!, points[Math.max(0, next - 1)]!]
    const share = to[0] === from[0] ? 1 : (ahead - from[0]) / (to[0] - from[0])
    return Math.round(scale * (from[figure] + (to[figure] - from[figure]) * share))
  }
  return { eta_seconds: at(2), eta_low_seconds: at(1), eta_high_seconds: at(3) }
}
