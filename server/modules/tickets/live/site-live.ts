import { paceOf, type AgentChange, type Ticket } from '../../../../shared/board.ts'
import { estimateWait, type Estimate, type Forecast, type WaitFactors } from '../../../../shared/eta.ts'
import { RankIndex } from '../../../../shared/rank-index.ts'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { monotonicMs } from '../../../kernel/clock.ts'
import type { StreamEvent } from '../../../kernel/events/index.ts'
import { dataOf } from './select.ts'

/** A waiting ticket's key in the order of service. */
export interface Waiting {
  id: number
  queue_id: number
  rank: number
}
/** Everything positions and estimates of a site follow from, as read from the database at one offset. */
export interface SiteState {
  epoch: string
  offset: number
  agents: { id: number; status: string; queue_ids: number[] }[]
  paces: { queue_id: number; service_seconds: number; forecast: Forecast | null }[]
  /** In the order of service within each queue. */
  waiting: readonly Waiting[]
}

/** What was granted and is not heard of by then was rolled back. */
const GRANT_MS = 1000

type Place = Pick<Waiting, 'queue_id' | 'rank'>
type Pace = Omit<WaitFactors, 'ahead'>

/**
 * Who waits where, who serves and how fast, at one offset of a site's stream: a fold over its events. Counting who
 * stands before a ticket takes O(log n) steps. About 110 bytes a waiting ticket.
 */
export class SiteLive {
  readonly epoch: string
  offset: number
  #queues = new Map<number, RankIndex>()
  #places = new Map<number, Place>()
  /** Of this process's transactions that are on their way: the next may be answered before their events come. */
  #granted = new Map<number, Waiting & { at: number }>()
  #agents = new Map<number, { status: string; queue_ids: readonly number[] }>()
  #serviceSeconds = new Map<number, number | null>()
  #forecasts = new Map<number, Forecast | null>()
  /** Counted once after every change of an agent or a pace. */
  #paces = new Map<number, Pace>()

  constructor(state: SiteState) {
    this.epoch = state.epoch
    this.offset = state.offset
    for (const { id, status, queue_ids } of state.agents) this.#agents.set(id, { status, queue_ids })
    for (const { queue_id, service_seconds, forecast } of state.paces) {
      this.#serviceSeconds.set(queue_id, service_seconds)
      this.#forecasts.set(queue_id, forecast)
    }
    for (const ticket of state.waiting) this.#enter(ticket)
  }

  /** Takes in the next event; earlier ones are ignored. Returns false when events before it are missing. */
  apply(event: StreamEvent): boolean {
    if (event.offset <= this.offset) return true
    if (event.offset !== this.offset + 1 || event.epoch !== this.epoch) return false
    this.offset = event.offset
    const { ticket, agent, service_seconds, forecast } = dataOf(event)
    if (event.type.startsWith('ticket.') && ticket) this.#place(ticket)
    if (agent) this.#seat(agent)
    if (event.type.startsWith('queue.') && event.queue_id !== null) {
      if (service_seconds !== undefined) this.#serviceSeconds.set(event.queue_id, service_seconds)
      if (forecast !== undefined) this.#forecasts.set(event.queue_id, forecast)
      this.#paces.clear()
    }
    return true
  }

  waitingCount(queueId: number): number {
    return this.#queues.get(queueId)?.size ?? 0
  }

  /** How many others of the queue stand before this key, wherever the ticket itself is known to stand, if it is known. */
  ahead(queueId: number, rank: number, id: number): number {
    const known = this.#places.get(id)
    const isBefore = known?.queue_id === queueId && known.rank < rank
    return (this.#queues.get(queueId)?.rankOf(rank, id) ?? 0) - (isBefore ? 1 : 0)
  }

  knows(ticketId: number): boolean {
    return this.#places.has(ticketId)
  }

  /** Tickets that a transaction is about to let in. */
  grant(tickets: readonly Waiting[]): void {
    const at = monotonicMs()
    for (const { id, queue_id, rank } of tickets) this.#granted.set(id, { id, queue_id, rank, at })
  }
  /** Those granted that are not known yet. */
  granted(): Waiting[] {
    const since = monotonicMs() - GRANT_MS
    for (const [id, { at }] of this.#granted) {
      if (at >= since) break
      this.#granted.delete(id)
    }
    return [...this.#granted.values()]
  }

  estimate(queueId: number, ahead: number): Estimate {
    let pace = this.#paces.get(queueId)
    if (!pace) {
      const agents = [...this.#agents.values()].filter(({ queue_ids }) => queue_ids.includes(queueId))
      const service_seconds = this.#serviceSeconds.get(queueId) ?? null
      pace = { ...paceOf(agents), service_seconds, forecast: this.#forecasts.get(queueId) ?? null }
      this.#paces.set(queueId, pace)
    }
    return estimateWait({ ahead, ...pace })
  }

  #place(ticket: Ticket) {
    this.#granted.delete(ticket.id)
    const known = this.#places.get(ticket.id)
    const isWaiting = ticket.status === TicketStatus.waiting
    if (known && isWaiting && known.queue_id === ticket.queue_id && known.rank === ticket.rank) return
    if (known) {
      this.#queues.get(known.queue_id)!.delete(known.rank, ticket.id)
      this.#places.delete(ticket.id)
    }
    if (isWaiting) this.#enter(ticket)
  }

  #enter({ id, queue_id, rank }: Waiting) {
    let queue = this.#queues.get(queue_id)
    if (!queue) this.#queues.set(queue_id, (queue = new RankIndex()))
    queue.insert(rank, id)
    this.#places.set(id, { queue_id, rank })
  }

  #seat({ id, status, queue_ids }: AgentChange) {
    const known = this.#agents.get(id)
    this.#agents.set(id, { status: status ?? known?.status ?? 'offline', queue_ids })
    this.#paces.clear()
  }
}
