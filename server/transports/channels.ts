import type { OpenFeed } from '../kernel/feed.ts'
import type { Hub } from '../kernel/events/index.ts'
import { Channel, type ChannelObserver } from './channel.ts'

/** Events of this time are written together: under load one write carries several frames. */
const COALESCE_MS = 5
/** An unfollowed channel keeps its ring this long for those who come back. */
const LINGER_MS = 120_000

interface Entry {
  opening: Promise<Channel>
  channel: Channel | null
  idleSince: number
}

/** All channels of this process; opened by the first follower and shared by the rest. */
export class Channels {
  #hub: Hub
  #observer: ChannelObserver | null
  #entries = new Map<string, Entry>()
  #dirty = new Set<Channel>()
  #isScheduled = false
  #flushedAt = 0

  constructor(hub: Hub, observer: ChannelObserver | null = null) {
    this.#hub = hub
    this.#observer = observer
  }

  async get(tenantId: number, feed: OpenFeed): Promise<Channel> {
    const key = `${tenantId}:${feed.key}`
    let entry = this.#entries.get(key)
    if (!entry || entry.channel?.closed) {
      const created: Entry = {
        opening: Channel.open(this.#hub, tenantId, feed, this.#needsFlush),
        channel: null,
        idleSince: 0,
      }
      this.#entries.set(key, (entry = created))
      created.opening.then(
        (channel) => {
          channel.observer = this.#observer
          created.channel = channel
        },
        () => this.#entries.get(key) === created && this.#entries.delete(key),
      )
    }
    const channel = await entry.opening
    entry.idleSince = 0
    return channel
  }

  /** Forgets channels nobody has followed for a while. Called about once a second. */
  sweep(): void {
    const now = performance.now()
    for (const [key, entry] of this.#entries) {
      if (!entry.channel) continue
      if (entry.channel.followers.size > 0) entry.idleSince = 0
      else if (entry.idleSince === 0) entry.idleSince = now
      else if (now - entry.idleSince > LINGER_MS || entry.channel.closed) {
        entry.channel.close(1012, 'idle')
        this.#entries.delete(key)
      }
    }
  }

  closeAll(code: number, reason: string): void {
    for (const { channel } of this.#entries.values()) channel?.close(code, reason)
    this.#entries.clear()
  }

  /** A quiet process sends as soon as the commit's own answer is on its way; a busy one gathers. */
  #needsFlush = (channel: Channel): void => {
    this.#dirty.add(channel)
    if (this.#isScheduled) return
    this.#isScheduled = true
    const wait = this.#flushedAt + COALESCE_MS - performance.now()
    if (wait <= 0) setImmediate(this.#flush)
    else setTimeout(this.#flush, wait)
  }

  #flush = (): void => {
    this.#isScheduled = false
    const channels = [...this.#dirty]
    this.#dirty.clear()
    for (const channel of channels) channel.flush()
    this.#flushedAt = performance.now()
  }
}
