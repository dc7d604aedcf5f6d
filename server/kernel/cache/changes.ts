import type { StreamEvent, Tail } from '../events/index.ts'

/** Events of the tenant's own stream that no kept answer shows anything of: people who are not there yet, and staff. */
const ELSEWHERE = /^(?:customer\.(?:created|updated)|user\.|invitation\.|sso\.)/

/** How far a stream had come when something last changed that answers about one of its queues may show. */
export class Changes {
  readonly tail: Tail
  /** Of the last event that may concern every queue. */
  #everywhere: number
  #queues = new Map<number, number>()

  constructor(tail: Tail) {
    this.tail = tail
    this.#everywhere = tail.offset
    tail.listeners.add((events) => {
      for (const event of events) this.#note(event)
    })
  }

  /** Offset of the last event that may concern the queue, or anything at all when none is named. */
  last(queueId?: number): number {
    if (queueId === undefined) return this.tail.siteId === 0 ? this.#everywhere : this.tail.offset
    return Math.max(this.#everywhere, this.#queues.get(queueId) ?? 0)
  }

  /** What names no queue may concern all of them; an agent concerns those it serves, wherever it was called. */
  #note({ type, offset, queue_id, from_queue_id, data }: StreamEvent) {
    if (this.tail.siteId === 0) {
      if (!ELSEWHERE.test(type)) this.#everywhere = offset
      return
    }
    if (type.startsWith('agent.') || (queue_id === null && from_queue_id === null)) {
      this.#everywhere = offset
      return
    }
    const { agent } = data as { agent?: { queue_ids?: readonly number[] } | null }
    for (const id of [queue_id, from_queue_id, ...(agent?.queue_ids ?? [])])
      if (id !== null) this.#queues.set(id, offset)
  }
}
