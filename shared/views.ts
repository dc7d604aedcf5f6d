import {
  applyLine,
  type BoardAgent,
  type BoardQueue,
  byCall,
  changesViews,
  concernsQueues,
  type Feed,
  type Frame,
  GapError,
  isNext,
  lengthChange,
  type Line,
  type LiveEvent,
  mergeAgent,
  paceOf,
  placeTicket,
  type Ticket,
  type Window,
} from './board.ts'
import { type Estimate, estimateWait, type Forecast } from './eta.ts'
import { TicketStatus } from './ticket-status.ts'

/** A queue where only the length of its line matters. */
export interface QueueSummary extends BoardQueue {
  waiting_count: number
  service_seconds: number | null
  forecast: Forecast | null
}

/** A call as it was announced. */
export interface Call {
  ticket_id: number
  queue_id: number
  number: string
  counter_name: string | null
  at: string
}
/** Announced calls a display keeps: those of the last `ticket.called` and `ticket.recalled` events of its queues. */
export const RECENT_CALLS = 12

/** A screen of a waiting room: several queues of one site. */
export interface Display extends Feed {
  display: { id: number; name: string; queue_ids: number[] }
  /** By id. */
  queues: QueueSummary[]
  /** All agents that serve one of the queues, by id. */
  agents: BoardAgent[]
  /** At a counter or on the way to one, newest call first. */
  called: Ticket[]
  /** Newest first. */
  recent: Call[]
}

/** An agent's own desk. */
export interface AgentView extends Feed {
  agent: BoardAgent
  /** Called or being served by this agent. */
  ticket: Ticket | null
  /** Put on hold by this agent, by (called_at, id). */
  held: Ticket[]
  /** Queues the agent serves, by id. */
  queues: QueueSummary[]
  /** The window that works at this desk (`agents.takeDesk`); others watch. */
  desk: string | null
}

/** What a visitor may know of the own ticket. `ahead`, `position` and the estimate are null unless it waits. */
export type VisitorTicket = Estimate & { position: number | null; ahead: number | null } & Pick<
    Ticket,
    | 'id'
    | 'site_id'
    | 'queue_id'
    | 'service_id'
    | 'number'
    | 'status'
    | 'counter_name'
    | 'language'
    | 'call_count'
    | 'created_at'
    | 'called_at'
    | 'started_at'
    | 'ended_at'
    | 'not_before'
  >
export interface TicketView extends Feed {
  ticket: VisitorTicket
}

const isAtCounter = (ticket: Ticket) => ticket.status === TicketStatus.called || ticket.status === TicketStatus.serving

/** The display after an event. Throws GapError when an event was missed or the display was given other queues. */
export function applyDisplay(view: Display, event: LiveEvent & { display?: Display['display'] }): Display {
  if (!isNext(view, event)) return view
  if (event.display && String(event.display.queue_ids) !== String(view.display.queue_ids)) {
    throw new GapError('the display shows other queues')
  }
  const next = { ...view, offset: event.offset, display: event.display ?? view.display }
  if (!changesViews(event.type)) return next
  const queueIds = view.queues.map((queue) => queue.id)
  next.queues = applySummaries(view.queues, event)
  if (event.agent) next.agents = mergeAgent(view.agents, event.agent, queueIds)
  if (event.ticket) {
    const { ticket } = event
    const isShown = isAtCounter(ticket) && queueIds.includes(ticket.queue_id)
    next.called = placeTicket(view.called, ticket, isShown, (a, b) => byCall(b, a))
    if (isShown && (event.type === 'ticket.called' || event.type === 'ticket.recalled')) {
      const { id, queue_id, number, counter_name } = ticket
      next.recent = [{ ticket_id: id, queue_id, number, counter_name, at: event.at }, ...view.recent].slice(
        0,
        RECENT_CALLS,
      )
    }
  }
  return next
}

/** Whether the feed of an agent that serves these queues must carry an event. */
export function concernsAgent(event: Omit<LiveEvent, 'after'>, agentId: number, queueIds: readonly number[]): boolean {
  return event.agent_id === agentId || concernsQueues(event, queueIds)
}

/** The agent's view after an event. Throws GapError when an event was missed or the agent serves other queues now. */
export function applyAgent(view: AgentView, event: LiveEvent & { desk?: string }): AgentView {
  if (!isNext(view, event)) return view
  const next = { ...view, offset: event.offset }
  if (!changesViews(event.type)) return next
  next.queues = applySummaries(view.queues, event)
  if (event.desk !== undefined) next.desk = event.desk
  if (event.agent?.id === view.agent.id) {
    next.agent = { ...view.agent, ...event.agent }
    if (String(next.agent.queue_ids) !== String(view.agent.queue_ids))
      throw new GapError('the agent serves other queues')
  }
  if (event.ticket) {
    const { ticket } = event
    const isOwn = ticket.agent_id === view.agent.id
    if (isOwn && isAtCounter(ticket)) next.ticket = ticket
    else if (view.ticket?.id === ticket.id) next.ticket = null
    next.held = placeTicket(view.held, ticket, isOwn && ticket.status === TicketStatus.held, byCall)
  }
  return next
}

/** The visitor's view after a frame: each carries the whole ticket with its figures as they are for this visitor. */
export function applyTicketView(view: TicketView, frame: Frame & { ticket?: VisitorTicket }): TicketView {
  if (!isNext(view, frame)) return view
  return { ...view, offset: frame.offset, ticket: frame.ticket ?? view.ticket }
}

/** What somebody who took a ticket of this queue now would wait. */
export function newcomerEstimate(queue: QueueSummary, agents: readonly BoardAgent[]): Estimate {
  const pace = paceOf(agents.filter((agent) => agent.queue_ids.includes(queue.id)))
  return estimateWait({
    ...pace,
    ahead: queue.waiting_count,
    service_seconds: queue.service_seconds,
    forecast: queue.forecast,
  })
}

/** An event's effect on lines of which only the length matters. */
function applySummaries(queues: readonly QueueSummary[], event: LiveEvent): QueueSummary[] {
  return queues.map((queue) => {
    const change = lengthChange(event, queue.id)
    const isPaceNew = event.service_seconds !== undefined && event.queue_id === queue.id
    const isForecastNew = event.forecast !== undefined && event.queue_id === queue.id
    if (change === 0 && !isPaceNew && !isForecastNew && event.queue?.id !== queue.id) return queue
    return {
      ...queue,
      ...(event.queue?.id === queue.id && event.queue),
      ...(isPaceNew && { service_seconds: event.service_seconds! }),
      ...(isForecastNew && { forecast: event.forecast! }),
      waiting_count: queue.waiting_count + change,
    }
  })
}

/** What a supervisor's view shows of each line of a site. */
export const SITE_WINDOW: Window = { most: 100, least: 20 }

interface SiteAgent extends BoardAgent {
  /** A console of this agent is connected, or was a moment ago. */
  is_online: boolean
}
interface SiteDevice {
  id: number
  kind: 'kiosk' | 'display'
  name: string
  is_locked: boolean
  is_online: boolean
}
/** A whole site, for those who run it. */
export interface SiteView extends Feed {
  site: { id: number; name: string }
  /** By queue id. */
  lines: Line[]
  /** By id. */
  agents: SiteAgent[]
  /** By id. */
  devices: SiteDevice[]
}
export type SiteEvent = LiveEvent & {
  device?: Omit<SiteDevice, 'is_online'>
  presence?: { kind: 'agent' | 'device'; id: number; is_online: boolean }
}

/** Events after which the site has other queues or another name than its view. */
const RESHAPES = new Set(['queue.created', 'queue.deleted', 'site.updated', 'site.deleted'])

/** The site after an event. Throws GapError when one was missed or the site has other queues now. */
export function applySite(view: SiteView, event: SiteEvent, window = SITE_WINDOW): SiteView {
  if (!isNext(view, event)) return view
  if (RESHAPES.has(event.type)) throw new GapError('the site has changed')
  const next = { ...view, offset: event.offset }
  const { presence, device, agent } = event
  if (presence) {
    const place = <T extends { id: number; is_online: boolean }>(list: T[], kind: string) =>
      presence.kind === kind
        ? list.map((each) => (each.id === presence.id ? { ...each, is_online: presence.is_online } : each))
        : list
    next.agents = place(view.agents, 'agent')
    next.devices = place(view.devices, 'device')
  }
  if (device) next.devices = mergeById(view.devices, device, event.type === 'device.revoked')
  if (agent) next.agents = mergeById(view.agents, agent, event.type === 'agent.deleted')
  if (changesViews(event.type))
    next.lines = view.lines.map((line) =>
      applyLine(line, event, paceIn(view.agents, line), paceIn(next.agents, line), window),
    )
  return next
}

const paceIn = (agents: readonly BoardAgent[], { queue }: Line) =>
  paceOf(agents.filter(({ queue_ids }) => queue_ids.includes(queue.id)))

/** Nobody is there who has not come yet. */
function mergeById<T extends { id: number; is_online: boolean }>(
  list: readonly T[],
  change: { id: number },
  isGone: boolean,
): T[] {
  const known = list.find(({ id }) => id === change.id)
  const others = list.filter((each) => each !== known)
  if (isGone) return others
  return [...others, { is_online: false, ...known, ...change } as T].sort((a, b) => a.id - b.id)
}
