import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import type { Hub, StreamEvent, Tail } from '../../server/kernel/events/index.ts'
import type { OpenFeed } from '../../server/kernel/feed.ts'
import { Channel, type Follower } from '../../server/transports/channel.ts'
import { deliver, textFrame, webSocketBytes } from '../../server/transports/fan-out.ts'

/** Events that come within a few milliseconds of each other under load, and leave as one write. */
const TOGETHER = 10

/**
 * The product's channel of one feed before sockets that are connected already, fed by a tail that stands still: what is
 * measured is projection, JSON, frame and the writes, and neither the database nor the commit.
 */
export class Stage {
  #listeners: Tail['listeners']
  #event: StreamEvent
  #channel: Channel
  #pace: { isTogether: boolean }

  private constructor(
    listeners: Tail['listeners'],
    event: StreamEvent,
    channel: Channel,
    pace: { isTogether: boolean },
  ) {
    this.#pace = pace
    this.#listeners = listeners
    this.#event = event
    this.#channel = channel
  }

  static async build(feed: OpenFeed, tenantId: number, event: StreamEvent, sockets: readonly Socket[]): Promise<Stage> {
    const listeners: Tail['listeners'] = new Set()
    const tail = { tenantId, listeners, resets: new Set(), epoch: event.epoch, offset: event.offset } as unknown as Tail
    const pace = { isTogether: false }
    const channel = await Channel.open({ tail: async () => tail } as unknown as Hub, tenantId, feed, (needing) => {
      if (!pace.isTogether) needing.flush()
    })
    for (const stream of sockets) channel.followers.add(followerOn(stream))
    return new Stage(listeners, event, channel, pace)
  }

  /** The next frame as everybody gets it. */
  get frame(): Buffer {
    const { type, at, offset } = this.#event
    return textFrame(
      JSON.stringify({ type, offset: offset + 1, after: offset, at, ...this.#channel.feed.project(this.#event) }),
    )
  }

  /** A write per event and socket. */
  async sendEach(events: number): Promise<void> {
    this.#pace.isTogether = false
    for (let sent = 0; sent < events; sent++) {
      this.#commit()
      await turn()
    }
  }

  /** A write per ten events and socket. */
  async sendTogether(events: number): Promise<void> {
    this.#pace.isTogether = true
    for (let sent = 1; sent <= events; sent++) {
      this.#commit()
      if (sent % TOGETHER !== 0 && sent !== events) continue
      this.#channel.flush()
      await turn()
    }
  }

  close(): void {
    this.#channel.followers.clear()
    this.#channel.close(1012, 'done')
  }

  #commit() {
    this.#event = { ...this.#event, offset: this.#event.offset + 1 }
    for (const listener of this.#listeners) listener([this.#event])
  }
}

const followerOn = (stream: Socket): Follower => ({
  isOpen: true,
  send: (batch) => deliver(stream, batch.bytes(webSocketBytes)),
  drained: async () => true,
  end: () => {},
})

export const descriptorOf = (socket: Socket): number => (socket as unknown as { _handle: { fd: number } })._handle.fd

/** The bare loop in JavaScript: the same bytes to each descriptor, again and again until the kernel takes them. */
export async function writeBare(descriptors: readonly number[], bytes: Buffer, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const descriptor of descriptors) {
      for (let rest = bytes; rest.length > 0;) {
        try {
          rest = rest.subarray(writeSync(descriptor, rest))
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        }
      }
    }
    await turn()
  }
}
