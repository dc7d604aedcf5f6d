import { type Estimate, estimateWait, type Forecast } from './eta.ts'
import { type AgentStatus, isOpenAgent, type QueueStatus, TicketStatus } from './ticket-status.ts'

/** Where a view stands in its site's stream. `epoch` changes when offsets stop being comparable (a restore). */
export interface Feed {
  epoch: string
  offset: number
}

/** One stay, as events and boards carry it. Times are RFC 3339 UTC ending in Z. */
export interface Ticket {
  id: number
  site_id: number
  queue_id: number
  service_id: number
  number: string
  channel: string
  priority: number
  status: TicketStatus
  /** The queue is served by (rank, id). */
  rank: number
  customer_id: number | null
  agent_id: number | null
  counter_id: number | null
  counter_name: string | null
  language: string | null
  labels: string[]
  needs: string[]
  call_count: number
  created_at: string
  called_at: string | null
  started_at: string | null
  ended_at: string | null
  not_before: string | null
}
/** `position` 1 is next. */
type WaitingTicket = Ticket & Estimate & { position: number }

export interface BoardQueue {
  id: number
  name: string
  status: QueueStatus
}

export interface BoardAgent {
  id: number
  name: string
  status: AgentStatus
  counter_id: number | null
  counter_name: string | null
  /** Queues the agent serves; decides on whose boards the agent stands. */
  queue_ids: number[]
}

/** A queue and everybody in it. */
export interface Line {
  queue: BoardQueue
  /** Mean time a service takes at present; null when unknown. */
  service_seconds: number | null
  /** What each place of the line may expect; null until enough was seen. */
  forecast: Forecast | null
  /** At a counter or on the way to one, by (called_at, id). */
  called: Ticket[]
  /** On hold, by (called_at, id). */
  held: Ticket[]
  /** How many wait in all. */
  waiting_count: number
  /** By (rank, id): all who wait, or the first of them where the line is longer than a view shows. */
  waiting: WaitingTicket[]
}

/** One queue as staff see it: the snapshot of its feed and what the reducer makes of every event after it. */
export interface Board extends Feed, Line {
  /** All agents that serve the queue, by id. */
  agents: BoardAgent[]
}

/** How much of a long line a view shows: never more than `most`; with fewer than `least` left it starts over. */
export interface Window {
  most: number
  least: number
}
export const BOARD_WINDOW: Window = { most: 500, least: 50 }

export type AgentChange = Pick<BoardAgent, 'id' | 'queue_ids'> & Partial<BoardAgent>

/** What every frame after a snapshot says of its place in the stream. */
export interface Frame {
  /** Dotted past tense: `ticket.called`. */
  type: string
  epoch?: string
  offset: number
  /** Offset of the frame before it on this feed. */
  after: number
}

/** An event as sent on the wire. It carries what it changed as it is afterwards. */
export interface LiveEvent extends Frame {
  /** When it was committed. */
  at: string
  queue_id: number | null
  /** The queue the ticket left, when it is another. */
  from_queue_id?: number | null
  /** State of the ticket before the event, null for a new one; absent when the state did not change. */
  from?: TicketStatus | null
  ticket?: Ticket
  /** The agent that has the ticket, or had it before; or whom an agent event is about. */
  agent_id?: number | null
  /** Whole in `agent.*` events; a ticket event that changes its agent may carry the changed properties only. */
  agent?: AgentChange
  queue?: Pick<BoardQueue, 'id'> & Partial<BoardQueue>
  /** New pace of the queue `queue_id`. */
  service_seconds?: number | null
  /** What its places may expect from now on. */
  forecast?: Forecast | null
}

/**
 * Whether the feed of these queues must carry an event: it happened in one of them, a ticket left one of them, or it
 * changed an agent that serves one of them (a call in another queue makes the agent busy here too). Every `agent.*`
 * event is carried, because the queues an agent stopped serving are no longer named in it.
 */
export function concernsQueues(event: Omit<LiveEvent, 'after'>, queueIds: readonly number[]): boolean {
  if (event.type.startsWith('agent.')) return true
  if (event.queue_id !== null && queueIds.includes(event.queue_id)) return true
  if (event.from_queue_id != null && queueIds.includes(event.from_queue_id)) return true
  return event.agent?.queue_ids.some((id) => queueIds.includes(id)) ?? false
}

/** The view cannot be derived from this event: something between was missed. Only a new snapshot helps. */
export class GapError extends Error {}

/** Whether a frame is new to a view; false for a repetition. Throws GapError when frames before it are missing. */
export function isNext(feed: Feed, frame: Frame): boolean {
  if (frame.epoch !== undefined && frame.epoch !== feed.epoch) {
    throw new GapError(`epoch ${frame.epoch} after ${feed.epoch}`)
  }
  if (frame.offset <= feed.offset) return false
  if (frame.after > feed.offset) throw new GapError(`frame after ${frame.after} but at ${feed.offset}`)
  return true
}

const FAMILIES = /^(?:ticket|agent|queue)\./
/** Whether events of this type carry changes that views know; any other type only moves the offset. */
export const changesViews = (type: string): boolean => FAMILIES.test(type)

/**
 * The board after an event; the board itself is not changed. Which list a ticket stands in follows from its state and
 * queue alone, so events need no case each. Repetitions are ignored; throws GapError when an event was missed, or when a
 * line longer than the board shows has moved on so far that its head is not known any more.
 */
export function applyEvent(board: Board, event: LiveEvent): Board {
  if (!isNext(board, event)) return board
  const next = { ...board, offset: event.offset }
  if (!changesViews(event.type)) return next
  if (event.agent) next.agents = mergeAgent(board.agents, event.agent, [board.queue.id])
  return { ...next, ...applyLine(board, event, paceOf(board.agents), paceOf(next.agents), BOARD_WINDOW) }
}

/** A line after an event, given the agents' pace before and after it. Throws GapError as `applyEvent`. */
export function applyLine(line: Line, event: LiveEvent, before: AgentPace, pace: AgentPace, window: Window): Line {
  let { queue, service_seconds, forecast, called, held, waiting } = line
  const waiting_count = line.waiting_count + lengthChange(event, queue.id)
  if (event.queue?.id === queue.id) queue = { ...queue, ...event.queue }
  if (event.service_seconds !== undefined && event.queue_id === queue.id) service_seconds = event.service_seconds
  if (event.forecast !== undefined && event.queue_id === queue.id) forecast = event.forecast
  let changedFrom = Infinity
  if (event.ticket) {
    const { ticket } = event
    const status = ticket.queue_id === queue.id ? ticket.status : null
    const isCalled = status === TicketStatus.called || status === TicketStatus.serving
    called = placeTicket(called, ticket, isCalled, byCall)
    held = placeTicket(held, ticket, status === TicketStatus.held, byCall)
    const row = { ...ticket, position: 0, eta_seconds: null, eta_low_seconds: null, eta_high_seconds: null }
    waiting = placeTicket(waiting, row, status === TicketStatus.waiting && isInSight(line, ticket), byRank)
    if (waiting.length > window.most) waiting = waiting.slice(0, window.most)
    changedFrom = firstDifference(line.waiting, waiting)
  }
  if (waiting.length < Math.min(window.least, waiting_count)) throw new GapError('the head of the line is not known')
  const isPaceKept =
    pace.agents_open === before.agents_open &&
    pace.agents_free === before.agents_free &&
    service_seconds === line.service_seconds &&
    forecast === line.forecast
  const firstStale = isPaceKept ? changedFrom : 0
  if (firstStale < waiting.length) waiting = withFigures(waiting, firstStale, { ...pace, service_seconds, forecast })
  return { queue, service_seconds, forecast, called, held, waiting_count, waiting }
}

/** Whether a waiting ticket's place is certain: behind the last one shown of a longer line, others may stand before it. */
function isInSight({ waiting, waiting_count }: Line, ticket: Ticket): boolean {
  if (waiting.length === waiting_count) return true
  const last = waiting.findLast(({ id }) => id !== ticket.id)
  return last !== undefined && byRank(ticket, last) < 0
}

/** How the length of a queue's line changes: a ticket that waited is one less where it was, one more where it is. */
export function lengthChange({ ticket, from, queue_id, from_queue_id }: LiveEvent, queueId: number): number {
  const before = from === undefined ? ticket?.status : from
  const leftId = before === TicketStatus.waiting ? (from_queue_id ?? queue_id) : null
  const joinedId = ticket?.status === TicketStatus.waiting ? ticket.queue_id : null
  return (queueId === joinedId ? 1 : 0) - (queueId === leftId ? 1 : 0)
}

type Pace = Omit<Parameters<typeof estimateWait>[0], 'ahead'>
type AgentPace = Pick<Pace, 'agents_open' | 'agents_free'>

/** How many of these agents deliver service, and how many of them could call somebody now. */
export function paceOf(agents: readonly { status: string }[]): AgentPace {
  let agents_open = 0
  let agents_free = 0
  for (const { status } of agents) {
    if (isOpenAgent(status)) agents_open++
    if (status === 'available') agents_free++
  }
  return { agents_open, agents_free }
}

/** Waiting tickets in order with position and estimate; rows before `start` are right already and kept as they are. */
function withFigures(tickets: readonly Ticket[], start: number, pace: Pace): WaitingTicket[] {
  return tickets.map((ticket, ahead) =>
    ahead < start ? (ticket as WaitingTicket) : { ...ticket, position: ahead + 1, ...estimateWait({ ...pace, ahead }) },
  )
}

/** Order of service. */
const byRank = (a: Ticket, b: Ticket): number => a.rank - b.rank || a.id - b.id

/** Order of calls, oldest first. Fractions of seconds vary in length, so the Z must not take part: '.12Z' > '.123Z'. */
export function byCall(a: Ticket, b: Ticket): number {
  const timeA = a.called_at?.slice(0, -1) ?? '~'
  const timeB = b.called_at?.slice(0, -1) ?? '~'
  return timeA < timeB ? -1 : timeA > timeB ? 1 : a.id - b.id
}

/** The list with the ticket in its place when it belongs there, and without it when not; the same list if nothing changed. */
export function placeTicket<T extends Ticket>(
  list: readonly T[],
  ticket: T,
  belongs: boolean,
  order: (a: T, b: T) => number,
): T[] {
  const at = list.findIndex((other) => other.id === ticket.id)
  if (at < 0 && !belongs) return list as T[]
  const result = list.slice()
  if (at >= 0) result.splice(at, 1)
  if (!belongs) return result
  let low = 0
  let high = result.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (order(result[middle]!, ticket) < 0) low = middle + 1
    else high = middle
  }
  result.splice(low, 0, ticket)
  return result
}

function firstDifference(before: readonly unknown[], after: readonly unknown[]): number {
  if (before === after) return Infinity
  let i = 0
  while (i < before.length && before[i] === after[i]) i++
  return i
}

/** Agents of the given queues after a change: updated, joined or left by what `queue_ids` says. */
export function mergeAgent(
  agents: readonly BoardAgent[],
  change: AgentChange,
  queueIds: readonly number[],
): BoardAgent[] {
  const known = agents.find((agent) => agent.id === change.id)
  const others = agents.filter((agent) => agent !== known)
  if (!change.queue_ids.some((id) => queueIds.includes(id))) return others
  return [...others, { ...known, ...change } as BoardAgent].sort((a, b) => a.id - b.id)
}
