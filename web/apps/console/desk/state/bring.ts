import type { LiveEvent, Ticket } from '../../../../../shared/board.ts'
import { TicketStatus } from '../../../../../shared/ticket-status.ts'
import type { AgentView } from '../../../../../shared/views.ts'
import { iso } from '../../state/clock.ts'

/** Nobody at the counter. */
export const without = (view: AgentView): AgentView => ({
  ...view,
  ticket: null,
  agent: { ...view.agent, status: 'available' },
})
export const statusWith = ({ status }: Ticket): AgentView['agent']['status'] =>
  status === TicketStatus.serving ? 'serving' : 'calling'

/** Whether people of a ticket's line are called first and served from their arrival on. */
export type Confirms = (ticket: Ticket) => boolean

/** What the server will most probably make of a waiting ticket. */
export function asCalled(ticket: Ticket, { agent }: AgentView, isConfirmed: Confirms): Ticket {
  const { counter_id, counter_name } = agent
  const mine = { agent_id: agent.id, counter_id, counter_name, called_at: iso(), call_count: 1 }
  return isConfirmed(ticket)
    ? { ...ticket, ...mine, status: TicketStatus.called }
    : { ...ticket, ...mine, status: TicketStatus.serving, started_at: iso() }
}

/** One wish to finish with `current` and to have the next, from the key until the server has told of it. */
export class Bringing {
  /** Whom it brings: who was first in line, then who the server says. */
  target: Ticket | null
  readonly #agentId: number
  readonly #current: Ticket | null
  readonly #isConfirmed: Confirms

  constructor(view: AgentView, promised: Ticket | null, isConfirmed: Confirms) {
    this.#agentId = view.agent.id
    this.#current = view.ticket
    this.#isConfirmed = isConfirmed
    this.target = promised && asCalled(promised, view, isConfirmed)
  }

  apply(view: AgentView): AgentView {
    const { target } = this
    if (view.ticket && view.ticket.id !== this.#current?.id) return this.#asStarted(view)
    if (!target) return without(view)
    const queues = view.queues.map((queue) =>
      queue.id === target.queue_id ? { ...queue, waiting_count: Math.max(0, queue.waiting_count - 1) } : queue,
    )
    return { ...view, ticket: target, queues, agent: { ...view.agent, status: statusWith(target) } }
  }

  /** Only of the very ticket: keys may be quicker than the feed, which then tells of those before. */
  isTold({ agent_id, ticket, type }: LiveEvent): boolean {
    if (agent_id !== this.#agentId || !ticket || ticket.id !== this.target?.id) return false
    return type === (this.#isConfirmed(ticket) ? 'ticket.called' : 'ticket.started')
  }

  /** Where no arrival is confirmed a call and its start are one act, though two events: yellow must not flash by. */
  #asStarted(view: AgentView): AgentView {
    const { ticket } = view
    if (ticket?.status !== TicketStatus.called || this.#isConfirmed(ticket)) return view
    const started = { ...ticket, status: TicketStatus.serving, started_at: ticket.called_at }
    return { ...view, ticket: started, agent: { ...view.agent, status: 'serving' } }
  }
}
