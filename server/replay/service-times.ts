import type { StaffingStep } from './staffing.ts'
import { median } from './stats.ts'
import type { Visit } from './trace.ts'

/** A service is never longer than this many times the median of its class: beyond it the counter was closed, not busy. */
const CAP_MEDIANS = 3
/** Someone who waited longer than this was waiting for a counter to become free, not for the screen to change. */
const WAITED_SECONDS = 60

/**
 * How long each visit keeps its counter, in seconds, in the order given.
 *
 * A service whose end the source knows is believed as it is. The others only show starts, so starts are dealt to the counters
 * open at the time, each to the counter that has been busy longest; a service lasts until its counter's next start.
 * That is a measurement only when the next customer had been waiting; otherwise (the counter may have stood idle, or it
 * closed) it is an upper bound, and the median of the measurements stands in when it is lower. Capped at three medians,
 * never below one second. Visits that were not served get the median: nobody knows how long they would have taken.
 */
export function deriveServiceSeconds(visits: readonly Visit[], staffing: readonly StaffingStep[]): number[] {
  const spans = visits.map((visit): Span =>
    visit.start_s !== null && visit.end_s !== null ? { seconds: visit.end_s - visit.start_s, measured: true } : unknown,
  )
  const starts = visits.map((_, i) => i).filter((i) => visits[i]?.start_s !== null)
  starts.sort((a, b) => startOf(visits, a) - startOf(visits, b))
  let counters: number[] = []
  let step = 0
  let open = 1
  for (const i of starts) {
    const start = startOf(visits, i)
    while (step < staffing.length && (staffing[step] as StaffingStep).at_s <= start)
      open = Math.max(1, (staffing[step++] as StaffingStep).open)
    if (counters.length >= open) {
      const previous = counters.shift() as number
      // Counters that closed meanwhile: their last customer has no next start.
      counters = counters.slice(Math.max(0, counters.length - (open - 1)))
      if (spans[previous] === unknown) {
        spans[previous] = {
          seconds: start - startOf(visits, previous),
          measured: start - (visits[i] as Visit).arrival_s > WAITED_SECONDS,
        }
      }
    }
    counters.push(i)
  }
  const measured = spans.filter((span) => span.measured).map((span) => span.seconds)
  const typical = median(measured.length > 0 ? measured : [WAITED_SECONDS])
  return spans.map((span, i) => {
    if (visits[i]?.start_s !== null && visits[i]?.end_s !== null) return span.seconds
    const seconds = span.measured ? span.seconds : Math.min(span.seconds, typical)
    return Math.max(1, Math.round(Math.min(seconds, CAP_MEDIANS * typical)))
  })
}

interface Span {
  seconds: number
  measured: boolean
}
const unknown: Span = { seconds: Number.POSITIVE_INFINITY, measured: false }
const startOf = (visits: readonly Visit[], i: number) => (visits[i] as Visit).start_s as number
