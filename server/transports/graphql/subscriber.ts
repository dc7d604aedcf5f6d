import { setTimeout as wait } from 'node:timers/promises'
import { liveCuts } from '../../kernel/metrics.ts'
import { Connection } from '../connection.ts'
import { MAX_BUFFERED_BYTES } from '../fan-out.ts'
import type { Batch } from '../frame.ts'
import type { Frame } from './follow.ts'

/** Parsed once for all who follow the same feed. */
const parsed = new WeakMap<object, Frame>()

/** Time a client has to take its snapshot, and how often that is looked at. */
const DRAIN_WITHIN_MS = 30_000
const LOOK_MS = 25

/** What all subscriptions of one client leave unread, in characters of JSON. */
export interface Backlog {
  size: number
}

/** One subscription: a follower of a feed whose frames are taken one by one. */
export class Subscriber extends Connection implements AsyncIterableIterator<Frame> {
  #frames: Frame[] = []
  #backlog: Backlog
  #sizes: number[] = []
  #waiting: ((result: IteratorResult<Frame>) => void) | null = null
  #isOpen = true
  #close: (subscriber: Subscriber) => void
  #fail: (code: number, reason: string) => void

  /** @param close told once, when it has ended; `fail` when it ends for a reason the client must be told */
  constructor(
    feed: string,
    backlog: Backlog,
    close: (subscriber: Subscriber) => void,
    fail: (code: number, reason: string) => void,
  ) {
    super('graphql', feed)
    this.#backlog = backlog
    this.#close = close
    this.#fail = fail
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  send({ frames }: Batch): boolean {
    if (!this.#isOpen) return false
    for (const frame of frames) {
      let value = parsed.get(frame)
      if (!value) parsed.set(frame, (value = JSON.parse(frame.json) as Frame))
      if (this.#waiting) {
        this.#waiting({ value, done: false })
        this.#waiting = null
        continue
      }
      // Judged before this frame: one that is larger than the limit, such as a snapshot, may still be sent, and so may
      // the first of each subscription.
      if (this.#frames.length > 0 && this.#backlog.size > MAX_BUFFERED_BYTES) {
        this.cut('slow')
        return false
      }
      this.#frames.push(value)
      this.#sizes.push(frame.json.length)
      this.#backlog.size += frame.json.length
    }
    return true
  }

  async drained(): Promise<boolean> {
    for (let waited = 0; this.#frames.length > 0 && this.#isOpen; waited += LOOK_MS) {
      if (waited > DRAIN_WITHIN_MS) return false
      await wait(LOOK_MS)
    }
    return this.#isOpen
  }

  end(code: number, reason: string): void {
    if (!this.#isOpen) return
    this.#finish()
    this.#fail(code, reason)
  }
  cut(reason: string): void {
    liveCuts.inc({ reason })
    this.end(1013, reason)
  }
  // The socket that carries all subscriptions of a client is pinged by itself.
  ping(): void {}
  beat(): void {}

  #finish() {
    this.#isOpen = false
    for (const size of this.#sizes) this.#backlog.size -= size
    this.#sizes = []
    this.#frames = []
    this.channel?.followers.delete(this)
    this.#waiting?.({ value: undefined, done: true })
    this.#waiting = null
    this.#close(this)
  }

  next(): Promise<IteratorResult<Frame>> {
    const value = this.#frames.shift()
    if (value) {
      this.#backlog.size -= this.#sizes.shift()!
      return Promise.resolve({ value, done: false })
    }
    if (!this.#isOpen) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => (this.#waiting = resolve))
  }
  return(): Promise<IteratorResult<Frame>> {
    if (this.#isOpen) this.#finish()
    return Promise.resolve({ value: undefined, done: true })
  }
  [Symbol.asyncIterator](): this {
    return this
  }
}
