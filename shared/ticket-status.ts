/**
 * Ticket states as stored and sent (Unicode NFC), read in code by their English names.
 * Labels for people are `ticket_status.<English name>` of the catalogues.
 */
export const TicketStatus = {
  waiting: 'en_attente',
  called: 'appelé',
  serving: 'en_service',
  held: 'en_pause',
  completed: 'terminé',
  no_show: 'absent',
  cancelled: 'annulé',
  expired: 'expiré',
} as const
export type TicketStatusName = keyof typeof TicketStatus
export type TicketStatus = (typeof TicketStatus)[TicketStatusName]

export const TICKET_STATUSES = Object.values(TicketStatus)

/** States in which the person still counts on being served. */
export const LIVE_STATUSES = [
  TicketStatus.waiting,
  TicketStatus.called,
  TicketStatus.serving,
  TicketStatus.held,
] as const satisfies readonly TicketStatus[]

/** States in which the stay has ended; only an undo or a return within the grace time leaves them. */
export const FINAL_STATUSES = [
  TicketStatus.completed,
  TicketStatus.no_show,
  TicketStatus.cancelled,
  TicketStatus.expired,
] as const satisfies readonly TicketStatus[]

export const AGENT_STATUSES = ['offline', 'available', 'calling', 'serving', 'wrap_up', 'break', 'back_office'] as const
export type AgentStatus = (typeof AGENT_STATUSES)[number]

/** Agent states that deliver service: their number is the `s` of a waiting-time estimate. */
const OPEN_AGENT_STATUSES = ['available', 'calling', 'serving', 'wrap_up'] as const satisfies readonly AgentStatus[]

export const QUEUE_STATUSES = ['open', 'paused', 'full', 'closing', 'closed'] as const
export type QueueStatus = (typeof QUEUE_STATUSES)[number]

const live: ReadonlySet<string> = new Set(LIVE_STATUSES)
const final: ReadonlySet<string> = new Set(FINAL_STATUSES)
const openAgent: ReadonlySet<string> = new Set(OPEN_AGENT_STATUSES)

export const isLive = (status: string): boolean => live.has(status)
export const isFinal = (status: string): boolean => final.has(status)
export const isOpenAgent = (status: string): boolean => openAgent.has(status)

/** Lower case without accents: `APPELÉ`, its decomposed form and `appele` fold to the same text. */
const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').trim().toLowerCase()

const statusByText = new Map<string, TicketStatus>()
const nameByStatus = new Map<string, TicketStatusName>()
for (const [name, status] of Object.entries(TicketStatus) as [TicketStatusName, TicketStatus][]) {
  statusByText.set(name, status).set(fold(status), status)
  nameByStatus.set(status, name)
}

/**
 * The stored state meant by what a caller typed: composed, decomposed or without accents, in any case, or the
 * English name. Undefined when it names no state.
 */
export const parseTicketStatus = (text: string): TicketStatus | undefined => statusByText.get(fold(text))

/** English name of a stored state, as GraphQL and the message catalogues spell it. */
export function ticketStatusName(status: TicketStatus): TicketStatusName {
  const name = nameByStatus.get(status)
  if (name === undefined) throw new RangeError(`not a ticket status: ${status}`)
  return name
}
