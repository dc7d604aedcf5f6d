import type { AgentStatus } from '../../shared/ticket-status.ts'
import type { ApiClient } from './client.ts'

export interface Ticket {
  id: number
  status: string
  queue_id: number
}
export interface TakenTicket {
  id: number
  /** The visitor's own key to the ticket. */
  token: string
}

/** Kiosk: a visitor takes a ticket. */
export async function take(client: ApiClient, queueId: number, priority: number): Promise<TakenTicket> {
  return client.post<TakenTicket>('take', '/tickets/', {
    queue_id: queueId,
    channel: 'kiosk',
    ...(priority > 0 && { priority }),
  })
}
/** Agent: the next ticket, or null when nobody waits. */
export async function callNext(client: ApiClient, agentId: number): Promise<Ticket | null> {
  return (await client.post<{ ticket: Ticket | null }>('call next', `/agents/${agentId}/call-next/`)).ticket
}
/** Agent: the called person stands at the counter. */
export const start = (client: ApiClient, ticketId: number) => client.post('start', `/tickets/${ticketId}/start/`)
/** Agent: served. */
export const complete = (client: ApiClient, ticketId: number) =>
  client.post('complete', `/tickets/${ticketId}/complete/`)
/** Visitor: gives up. */
export const cancel = (client: ApiClient, ticketId: number) => client.post('leave', `/tickets/${ticketId}/cancel/`)
export const setStatus = (client: ApiClient, agentId: number, status: AgentStatus) =>
  client.post('agent status', `/agents/${agentId}/set-status/`, { status })
