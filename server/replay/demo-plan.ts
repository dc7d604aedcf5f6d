import { simulate } from './oracle.ts'
import { mostOpen, type PlannedVisit, type QueuePlan } from './plan.ts'

/** An agent of the demo and the queues they serve. */
export interface DemoAgent {
  id: number
  queueIds: readonly number[]
}
/** A queue of the demo and the part of the real day it is given. */
export interface DemoPart {
  queueId: number
  plan: QueuePlan
}

/** A little spare capacity, so that a smaller team than the office's does not fall behind for the whole day. */
const LOAD = 0.92
const GOLDEN = (Math.sqrt(5) - 1) / 2

/**
 * Deals the classes of a real day to queues, busiest class first, turned by `turn` so that tenants differ. Where fewer
 * agents serve a queue than the office had counters, only that share of the visitors comes: service takes as long as it
 * took, and the wait stays a wait.
 */
export function castDay(
  day: readonly QueuePlan[],
  queueIds: readonly number[],
  agents: readonly DemoAgent[],
  turn: number,
): DemoPart[] {
  const classes = day.toSorted((a, b) => b.visits.length - a.visits.length)
  return queueIds.map((queueId, i) => {
    const plan = classes[(i + turn) % classes.length] as QueuePlan
    const serving = agents.filter((agent) => agent.queueIds.includes(queueId))
    const hands = serving.reduce((sum, agent) => sum + 1 / agent.queueIds.length, 0)
    const share = Math.min(1, (LOAD * hands) / mostOpen(plan))
    // Multiples of the golden ratio are spread evenly, so the visitors who come are too.
    const visits = plan.visits.filter((_, n) => (n * GOLDEN) % 1 < share)
    const staffing = plan.staffing.map(({ at_s, open }) => ({ at_s, open: open * Math.min(1, hands / mostOpen(plan)) }))
    return { queueId, plan: { ...plan, visits, staffing } }
  })
}

/** Who is in the building at an instant, in order of arrival: those the demo takes in at once when it starts mid-day. */
export function presentAt(plan: QueuePlan, at_s: number): PlannedVisit[] {
  const outcomes = simulate(
    plan.visits,
    plan.staffing.map(({ at_s: from, open }) => ({ at_s: from, open: Math.ceil(open) })),
  )
  return plan.visits.filter(
    (visit, i) => visit.arrival_s <= at_s && (outcomes[i]?.end_s ?? Number.POSITIVE_INFINITY) > at_s,
  )
}

/** Share of the counters open at an instant, over all parts: 1 when everything is open. */
export function openShare(parts: readonly DemoPart[], at_s: number): number {
  const open = parts.reduce(
    (sum, { plan }) => sum + (plan.staffing.findLast((step) => step.at_s <= at_s)?.open ?? 0),
    0,
  )
  const most = parts.reduce((sum, { plan }) => sum + Math.max(0, ...plan.staffing.map((step) => step.open)), 0)
  return most === 0 ? 0 : open / most
}
