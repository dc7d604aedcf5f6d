import { Heap } from './heap.ts'
import type { PlannedVisit } from './plan.ts'
import type { StaffingStep } from './staffing.ts'

/** What happened to one visit: called and served, or gone at `end_s`. */
export interface Outcome {
  /** Null when the customer left before being called. */
  start_s: number | null
  end_s: number
}

type Line = Pick<PlannedVisit, 'arrival_s' | 'service_s' | 'leaves_s' | 'priority'>

/**
 * The reference: a discrete-event simulation of one queue, without a server, a network or a clock.
 *
 * Within one instant: services end, counters open and close, customers arrive, free agents call (priority first, then
 * arrival, then place in the list), and last those leave whose patience ends. A closing counter finishes its customer.
 * Deterministic; O(n log n). `visits` must be in order of arrival, `staffing` in order of time.
 * @returns one outcome per visit, in the order given; undefined for one still waiting when no counter opens any more
 */
export function simulate(visits: readonly Line[], staffing: readonly StaffingStep[]): (Outcome | undefined)[] {
  const outcomes: (Outcome | undefined)[] = Array.from({ length: visits.length })
  const line = (index: number) => visits[index] as Line
  const ends = new Heap<number>((a, b) => a < b)
  const waiting = new Heap<number>((a, b) =>
    line(a).priority === line(b).priority ? a < b : line(a).priority > line(b).priority,
  )
  const leaving = new Heap<number>((a, b) => (line(a).leaves_s as number) < (line(b).leaves_s as number))
  let open = 0
  let arrived = 0
  let stepped = 0
  for (;;) {
    while (leaving.size > 0 && outcomes[leaving.peek() as number]) leaving.pop()
    const patience = leaving.peek()
    const now = Math.min(
      ends.peek() ?? Number.POSITIVE_INFINITY,
      staffing[stepped]?.at_s ?? Number.POSITIVE_INFINITY,
      visits[arrived]?.arrival_s ?? Number.POSITIVE_INFINITY,
      patience === undefined ? Number.POSITIVE_INFINITY : (line(patience).leaves_s as number),
    )
    if (now === Number.POSITIVE_INFINITY) return outcomes
    while (ends.peek() === now) ends.pop()
    while (staffing[stepped]?.at_s === now) open = (staffing[stepped++] as StaffingStep).open
    for (; visits[arrived]?.arrival_s === now; arrived++) {
      waiting.push(arrived)
      if (line(arrived).leaves_s !== null) leaving.push(arrived)
    }
    while (ends.size < open && waiting.size > 0) {
      const next = waiting.pop() as number
      if (outcomes[next]) continue
      outcomes[next] = { start_s: now, end_s: now + line(next).service_s }
      ends.push(now + line(next).service_s)
    }
    // A service of no length ends in this same instant and frees its counter before anybody loses patience.
    if (ends.peek() === now) continue
    while (leaving.size > 0 && (line(leaving.peek() as number).leaves_s as number) <= now) {
      const gone = leaving.pop() as number
      outcomes[gone] ??= { start_s: null, end_s: now }
    }
  }
}
