import type { AgentStatus } from '../../shared/ticket-status.ts'
import type { ApiClient } from './client.ts'

export interface Ticket {
  id: number
  status: string
  queue_id: number
}
/** An agent and the counter they work at. */
export interface Seat {
  id: number
  counterId: number
}
export interface TakenTicket {
  id: number
  /** The visitor's own key to the ticket. */
  public_token: string
}

/** Somebody takes a ticket, by whatever channel. */
export const takeAs = (
  client: ApiClient,
  ticket: { queue_id: number; channel: string; priority?: number; language?: string },
) => client.post<TakenTicket>('take', '/tickets/', ticket)
/** Kiosk: a visitor takes a ticket. */
export const take = (client: ApiClient, queueId: number, priority: number) =>
  takeAs(client, { queue_id: queueId, channel: 'kiosk', ...(priority > 0 && { priority }) })
/** Agent: the next ticket, or null when nobody waits. */
export async function callNext(client: ApiClient, agentId: number): Promise<Ticket | null> {
  return (await client.post<{ ticket: Ticket | null }>('call next', `/agents/${agentId}/call-next/`)).ticket
}
/** Agent: the called person stands at the counter. */
export const start = (client: ApiClient, ticketId: number) => client.post('start', `/tickets/${ticketId}/start/`)
/** Agent: served. */
export const complete = (client: ApiClient, ticketId: number) =>
  client.post('complete', `/tickets/${ticketId}/complete/`)
/** Agent: calls the same person again. */
export const recall = (client: ApiClient, ticketId: number) => client.post('recall', `/tickets/${ticketId}/recall/`)
/** Agent: the person did not come. */
export const noShow = (client: ApiClient, ticketId: number) => client.post('no-show', `/tickets/${ticketId}/no-show/`)
/** Visitor: gives up, from the own phone. */
export const leave = (client: ApiClient, ticket: TakenTicket) =>
  client.postAsVisitor('leave', `/t/${ticket.public_token}/cancel/`)
/** Staff: takes a ticket out of the queue. */
export const cancel = (client: ApiClient, ticketId: number) => client.post('cancel', `/tickets/${ticketId}/cancel/`)
/** Agent: comes to the counter, takes a break or goes home. Going offline leaves the counter. */
export const setStatus = (client: ApiClient, agent: Seat, status: AgentStatus) =>
  client.post('agent status', `/agents/${agent.id}/set-status/`, {
    status,
    ...(status === 'available' && { counter_id: agent.counterId, take_over: true }),
  })
