import { compareScores, isSkilled, NOTHING, scoreOf, type CallingWay, type Score } from '../../../shared/call-order.ts'
import { precedes, type Place } from './rules.ts'

/** An agent ready to call, with the queues served and how one of them is chosen. */
export interface Desk extends CallingWay {
  agent_id: number
  counter_id: number
  skills: readonly string[]
  /** Null is every language. */
  languages: readonly string[] | null
  /** Queues that whoever calls for the agent is limited to; all when absent. */
  limits?: readonly number[]
}
/** What decides whose ticket it is. */
interface Callable {
  queue_id: number
  reserved_agent_id: number | null
  reserved_counter_id: number | null
  required_skill: string | null
  language: string | null
}
/** A waiting ticket that somebody may call now. */
export interface Candidate extends Place, Callable {
  wait_seconds: number
}

/**
 * Who gets whom, one after the other in the order of `desks`: each agent gets, of the first tickets of the queues
 * served, the one that the agent's way of calling puts first. Tickets kept for the agent or the counter take part
 * whatever their queue. Candidates are in the order of service; nobody is given twice.
 */
export function assign<C extends Candidate>(desks: readonly Desk[], candidates: readonly C[]): Map<number, C> {
  const byAgent = new Map<number, C>()
  const lines = Map.groupBy(candidates, (candidate) => candidate.queue_id)
  // Whoever is kept for an agent may wait in a queue the agent does not serve.
  const isKept = ({ reserved_agent_id, reserved_counter_id }: C) =>
    reserved_agent_id !== null || reserved_counter_id !== null
  const kept = new Set(candidates.filter(isKept).map(({ queue_id }) => queue_id))
  for (const desk of desks) {
    let best: C | undefined
    let bestScore: Score = NOTHING
    for (const queueId of kept.size ? new Set([...desk.queues.keys(), ...kept]) : desk.queues.keys()) {
      const head = lines.get(queueId)?.find((candidate) => mayCall(desk, candidate))
      if (!head) continue
      const score = scoreOf(desk, head)
      const order = compareScores(score, bestScore)
      if (order > 0 || (order === 0 && best && precedes(head, best))) {
        best = head
        bestScore = score
      }
    }
    if (!best) continue
    const line = lines.get(best.queue_id)!
    line.splice(line.indexOf(best), 1)
    byAgent.set(desk.agent_id, best)
  }
  return byAgent
}

/**
 * Whether a waiting ticket is this agent's to call: kept for him or his counter, or kept for nobody in a queue he serves
 * and asking for nothing he has not.
 */
export function mayCall(desk: Desk, ticket: Callable): boolean {
  if (desk.limits && !desk.limits.includes(ticket.queue_id)) return false
  if (ticket.reserved_agent_id !== null) return ticket.reserved_agent_id === desk.agent_id
  if (ticket.reserved_counter_id !== null) return ticket.reserved_counter_id === desk.counter_id
  return desk.queues.has(ticket.queue_id) && isSkilled(desk, ticket)
}
