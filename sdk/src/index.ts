/** SmartQueue for programs. `new SmartQueue(…).call(ticketsTake, { … })`. */
export { SmartQueue, type CallOptions, type ClientOptions, type Event, type FollowOptions } from './client.ts'
export type { Operation } from './operation.ts'
export * from './operations.ts'
export { Problem } from './problem.ts'
export { verifyWebhook, WebhookError } from './webhook.ts'
export type { Board, Ticket } from '../../shared/board.ts'
export type { AgentView, Display } from '../../shared/views.ts'
export { TicketStatus } from '../../shared/ticket-status.ts'
