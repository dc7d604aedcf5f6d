import { deriveServiceSeconds } from './service-times.ts'
import { median } from './stats.ts'
import type { Visit } from './trace.ts'

/** One customer as the replay plays them: when they come, how long they take, when they give up. */
export interface PlannedVisit {
  /** Place in the trace, from 0; the last word between customers of the same second. */
  index: number
  arrival_s: number
  service_s: number
  /** Leaves at this instant if not called by then; null waits for ever (a served customer's patience is not known). */
  leaves_s: number | null
  /** 0 regular, 1 ahead of all regular customers. */
  priority: 0 | 1
  /** The wait the trace itself shows; null for those who left. */
  trace_wait_s: number | null
}
/** From `at_s` on, `open` counters serve. An agent too many finishes the customer in hand, then leaves. */
export interface StaffingStep {
  at_s: number
  open: number
}
export interface QueuePlan {
  key: string
  algorithm: 'fifo' | 'priority'
  visits: PlannedVisit[]
  staffing: StaffingStep[]
}

export const DAY_SECONDS = 86_400
/** Services of one agent further apart than this belong to two shifts: the agent was away between them. */
const SHIFT_GAP_SECONDS = 600

/**
 * What a trace asks of the system. A trace that names its servers is one pool of agents: one queue in which classes
 * `P-…` go before classes `R-…`. Otherwise each class is a queue with its own counters.
 */
export function planTrace(visits: readonly Visit[]): QueuePlan[] {
  const indexed = visits.map((visit, index) => ({ visit, index }))
  if (visits.some((visit) => visit.server !== null)) return [poolPlan(indexed)]
  const classes = Map.groupBy(indexed, ({ visit }) => visit.class)
  return [...classes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, rows]) => classPlan(key, rows))
}

interface IndexedVisit {
  visit: Visit
  index: number
}

function classPlan(key: string, rows: IndexedVisit[]): QueuePlan {
  const visits = rows.map(({ visit }) => visit)
  const staffing = openCounters(visits)
  const services = deriveServiceSeconds(visits, staffing)
  return {
    key,
    algorithm: 'fifo',
    staffing,
    visits: rows.map(({ visit, index }, i) => planned(visit, index, services[i] as number, 0)),
  }
}

function poolPlan(rows: IndexedVisit[]): QueuePlan {
  const visits = rows.map(({ visit }) => visit)
  const known = visits.filter((visit) => visit.start_s !== null && visit.end_s !== null).map(serviceSeconds)
  const typical = known.length > 0 ? median(known) : 1
  return {
    key: 'pool',
    algorithm: 'priority',
    staffing: shifts(visits),
    visits: rows.map(({ visit, index }) => {
      const seconds = visit.start_s !== null && visit.end_s !== null ? serviceSeconds(visit) : typical
      return planned(visit, index, seconds, visit.class.startsWith('P-') ? 1 : 0)
    }),
  }
}

const serviceSeconds = (visit: Visit) => (visit.end_s as number) - (visit.start_s as number)

function planned(visit: Visit, index: number, service_s: number, priority: 0 | 1): PlannedVisit {
  return {
    index,
    arrival_s: visit.arrival_s,
    service_s,
    leaves_s: visit.abandoned ? visit.end_s : null,
    priority,
    trace_wait_s: visit.start_s === null ? null : visit.start_s - visit.arrival_s,
  }
}

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
function shifts(visits: readonly Visit[]): StaffingStep[] {
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

/** Counters a queue needs: the most that are ever open. */
export const mostOpen = (queue: QueuePlan) => Math.max(1, ...queue.staffing.map((step) => step.open))
