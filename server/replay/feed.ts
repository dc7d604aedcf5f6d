import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { Chain } from './chain.ts'
import type { ApiClient } from './client.ts'

interface Frame {
  type: string
  epoch?: string
  offset?: number
  after?: number
  ticket?: { id: number }
}
export interface SeenEvent {
  type: string
  offset: number
}

/** Close code of a feed whose token has expired or was never good. */
const UNAUTHORIZED = 4401

/**
 * One observer of a queue, as a console or a display would follow it. It keeps what it saw of each ticket, checks the
 * chain, and comes back where it stopped when its connection breaks.
 */
export class QueueFeed {
  readonly chain = new Chain()
  readonly seen = new Map<number, SeenEvent[]>()
  events = 0
  reconnects = 0
  resyncs = 0
  #client: ApiClient
  #queueId: number
  #dropEvery: number
  #socket: WebSocket | undefined
  #closed = false
  #waiters = new Set<{ done: () => boolean; resolve: (seen: boolean) => void }>()

  /** `dropEvery`: cut the connection on purpose after so many events (0 never), so that coming back is proven too. */
  constructor(client: ApiClient, queueId: number, dropEvery: number) {
    this.#client = client
    this.#queueId = queueId
    this.#dropEvery = dropEvery
  }

  /** Resolves with the first snapshot; rejects when the server refuses the first connection. */
  open(): Promise<void> {
    return this.#connect()
  }

  close(): void {
    this.#closed = true
    this.#socket?.terminate()
    for (const waiter of this.#waiters) waiter.resolve(false)
  }

  /** Waits until the feed has shown this event of this ticket: true, or false when it did not within the time. */
  until(ticketId: number, type: string, timeoutMs: number): Promise<boolean> {
    const done = () => this.seen.get(ticketId)?.some((event) => event.type === type) ?? false
    if (done() || this.#closed) return Promise.resolve(done())
    return new Promise((resolve) => {
      const waiter = { done, resolve: finish }
      const timer = setTimeout(() => finish(false), timeoutMs)
      const waiters = this.#waiters
      function finish(seen: boolean) {
        clearTimeout(timer)
        waiters.delete(waiter)
        resolve(seen)
      }
      waiters.add(waiter)
    })
  }

  async #connect(): Promise<void> {
    const token = await this.#client.token()
    const { epoch, offset } = this.chain
    const resume = offset === null ? '' : `?epoch=${encodeURIComponent(epoch)}&since=${offset}`
    const url = `${this.#client.baseUrl.replace(/^http/, 'ws')}/ws/tenants/${this.#client.tenant}/queues/${this.#queueId}/${resume}`
    const socket = new WebSocket(url, ['smartqueue.v1', `bearer.${token}`], { perMessageDeflate: false })
    this.#socket = socket
    let opened = false
    await new Promise<void>((resolve, reject) => {
      socket.on('message', (data) => {
        // What an abandoned connection still delivers comes again on the next one.
        if (this.#socket !== socket) return
        this.#take(JSON.parse(String(data)) as Frame)
        resolve()
      })
      socket.on('open', () => {
        opened = true
        // On coming back to a quiet queue there may be nothing to send: being connected is enough.
        if (offset !== null) resolve()
      })
      socket.on('error', reject)
      socket.on('close', (code) => {
        if (code === UNAUTHORIZED) this.#client.renewToken()
        reject(new Error(`the feed of queue ${this.#queueId} was closed`))
        if (opened && !this.#closed && this.chain.offset !== null) void this.#comeBack()
      })
    })
  }

  async #comeBack(): Promise<void> {
    this.reconnects++
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        return await this.#connect()
      } catch {
        await sleep(Math.min(1000, 20 * 2 ** attempt))
      }
    }
  }

  #take(frame: Frame): void {
    if (frame.type === 'snapshot') this.chain.snapshot(frame.epoch ?? '', frame.offset ?? 0)
    else if (frame.type === 'resync') this.resyncs++
    else if (frame.offset !== undefined && frame.after !== undefined) this.#event(frame as Required<Frame>)
  }

  #event(frame: Required<Frame>): void {
    if (!this.chain.accept(frame)) return
    this.events++
    if (frame.ticket) {
      const event = { type: frame.type, offset: frame.offset }
      const known = this.seen.get(frame.ticket.id)
      if (known) known.push(event)
      else this.seen.set(frame.ticket.id, [event])
      for (const waiter of this.#waiters) if (waiter.done()) waiter.resolve(true)
    }
    if (this.#dropEvery > 0 && this.events % this.#dropEvery === 0) {
      const dropped = this.#socket
      this.#socket = undefined
      dropped?.terminate()
    }
  }
}
