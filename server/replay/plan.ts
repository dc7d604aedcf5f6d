import { deriveServiceSeconds } from './service-times.ts'
import { openCounters, shifts, type StaffingStep } from './staffing.ts'
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
export interface QueuePlan {
  key: string
  algorithm: 'fifo' | 'priority'
  visits: PlannedVisit[]
  staffing: StaffingStep[]
}

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

/** Counters a queue needs: the most that are ever open. */
export const mostOpen = (queue: QueuePlan) => Math.max(1, ...queue.staffing.map((step) => step.open))
