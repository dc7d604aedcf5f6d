import type { Forecast, ForecastReason } from '../../../shared/eta.ts'
import type { Prediction, Predictor } from '../../../shared/prediction/predictor.ts'

/** Places of the line that are foreseen; between them estimates are drawn straight. */
const PLACES = [0, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 140, 210]
/** Calls of a line until what was learned is announced. */
const ENOUGH_CALLS = 20
/** A forecast is announced when the median at some place changed by more: followers count every estimate anew then. */
const CHANGE = 0.06
const CHANGE_SECONDS = 20
/** From here on a change is a jump, which has a reason. */
const JUMP = 0.25
const JUMP_SECONDS = 180

interface Circumstances {
  line: string
  kind: string
  at: number
  agents_open: number
  /** Ids of those who wait, in the order of service. */
  waiting: readonly number[]
}

/** What those who wait and those who come have before them, by place; null while too little was seen. */
export function forecastOf(predictor: Predictor, now: Circumstances): Omit<Forecast, 'reason'> | null {
  const { line, kind, at, agents_open, waiting } = now
  if (agents_open === 0 || predictor.startsSeen(line) < ENOUGH_CALLS) return null
  const points: Forecast['points'] = []
  for (const place of PLACES) {
    const id = waiting[place]
    const told =
      (id === undefined ? null : predictor.remaining(id, at, place)) ?? predictor.foresee(line, kind, at, place)
    points.push(notBefore(points.at(-1), place, told))
    if (place > 2 * waiting.length + 10) break
  }
  return { agents_open, points }
}

/** Whoever stands further back does not wait less. */
function notBefore(
  last: Forecast['points'][number] | undefined,
  place: number,
  told: Prediction,
): Forecast['points'][number] {
  const [, low = 0, median = 0, high = 0] = last ?? []
  return [
    place,
    Math.max(low, Math.round(told.p10)),
    Math.max(median, Math.round(told.p50)),
    Math.max(high, Math.round(told.p90)),
  ]
}

/** The forecast to announce instead of the last one, with the reason of a jump; null when little changed. */
export function announced(
  before: Forecast | null,
  now: Omit<Forecast, 'reason'> | null,
  overtaken: boolean,
): Forecast | null {
  if (!now) return null
  if (!before) return { ...now, reason: null }
  const hasMoved = now.points.some(([place, , median]) => {
    const was = medianAt(before, place)
    return Math.abs(median - was) > Math.max(CHANGE_SECONDS, CHANGE * was)
  })
  if (!hasMoved && before.agents_open === now.agents_open && before.points.length === now.points.length) return null
  return { ...now, reason: reasonOf(before, now, overtaken) }
}

function reasonOf(before: Forecast, now: Omit<Forecast, 'reason'>, overtaken: boolean): ForecastReason | null {
  const [place, , median] = now.points[Math.min(3, now.points.length - 1)]!
  const was = medianAt(before, place)
  if (Math.abs(median - was) < Math.max(JUMP_SECONDS, JUMP * was)) return null
  const isLonger = median > was
  if (isLonger && now.agents_open < before.agents_open) return 'counter_closed'
  if (!isLonger && now.agents_open > before.agents_open) return 'counter_opened'
  if (isLonger && overtaken) return 'priority_ahead'
  return isLonger ? 'slower_than_usual' : 'faster_than_usual'
}

const medianAt = ({ points }: Forecast, place: number): number => points.findLast(([at]) => at <= place)?.[2] ?? 0
