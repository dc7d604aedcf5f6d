import { type QueuePlan } from './plan.ts'
import { DAY_SECONDS } from './staffing.ts'

export interface Selection {
  /** Local instant or day of the trace: `2020-01-13T10:00`, `2020-01-13`, or `3` for its third active day. */
  from?: string | undefined
  /** Exclusive instant, or the last day played. */
  until?: string | undefined
  /** At most so many active days. */
  days?: number | undefined
  /** At most so many tickets. */
  tickets?: number | undefined
}

/**
 * The part of a plan to play. Service times stay those derived from the whole trace; counters already open at the first
 * arrival open with it. Queues without a visit in the part are left out.
 * @throws RangeError when nothing is left, or a bound is neither a day nor an instant
 */
export function selectVisits(plan: readonly QueuePlan[], selection: Selection): QueuePlan[] {
  const visits = plan.flatMap((queue) => queue.visits).sort((a, b) => a.index - b.index)
  const days = [...new Set(visits.map((visit) => Math.floor(visit.arrival_s / DAY_SECONDS)))]
  const from = selection.from === undefined ? Number.NEGATIVE_INFINITY : instant(selection.from, days, 0)
  const until = selection.until === undefined ? Number.POSITIVE_INFINITY : instant(selection.until, days, 1)
  let chosen = visits.filter((visit) => visit.arrival_s >= from && visit.arrival_s < until)
  if (selection.days !== undefined) {
    const kept = new Set(days.filter((day) => (day + 1) * DAY_SECONDS > from).slice(0, selection.days))
    chosen = chosen.filter((visit) => kept.has(Math.floor(visit.arrival_s / DAY_SECONDS)))
  }
  chosen = chosen.slice(0, selection.tickets)
  const first = chosen[0]
  if (!first) throw new RangeError('no visit of the trace lies in the chosen part')
  const kept = new Set(chosen)
  return plan
    .map((queue) => ({
      ...queue,
      visits: queue.visits.filter((visit) => kept.has(visit)),
      staffing: staffingFrom(queue, first.arrival_s),
    }))
    .filter((queue) => queue.visits.length > 0)
}

function staffingFrom({ staffing }: QueuePlan, at_s: number) {
  const before = staffing.findLast((step) => step.at_s <= at_s)
  const later = staffing.filter((step) => step.at_s > at_s)
  return before && before.open > 0 ? [{ at_s, open: before.open }, ...later] : later
}

/** Local seconds of a bound; `dayOffset` 1 makes a plain day end at its midnight. */
function instant(text: string, days: readonly number[], dayOffset: 0 | 1): number {
  if (/^\d{1,3}$/.test(text)) {
    const day = days[Number(text) - 1]
    if (day === undefined) throw new RangeError(`the trace has ${days.length} active days, there is no day ${text}`)
    return (day + dayOffset) * DAY_SECONDS
  }
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  // Trace seconds count local wall-clock time as if it were UTC, so no time zone enters here.
  const seconds = Temporal.PlainDateTime.from(text).toZonedDateTime('UTC').epochMilliseconds / 1000
  return seconds + (isDay ? dayOffset * DAY_SECONDS : 0)
}

/** A virtual instant for people: `2020-01-13 10:42`. */
export const formatInstant = (at_s: number) =>
  Temporal.Instant.fromEpochMilliseconds(Math.floor(at_s) * 1000)
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' })
    .replace('T', ' ')
