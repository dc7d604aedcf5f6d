import type { AgentChange, Board, BoardAgent, LiveEvent, Ticket } from '../board.ts'
import { estimateWait } from '../eta.ts'
import { AGENT_STATUSES, isFinal, isOpenAgent, TICKET_STATUSES, TicketStatus } from '../ticket-status.ts'
import { type AgentView, type Call, type Display, RECENT_CALLS } from '../views.ts'

/** Queues of the model's site; the display shows, and agent 1 serves, the first two. */
const QUEUES = [1, 2, 3]
export const SHOWN = [1, 2]

/** One random act at the branch; which ticket, agent or queue it means follows from the two numbers. */
export interface Act {
  kind: (typeof ACTS)[number]
  a: number
  b: number
}
export const ACTS = [
  'arrive',
  'arrive',
  'change',
  'change',
  'change',
  'transfer',
  'move',
  'recall',
  'agent',
  'skills',
  'queue',
  'pace',
  'other',
] as const

/**
 * A branch in the simplest form: it keeps the facts, says what happened as events, and takes every snapshot afresh from
 * the facts by filtering and sorting. Reducers must arrive at the same from events alone.
 */
export class BranchModel {
  offset = 0
  readonly events: LiveEvent[] = []
  readonly tickets: Ticket[] = []
  readonly calls: Call[] = []
  readonly queues = QUEUES.map((id) => ({ id, name: `Q${id}`, status: 'open' as const }))
  readonly pace = new Map<number, number | null>(QUEUES.map((id) => [id, id * 60]))
  readonly agents: BoardAgent[] = [
    { id: 1, name: 'Amal', status: 'available', counter_id: 5, counter_name: '5', queue_ids: SHOWN },
    { id: 2, name: 'Bruno', status: 'offline', counter_id: null, counter_name: null, queue_ids: [2, 3] },
  ]

  act({ kind, a, b }: Act): void {
    const place = a % Math.max(1, this.tickets.length)
    const ticket = this.tickets[place]
    const queue = QUEUES[b % 3]!
    const agent = a % 2
    if (kind === 'arrive') return this.#put(this.#newTicket(queue, a), 'ticket.created')
    if (kind === 'agent') return this.#putAgent(agent, { status: AGENT_STATUSES[b % 7]! })
    if (kind === 'skills') return this.#putAgent(1, { queue_ids: QUEUES.filter((id) => (b >> id) & 1) })
    if (kind === 'queue') {
      this.queues[b % 3]!.name += '*'
      return this.#say('queue.updated', queue, { queue: { ...this.queues[b % 3]! } })
    }
    if (kind === 'pace') {
      this.pace.set(queue, a % 5 === 0 ? null : a)
      return this.#say('queue.pace_changed', queue, { service_seconds: this.pace.get(queue)! })
    }
    if (kind === 'other')
      return this.#say('appointment.booked', queue, ticket ? { ticket: { ...ticket, status: 'annulé' } } : {})
    if (!ticket) return
    if (kind === 'change') return this.#changeStatus(ticket, TICKET_STATUSES[b % 8]!, this.agents[agent]!)
    if (kind === 'move') return this.#put({ ...ticket, rank: b }, 'ticket.moved')
    if (kind === 'recall') {
      if (ticket.status === TicketStatus.called)
        this.#put({ ...ticket, call_count: ticket.call_count + 1 }, 'ticket.recalled')
      return
    }
    this.#put(
      { ...ticket, queue_id: queue, status: TicketStatus.waiting, agent_id: null, rank: b },
      'ticket.transferred',
    )
  }

  /** Any state may follow any other here: the reducers must not depend on which are legal. */
  #changeStatus(ticket: Ticket, status: TicketStatus, agent: BoardAgent) {
    const isAtCounter = status === TicketStatus.called || status === TicketStatus.serving
    const isBusy = this.tickets.some((other) => other !== ticket && other.agent_id === agent.id && isCalled(other))
    if (isAtCounter && (isBusy || !agent.queue_ids.includes(ticket.queue_id))) return
    const called_at = isAtCounter ? this.#now() : ticket.called_at
    const agent_id = isAtCounter ? agent.id : ticket.agent_id
    const ended_at = isFinal(status) ? this.#now() : null
    this.#put({ ...ticket, status, agent_id, called_at, ended_at }, isAtCounter ? 'ticket.called' : 'ticket.changed', {
      ...(isAtCounter && { agent: this.#setAgent(this.agents.indexOf(agent), { status: 'calling' }) }),
    })
  }

  #put(ticket: Ticket, type: string, more: Partial<LiveEvent> = {}) {
    const known = this.tickets.findIndex((other) => other.id === ticket.id)
    const before = this.tickets[known]
    if (before) this.tickets[known] = ticket
    else this.tickets.push(ticket)
    this.#say(type, ticket.queue_id, {
      ticket,
      ...((!before || before.status !== ticket.status) && { from: before?.status ?? null }),
      agent_id: ticket.agent_id ?? before?.agent_id ?? null,
      ...(before && before.queue_id !== ticket.queue_id && { from_queue_id: before.queue_id }),
      ...more,
    })
    if (type === 'ticket.called' || type === 'ticket.recalled') {
      const { id, queue_id, number, counter_name } = ticket
      this.calls.unshift({ ticket_id: id, queue_id, number, counter_name, at: this.events.at(-1)!.at })
    }
  }

  #setAgent(place: number, change: Partial<BoardAgent>): AgentChange {
    const agent = (this.agents[place] = { ...this.agents[place]!, ...change })
    return { id: agent.id, queue_ids: agent.queue_ids, ...change }
  }
  #putAgent(place: number, change: Partial<BoardAgent>) {
    this.#setAgent(place, change)
    this.#say('agent.changed', null, { agent: this.agents[place]! })
  }

  #say(type: string, queue_id: number | null, more: Partial<LiveEvent>) {
    this.offset++
    this.events.push({ type, offset: this.offset, after: 0, at: this.#now(), queue_id, ...more })
  }

  /** Fractions of different length, as PostgreSQL writes them. */
  #now = () =>
    `2026-03-02T09:00:${String(Math.floor(this.offset / 10) % 60).padStart(2, '0')}${this.offset % 10 ? `.${this.offset % 10}` : ''}Z`

  #newTicket(queue: number, rank: number): Ticket {
    const id = this.tickets.length + 1
    return {
      id,
      site_id: 1,
      queue_id: queue,
      service_id: queue,
      number: `A${id}`,
      channel: 'web',
      priority: 0,
      status: 'en_attente',
      rank,
      customer_id: null,
      agent_id: null,
      counter_id: null,
      counter_name: null,
      language: null,
      labels: [],
      needs: [],
      call_count: 0,
      created_at: this.#now(),
      called_at: null,
      started_at: null,
      ended_at: null,
      not_before: null,
    }
  }

  /** The events that a feed sends after an offset, each saying which one it follows. */
  feed(concerns: (event: LiveEvent) => boolean, since: number): LiveEvent[] {
    let after = 0
    const sent: LiveEvent[] = []
    for (const event of this.events) {
      if (!concerns(event)) continue
      if (event.offset > since) sent.push({ ...event, after })
      after = event.offset
    }
    return sent
  }

  board(queueId: number): Board {
    const queue = this.queues.find((each) => each.id === queueId)!
    const agents = this.agents.filter((agent) => agent.queue_ids.includes(queueId))
    const own = this.tickets.filter((ticket) => ticket.queue_id === queueId)
    const pace = {
      agents_open: agents.filter((agent) => isOpenAgent(agent.status)).length,
      agents_free: agents.filter((agent) => agent.status === 'available').length,
      service_seconds: this.pace.get(queueId)!,
    }
    return {
      epoch: 'e1',
      offset: this.offset,
      queue: { ...queue },
      service_seconds: pace.service_seconds,
      forecast: null,
      agents,
      called: own.filter(isCalled).sort(byCallTime),
      held: own.filter((ticket) => ticket.status === TicketStatus.held).sort(byCallTime),
      waiting_count: own.filter((ticket) => ticket.status === TicketStatus.waiting).length,
      waiting: own
        .filter((ticket) => ticket.status === TicketStatus.waiting)
        .sort((a, b) => a.rank - b.rank || a.id - b.id)
        .map((ticket, ahead) => ({ ...ticket, position: ahead + 1, ...estimateWait({ ...pace, ahead }) })),
    }
  }

  #summaries(queueIds: readonly number[]) {
    return queueIds.map((id) => {
      const { queue, service_seconds, forecast, waiting } = this.board(id)
      return { ...queue, service_seconds, forecast, waiting_count: waiting.length }
    })
  }

  display(): Display {
    return {
      epoch: 'e1',
      offset: this.offset,
      display: { id: 9, name: 'Hall', queue_ids: SHOWN },
      queues: this.#summaries(SHOWN),
      agents: this.agents.filter((agent) => agent.queue_ids.some((id) => SHOWN.includes(id))),
      called: this.tickets
        .filter((ticket) => isCalled(ticket) && SHOWN.includes(ticket.queue_id))
        .sort((a, b) => byCallTime(b, a)),
      recent: this.calls.filter((call) => SHOWN.includes(call.queue_id)).slice(0, RECENT_CALLS),
    }
  }

  agentView(): AgentView {
    const own = this.tickets.filter((ticket) => ticket.agent_id === 1)
    return {
      epoch: 'e1',
      offset: this.offset,
      agent: this.agents[0]!,
      ticket: own.find((ticket) => isCalled(ticket)) ?? null,
      held: own.filter((ticket) => ticket.status === TicketStatus.held).sort(byCallTime),
      queues: this.#summaries(SHOWN),
      desk: null,
    }
  }
}

const isCalled = ({ status }: Ticket) => status === TicketStatus.called || status === TicketStatus.serving
const byCallTime = (a: Ticket, b: Ticket) =>
  (a.called_at ? Date.parse(a.called_at) : Infinity) - (b.called_at ? Date.parse(b.called_at) : Infinity) || a.id - b.id
