import { simulate } from '../../server/replay/oracle.ts'
import { planTrace, type QueuePlan } from '../../server/replay/plan.ts'
import { selectVisits } from '../../server/replay/select.ts'
import { readTrace } from '../../server/replay/trace.ts'

/** What somebody does in a line at an instant of the day (seconds since its beginning); `visit` counts from 0. */
export interface Step {
  at: number
  kind: 'complete' | 'take' | 'call' | 'leave'
  visit: number
}
/** One queue's whole day, in the order in which things happen, and the agents it needs at once. */
export interface Line {
  steps: Step[]
  agents: number
  visits: number
}

/** Within one instant, as the oracle has it: ends, arrivals, calls, and last those who lose patience. */
const ORDER: Record<Step['kind'], number> = { complete: 0, take: 1, call: 2, leave: 3 }

/**
 * The lines of a trace’s first day, or of as many of its hours, the busiest in a row: who comes when, is called when, ends or
 * leaves when, as the discrete-event oracle has it. Those who came before such hours are left out.
 * @throws Error when the file is no trace
 */
export async function linesOf(trace: string, hours?: number): Promise<Line[]> {
  const plan = planTrace(await Array.fromAsync(readTrace(trace)))
  const day = selectVisits(plan, { days: 1 })
  if (hours === undefined) return day.map(lineOf)
  const from = busiest(
    day.flatMap(({ visits }) => visits.map(({ arrival_s }) => arrival_s)),
    hours,
  )
  const bounds = { from: instantOf(from), until: instantOf(from + hours * 3600) }
  return selectVisits(plan, { days: 1, ...bounds }).map(lineOf)
}

/** The full hour from which on most come within so many hours. */
function busiest(arrivals: readonly number[], hours: number): number {
  const within = (from: number) => arrivals.filter((at) => at >= from && at < from + hours * 3600).length
  const starts = [...new Set(arrivals.map((at) => at - (at % 3600)))]
  return starts.reduce((best, from) => (within(from) > within(best) ? from : best))
}
const instantOf = (at: number) =>
  Temporal.Instant.fromEpochMilliseconds(at * 1000)
    .toString()
    .replace('Z', '')

function lineOf({ visits, staffing }: QueuePlan): Line {
  const outcomes = simulate(visits, staffing)
  const steps = visits.flatMap(({ arrival_s }, visit): Step[] => {
    const outcome = outcomes[visit]
    const take: Step = { at: arrival_s, kind: 'take', visit }
    // Nobody opens any more for whoever is left: they go home.
    if (!outcome) return [take, { at: Infinity, kind: 'leave', visit }]
    const { start_s, end_s } = outcome
    if (start_s === null) return [take, { at: end_s, kind: 'leave', visit }]
    // A service of no length would end before it began.
    return [take, { at: start_s, kind: 'call', visit }, { at: Math.max(end_s, start_s + 0.5), kind: 'complete', visit }]
  })
  steps.sort((a, b) => a.at - b.at || ORDER[a.kind] - ORDER[b.kind] || a.visit - b.visit)
  let serving = 0
  let agents = 1
  for (const { kind } of steps) {
    if (kind === 'call') agents = Math.max(agents, ++serving)
    else if (kind === 'complete') serving--
  }
  return { steps, agents, visits: visits.length }
}
