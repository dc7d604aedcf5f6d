import type { Ticket } from '../../../shared/board.ts'
import { type Prediction, Predictor } from '../../../shared/prediction/predictor.ts'
import { TicketStatus } from '../../../shared/ticket-status.ts'

/** An event as the predictor's fold reads it. */
export interface LoggedEvent {
  offset: number
  type: string
  at: string
  /** The queue the ticket left, when it is another. */
  from_queue_id: number | null
  data: { ticket?: Ticket; from?: TicketStatus | null; told?: Told | null; agent?: AgentSeen }
}
/** What the visitor was told when taking the ticket: low, median and high seconds. */
type Told = readonly [number, number, number]
interface AgentSeen {
  id: number
  status: string
  queue_ids: readonly number[]
}
const AT_WORK = ['available', 'calling', 'serving', 'wrap_up']

/** What the fold has to write down: an estimate at arrival, or the wait that came of it. */
export type Noted =
  | ({ ticket_id: number; queue_id: number; at: string } & Prediction)
  | { ticket_id: number; waited_seconds: number }

/** Local wall-clock seconds of an instant: the hour of day is what people's habits follow. */
export function localSeconds(at: string, timezone: string): number {
  const zoned = Temporal.Instant.from(at).toZonedDateTimeISO(timezone)
  return (zoned.epochMilliseconds + zoned.offsetNanoseconds / 1e6) / 1000
}

/** The class a ticket is learned under. */
const kindOf = ({ priority }: Pick<Ticket, 'priority'>): string => `p${priority}`

/**
 * Takes one event of a site's log into its predictor. A wait begins when a ticket enters a line and ends when it is
 * called; one that comes back to the line, or goes to another, begins a new wait.
 */
export function take(predictor: Predictor, event: LoggedEvent, timezone: string): Noted | null {
  const { ticket, from, agent } = event.data
  if (agent && event.type.startsWith('agent.')) {
    const isAtWork = AT_WORK.includes(agent.status) && event.type !== 'agent.deleted'
    predictor.setAgent(agent.id, isAtWork ? agent.queue_ids.map(String) : [], localSeconds(event.at, timezone))
  }
  if (!ticket || !event.type.startsWith('ticket.') || from === undefined) return null
  const at = localSeconds(event.at, timezone)
  const { id, status } = ticket
  const line = String(ticket.queue_id)
  const wasServed = from === TicketStatus.called || from === TicketStatus.serving
  // Moved, delayed, given another place: the wait goes on.
  if (status === TicketStatus.waiting && from === status && event.from_queue_id === null) return null
  if (status === TicketStatus.waiting) {
    if (wasServed) predictor.end(id, line, at)
    const foreseen = predictor.arrive(id, line, kindOf(ticket), at)
    const promise = promiseOf(event.data.told, foreseen)
    return promise && { ticket_id: id, queue_id: ticket.queue_id, at: event.at, ...promise }
  }
  if (status === TicketStatus.called && from === TicketStatus.waiting) {
    const waited = predictor.start(id, at)
    return waited === null ? null : { ticket_id: id, waited_seconds: Math.round(waited) }
  }
  if (from === TicketStatus.waiting) predictor.leave(id, at)
  else if (wasServed && status !== TicketStatus.serving) predictor.end(id, line, at)
  return null
}

/** What is judged: the figure on the ticket. One that comes into another line is told what the predictor foresees. */
function promiseOf(told: Told | null | undefined, foreseen: Prediction): Prediction | null {
  if (told === undefined) return foreseen
  return told && { p10: told[0], p50: told[1], p90: told[2] }
}
