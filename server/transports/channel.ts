import type { OpenFeed } from '../kernel/feed.ts'
import type { Hub, StreamEvent, Tail } from '../kernel/events/index.ts'
import { Batch, Frame } from './frame.ts'

/** Frames kept for those who come back: a storm of reconnections is served without a statement. */
const RING = 512
/** More missed events than this are not sent one by one: a snapshot is smaller. */
const MAX_MISSED_FRAMES = 500
const MAX_MISSED_EVENTS = 2000
/** What no event tells (a queue that closes by its hours) may be this old in a snapshot. */
const SNAPSHOT_TTL_MS = 1000

/** Somebody at the end of a line, whatever the transport. */
export interface Follower {
  /** False once either side has begun to close. */
  readonly isOpen: boolean
  /** Writes frames in order. False when the other side is gone or was cut for not reading: it is forgotten then. */
  send(batch: Batch): boolean
  /** Resolves when what was sent has left; false when it did not in a good while. */
  drained(): Promise<boolean>
  /** Ends the connection with a WebSocket close code (or its like elsewhere). */
  end(code: number, reason: string): void
}
/** Where a returning client stopped. */
export interface Position {
  epoch: string
  offset: number
}
/** A frame and the offset of the last event it knows. */
interface Placed {
  offset: number
  frame: Frame
}
/** Why a client's position cannot be continued: see docs/realtime.md. */
export type ResyncReason = 'epoch' | 'ahead' | 'too_far' | 'expired'

/** Told what a channel does, for counting. */
export interface ChannelObserver {
  /** Frames that have just been written to so many. */
  sent(frames: readonly Frame[], receivers: number): void
  resync(reason: ResyncReason): void
}

/** All who follow one feed with the same eyes: each event is projected, serialised and framed once for them. */
export class Channel {
  readonly feed: OpenFeed
  readonly followers = new Set<Follower>()
  observer: ChannelObserver | null = null
  #hub: Hub
  #tail: Tail
  #last = 0
  /** Every frame of the feed after this offset is in the ring. */
  #ringFrom = 0
  #ring: Placed[] = []
  #unsent: Frame[] = []
  #needsFlush: (channel: Channel) => void
  #closed = false
  /** Events that arrive while the first snapshot is read. */
  #early: StreamEvent[] | null = []
  #snapshot: { reading: Promise<Placed>; since: number } | null = null

  private constructor(hub: Hub, tail: Tail, feed: OpenFeed, needsFlush: (channel: Channel) => void) {
    this.#hub = hub
    this.#tail = tail
    this.feed = feed
    this.#needsFlush = needsFlush
  }

  /** Starts to follow the tail first and reads the snapshot second: an event between the two is seen twice, never missed. */
  static async open(
    hub: Hub,
    tenantId: number,
    feed: OpenFeed,
    needsFlush: (channel: Channel) => void,
  ): Promise<Channel> {
    const tail = await hub.tail(tenantId, feed.site_id)
    const channel = new Channel(hub, tail, feed, needsFlush)
    tail.listeners.add(channel.#onEvents)
    tail.resets.add(channel.#onReset)
    try {
      const { offset } = await channel.#read()
      channel.#ringFrom = channel.#last = offset
      const early = channel.#early!
      channel.#early = null
      channel.#onEvents(early)
    } catch (error) {
      channel.close(1011, 'unavailable')
      throw error
    }
    return channel
  }

  get closed(): boolean {
    return this.#closed
  }

  close(code: number, reason: string): void {
    this.#closed = true
    this.#tail.listeners.delete(this.#onEvents)
    this.#tail.resets.delete(this.#onReset)
    for (const follower of this.followers) follower.end(code, reason)
    this.followers.clear()
  }

  /**
   * Adds a follower with what it needs to be up to date: everything it missed since `position`, in order, or a snapshot
   * (announced by `resync` when it had a position that cannot be continued). `feed` is the follower's own opening of the
   * feed: old events are shown by it, because a feed may remember what it showed last.
   */
  async join(follower: Follower, position: Position | null, feed: OpenFeed): Promise<void> {
    const missed = position ? await this.#missedSince(position, feed) : null
    let upTo: number
    if (typeof missed === 'object' && missed) {
      upTo = missed.upTo
      this.#send(follower, missed.frames)
    } else {
      const snapshot = await this.#read()
      upTo = snapshot.offset
      if (missed) this.observer?.resync(missed)
      const resync = missed ? [new Frame(JSON.stringify({ type: 'resync', reason: missed }))] : []
      this.#send(follower, [...resync, snapshot.frame])
    }
    // A large snapshot on a slow line: events wait in the ring meanwhile, not in this socket.
    if (!(await follower.drained())) return follower.end(1013, 'slow')
    // The database may be ahead of this process's tail: what the snapshot shows already must not be sent again.
    if (upTo > this.#last) await this.#tail.refresh()
    this.flush()
    if (upTo < this.#ringFrom || this.#closed) return follower.end(1012, 'retry')
    this.#send(follower, this.#after(upTo))
    if (follower.isOpen) this.followers.add(follower)
  }

  /** Writes what has gathered since the last flush to everybody, together. */
  flush(): void {
    if (this.#unsent.length === 0) return
    const batch = new Batch(this.#unsent)
    this.#unsent = []
    const receivers = this.followers.size
    for (const follower of this.followers) if (!follower.send(batch)) this.followers.delete(follower)
    if (receivers) this.observer?.sent(batch.frames, receivers)
  }

  #send(follower: Follower, frames: Frame[]) {
    if (frames.length && follower.isOpen) follower.send(new Batch(frames))
  }

  #onEvents = (events: readonly StreamEvent[]) => {
    if (this.#early) return void this.#early.push(...events)
    try {
      for (const event of events) {
        if (event.offset <= this.#last || !this.feed.select(event)) continue
        const frame = frameOf(this.feed, event, this.#last)
        this.#last = event.offset
        this.#snapshot = null
        this.#ring.push({ offset: event.offset, frame })
        if (this.followers.size) this.#unsent.push(frame)
      }
    } catch {
      // A feed that cannot show an event must not go on as if nothing had happened: everybody starts anew.
      return this.close(1011, 'feed failed')
    }
    if (this.#ring.length > 2 * RING) {
      const dropped = this.#ring.splice(0, this.#ring.length - RING)
      this.#ringFrom = dropped.at(-1)!.offset
    }
    if (this.#unsent.length) this.#needsFlush(this)
  }

  /** Offsets stopped being comparable: whoever comes back has an old epoch and is given a snapshot. */
  #onReset = () => this.close(1012, 'epoch')

  /** One snapshot serves all who ask before the next event. */
  #read(): Promise<Placed> {
    const now = performance.now()
    if (this.#snapshot && now - this.#snapshot.since < SNAPSHOT_TTL_MS) return this.#snapshot.reading
    const reading = this.feed.snapshot().then((snapshot) => ({
      offset: snapshot.offset,
      frame: new Frame(JSON.stringify({ type: 'snapshot', ...snapshot }), {
        epoch: snapshot.epoch,
        offset: snapshot.offset,
      }),
    }))
    this.#snapshot = { reading, since: now }
    reading.catch(() => {
      if (this.#snapshot?.reading === reading) this.#snapshot = null
    })
    return reading
  }

  #after(offset: number): Frame[] {
    let from = this.#ring.length
    while (from > 0 && this.#ring[from - 1]!.offset > offset) from--
    return this.#ring.slice(from).map(({ frame }) => frame)
  }

  async #missedSince(
    { epoch, offset }: Position,
    feed: OpenFeed,
  ): Promise<{ frames: Frame[]; upTo: number } | ResyncReason> {
    if (epoch !== this.#tail.epoch) return 'epoch'
    // Another process may have shown the client, or this channel's snapshot all, more than this one has heard of yet.
    if (Math.max(offset, this.#ringFrom) > this.#tail.offset) await this.#tail.refresh()
    if (offset > this.#tail.offset) return 'ahead'
    if (offset >= this.#ringFrom) {
      const frames = this.#after(offset)
      return frames.length > MAX_MISSED_FRAMES ? 'too_far' : { frames, upTo: this.#last }
    }
    const events = await this.#hub.since(this.#tail, offset, MAX_MISSED_EVENTS)
    if (!events) return 'too_far'
    if (events[0]?.offset !== offset + 1) return 'expired'
    const frames: Frame[] = []
    let after = offset
    for (const event of events) {
      if (!feed.select(event)) continue
      frames.push(frameOf(feed, event, after))
      after = event.offset
    }
    return frames.length > MAX_MISSED_FRAMES ? 'too_far' : { frames, upTo: events.at(-1)!.offset }
  }
}

function frameOf(feed: OpenFeed, event: StreamEvent, after: number): Frame {
  const { type, epoch, offset, at } = event
  const json = JSON.stringify({ type, offset, after, at, ...feed.project(event) })
  return new Frame(json, { epoch, offset }, Date.parse(at))
}
