import type { Duplex } from 'node:stream'
import type { Actor } from '../kernel/access.ts'
import { liveCuts } from '../kernel/metrics.ts'
import type { OpenFeed } from '../kernel/feed.ts'
import type { Tenant } from '../kernel/operation.ts'
import type { Channel, Follower } from './channel.ts'
import { deliver, drained, MAX_BUFFERED_BYTES } from './fan-out.ts'
import type { Batch, Encode } from './frame.ts'

/** Time a client has to take its snapshot. */
const DRAIN_WITHIN_MS = 30_000

/** One client of one feed, over any transport: what the server must know to stop it at any moment. */
export abstract class Connection implements Follower {
  /** `websocket`, `sse`, … */
  readonly transport: string
  /** The feed's name. */
  readonly feed: string
  actor: Actor | null = null
  tenant: Tenant | null = null
  /** Milliseconds since 1970 at which its token ends. */
  expiresAt = Infinity
  /** How often it wants a frame that shows the line lives; 0: never. */
  heartbeatSeconds = 0
  channel: Channel | null = null
  /** Whom its being there shows to be there. */
  presence: OpenFeed['presence']
  /** Limits it counts against. */
  readonly counted = new Set<string>()

  constructor(transport: string, feed: string) {
    this.transport = transport
    this.feed = feed
  }

  abstract readonly isOpen: boolean
  abstract send(batch: Batch): boolean
  abstract drained(): Promise<boolean>
  /** Says why and closes. */
  abstract end(code: number, reason: string): void
  /** Ends it without a word. */
  abstract cut(reason: string): void
  /** Asks whether the other side is there; called every 25 s. */
  abstract ping(): void
  /** Sends a frame the page can see. */
  abstract beat(): void
}

/** A connection that is a socket of ours. */
export abstract class SocketConnection extends Connection {
  readonly stream: Duplex
  readonly #encode: Encode

  constructor(transport: string, feed: string, stream: Duplex, encode: Encode) {
    super(transport, feed)
    this.stream = stream
    this.#encode = encode
  }

  send(batch: Batch): boolean {
    const bytes = batch.bytes(this.#encode)
    const unread = this.stream.writableLength
    if (deliver(this.stream, bytes)) return true
    if (unread > 0 && unread + bytes.length > MAX_BUFFERED_BYTES) liveCuts.inc({ reason: 'slow' })
    return false
  }

  drained(): Promise<boolean> {
    return drained(this.stream, DRAIN_WITHIN_MS)
  }
}
