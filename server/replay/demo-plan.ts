import { simulate } from './oracle.ts'
import { mostOpen, type PlannedVisit, type QueuePlan } from './plan.ts'
import { median } from './stats.ts'

/** An agent of the demo and the queues they serve. */
export interface DemoAgent {
  id: number
  queueIds: readonly number[]
}
export interface DemoQueue {
  id: number
  /** How long its service is said to take. */
  expectedSeconds: number
}
/** A queue of the demo and the part of the real day it is given. */
export interface DemoPart {
  queueId: number
  plan: QueuePlan
}

/** Its multiples are spread evenly between whole numbers: any share of a list is taken evenly from all of it. */
export const GOLDEN = (Math.sqrt(5) - 1) / 2
/** From the call to the counter. */
export const WALK_SECONDS = 30
/** Every so many-th visitor does not come when called. */
export const NO_SHOW_EVERY = 37
/** Which way the visitors come, in turn. */
export const CHANNELS = ['kiosk', 'kiosk', 'kiosk', 'qr', 'kiosk', 'web', 'kiosk', 'reception'] as const

/**
 * Deals the classes of a real day to queues, each the class whose services take most nearly as long as the queue's, none
 * twice before all are used. Where fewer agents serve a queue than the office had counters, only that share of the
 * visitors comes: service takes as long as it took, and the wait stays a wait.
 */
export function castDay(
  day: readonly QueuePlan[],
  queues: readonly DemoQueue[],
  agents: readonly DemoAgent[],
): DemoPart[] {
  let free: QueuePlan[] = []
  return queues.map(({ id, expectedSeconds }) => {
    if (free.length === 0) free = [...day]
    const distance = (plan: QueuePlan) => Math.abs(Math.log(typicalService(plan) / expectedSeconds))
    const plan = free.reduce((best, other) => (distance(other) < distance(best) ? other : best))
    free.splice(free.indexOf(plan), 1)
    const serving = agents.filter((agent) => agent.queueIds.includes(id))
    const hands = serving.reduce((sum, agent) => sum + 1 / agent.queueIds.length, 0)
    const counters = Math.min(1, hands / mostOpen(plan))
    const visits = plan.visits.filter((_, n) => (n * GOLDEN) % 1 < counters)
    const staffing = plan.staffing.map(({ at_s, open }) => ({ at_s, open: Math.ceil(open * counters) }))
    return { queueId: id, plan: { ...plan, visits, staffing } }
  })
}
const typicalService = (plan: QueuePlan) => median(plan.visits.map((visit) => visit.service_s))

/** Who is in the building at an instant, in order of arrival: those the demo takes in at once when it starts mid-day. */
export function presentAt(plan: QueuePlan, at_s: number): PlannedVisit[] {
  const outcomes = simulate(plan.visits, plan.staffing)
  return plan.visits.filter((visit, i) => visit.arrival_s <= at_s && (outcomes[i]?.end_s ?? Infinity) > at_s)
}

/**
 * Whether an agent is at the counter: in the day, each queue keeps as large a part of its agents as it had counters
 * open, the first of them first and never none.
 */
export function isOnDuty(
  agent: DemoAgent,
  agents: readonly DemoAgent[],
  parts: readonly DemoPart[],
  at_s: number,
): boolean {
  return parts.some(({ queueId, plan }) => {
    const place = agents.filter((other) => other.queueIds.includes(queueId)).indexOf(agent)
    const open = plan.staffing.findLast((step) => step.at_s <= at_s)?.open ?? 0
    const team = agents.filter((other) => other.queueIds.includes(queueId)).length
    return place >= 0 && place < Math.ceil((team * open) / mostOpen(plan))
  })
}
