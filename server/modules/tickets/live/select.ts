import {
  concernsQueues,
  type AgentChange,
  type BoardQueue,
  type LiveEvent,
  type Ticket,
} from '../../../../shared/board.ts'
import type { Forecast } from '../../../../shared/eta.ts'
import type { SiteEvent } from '../../../../shared/views.ts'
import type { TicketStatus } from '../../../../shared/ticket-status.ts'
import type { StreamEvent } from '../../../kernel/events/index.ts'
import { pick } from '../pick.ts'

/** What an event of tickets, agents or queues may carry for views; see `LiveEvent`. */
export interface EventData {
  ticket?: Ticket
  from?: TicketStatus | null
  agent?: AgentChange
  queue?: Pick<BoardQueue, 'id'> & Partial<BoardQueue>
  service_seconds?: number | null
  forecast?: Forecast | null
}
export const dataOf = (event: StreamEvent): EventData => event.data as EventData

/** See `concernsQueues`: the same rule over the event as it is stored. */
export function concerns(event: StreamEvent, queueIds: readonly number[]): boolean {
  const { type, offset, at, queue_id, from_queue_id } = event
  const { agent } = dataOf(event)
  return concernsQueues({ type, offset, at, queue_id, from_queue_id, ...(agent && { agent }) }, queueIds)
}

type Payload = Omit<LiveEvent, 'type' | 'offset' | 'after' | 'at'>

const AGENT = ['id', 'name', 'status', 'counter_id', 'counter_name', 'queue_ids'] as const
const QUEUE = ['id', 'name', 'status'] as const

/** The queues of a view; `all` of its site. */
type Queues = readonly number[] | 'all'

/**
 * The event as views of `queueIds` take it in: what boards know of it and nothing else. A call in another queue shows
 * here only in its agent, unless it is `agentId`'s.
 */
export function liveEvent(event: StreamEvent, queueIds: Queues, agentId?: number): Payload {
  const { epoch, queue_id, from_queue_id, agent_id } = event
  const { ticket, from, agent, queue, service_seconds, forecast } = dataOf(event)
  const isNear =
    queueIds === 'all' ||
    (agentId !== undefined && agent_id === agentId) ||
    [queue_id, from_queue_id].some((id) => id !== null && queueIds.includes(id))
  return {
    epoch,
    queue_id,
    ...(from_queue_id !== null && { from_queue_id }),
    ...(agent_id !== null && { agent_id }),
    ...(isNear && ticket && { ticket, ...(from !== undefined && { from }) }),
    ...(agent && { agent: known(agent, AGENT) as AgentChange }),
    ...(queue && { queue: known(queue, QUEUE) as EventData['queue'] & object }),
    ...(service_seconds !== undefined && { service_seconds }),
    ...(forecast !== undefined && { forecast }),
  }
}

const DEVICE = ['id', 'kind', 'name', 'is_locked'] as const

/** The event as a whole site's view takes it in: also who is there, and its machines. */
export function siteEvent(event: StreamEvent): Omit<SiteEvent, 'type' | 'offset' | 'after' | 'at'> {
  const { device, presence } = event.data as Pick<SiteEvent, 'device' | 'presence'>
  return {
    ...liveEvent(event, 'all'),
    ...(event.type.startsWith('device.') && device && { device: pick(device, DEVICE) }),
    ...(presence && { presence: pick(presence, ['kind', 'id', 'is_online']) }),
  }
}

/** The named properties that are there. */
function known<T extends object>(value: T, keys: readonly (keyof T)[]): Partial<T> {
  return pick(
    value,
    keys.filter((key) => value[key] !== undefined),
  )
}
