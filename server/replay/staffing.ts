import type { Visit } from './trace.ts'

/** From `at_s` on, `open` counters serve. An agent too many finishes the customer in hand, then leaves. */
export interface StaffingStep {
  at_s: number
  open: number
}

export const DAY_SECONDS = 86_400
/** Services of one agent further apart than this belong to two shifts: the agent was away between them. */
const SHIFT_GAP_SECONDS = 600

/**
 * Counters open over time, from the figure beside each arrival: none before the day's first start, at least one from
 * then on (people who are waiting are served, whatever a late sample says), none from midnight.
 */
export function openCounters(visits: readonly Visit[]): StaffingStep[] {
  const steps: StaffingStep[] = []
  const set = (at_s: number, open: number) => {
    if ((steps.at(-1)?.open ?? 0) !== open) steps.push({ at_s, open })
  }
  const days = Map.groupBy(visits, (visit) => Math.floor(visit.arrival_s / DAY_SECONDS))
  for (const [day, rows] of [...days].sort(([a], [b]) => a - b)) {
    const firstStart = Math.min(...rows.map((visit) => visit.start_s ?? Number.POSITIVE_INFINITY))
    if (firstStart === Number.POSITIVE_INFINITY) continue
    const before = rows.findLast((visit) => visit.arrival_s <= firstStart)
    set(firstStart, Math.max(1, before?.open_servers ?? 1))
    for (const visit of rows)
      if (visit.arrival_s > firstStart) set(visit.arrival_s, Math.max(1, visit.open_servers ?? 1))
    set((day + 1) * DAY_SECONDS, 0)
  }
  return steps
}

/**
 * Agents at work over time: each from the first start of a shift to its last end. A service whose agent the source does
 * not name is one more agent for as long as it lasts.
 */
export function shifts(visits: readonly Visit[]): StaffingStep[] {
  const changes = new Map<number, number>()
  const add = (at_s: number, by: number) => changes.set(at_s, (changes.get(at_s) ?? 0) + by)
  const served = visits.filter((visit) => visit.start_s !== null && visit.end_s !== null)
  for (const rows of Map.groupBy(served, (visit) => visit.server ?? visit).values()) {
    rows.sort((a, b) => (a.start_s as number) - (b.start_s as number))
    let end = Number.NEGATIVE_INFINITY
    for (const visit of rows) {
      if ((visit.start_s as number) > end + SHIFT_GAP_SECONDS) {
        if (Number.isFinite(end)) add(end, -1)
        add(visit.start_s as number, +1)
      }
      end = Math.max(end, visit.end_s as number)
    }
    add(end, -1)
  }
  let open = 0
  const steps: StaffingStep[] = []
  for (const [at_s, by] of [...changes].sort(([a], [b]) => a - b)) {
    if (by === 0) continue
    open += by
    steps.push({ at_s, open })
  }
  return steps
}
