import { type Feed, type Frame, GapError } from './board.ts'
import { Optimism, type OptimisticAct } from './optimism.ts'

/** A handler property that accepts both the browser's event types and those of `ws`. */
type Handler<Event> = { handle(event: Event): void }['handle'] | null
/** What is needed of a WebSocket. */
export interface Socket {
  onopen: Handler<unknown>
  onmessage: Handler<{ data: unknown }>
  onerror: Handler<unknown>
  onclose: Handler<{ code: number; reason: string }>
  close(): void
}
export interface Address {
  /** `ws:` or `wss:` URL of a feed; `epoch` and `since` are added on coming back. */
  url: string
  protocols?: string[]
}

type SocketClass = new (url: string, protocols?: string[]) => Socket

export interface LiveClientOptions<View extends Feed, Event extends Frame> {
  /** Asked before every connection, because tokens expire and a one-time ticket opens one connection only. */
  address(): Address | Promise<Address>
  /** The browser's WebSocket or that of `ws`. */
  WebSocket: SocketClass
  /** Taken when WebSockets fail again and again: `EventStreamSocket`, or what else speaks like one. */
  Fallback?: SocketClass
  /** The reducer of this kind of view: `applyEvent`, `applyDisplay`, `applyAgent`, `applyTicketView`. */
  reduce(view: View, event: Event): View
  /** Called for every new view; `event` is null when it came from a snapshot or an act of one's own. */
  onChange?(view: View, event: Event | null): void
  onStatus?(status: LiveStatus): void
  /** Called when the picture becomes too old to be shown as the present one, and when it is fresh again. */
  onStale?(isStale: boolean): void
  /** Silence after which the picture is old. Default 10; only beside `heartbeatSeconds`, which should be half of it. */
  staleSeconds?: number
  /**
   * How often the server sends `{type: "ping"}` frames. When three are missing the connection is given up: a network
   * that vanished without a word is found no other way. Absent: no such frames are expected.
   */
  heartbeatSeconds?: number
  /** First and longest pause before coming back; half of each pause is random. Default 0.5 and 15. */
  minDelaySeconds?: number
  maxDelaySeconds?: number
}

/** `live`: connected. `connecting`: not, the view may be old. `closed`: for good, by `close()`. */
export type LiveStatus = 'connecting' | 'live' | 'closed'

/** So many connections that brought nothing are the network's fault, not bad luck. */
const FAILURES_UNTIL_FALLBACK = 3
/** A connection that held this long was good: the next pause starts small again. */
const GOOD_SECONDS = 5

/**
 * Follows a feed for as long as it is wanted: a snapshot, then every event in order, proven complete by the chain of
 * `after`. After a break it asks for what it missed; where that cannot be had, it starts from a new snapshot.
 */
export class LiveClient<View extends Feed, Event extends Frame> {
  #options: LiveClientOptions<View, Event>
  #view: View | null = null
  #optimism = new Optimism<View, Event>((view) => this.#options.onChange?.(view, null))
  #status: LiveStatus = 'connecting'
  #isStale = false
  #staleness: ReturnType<typeof setInterval> | undefined
  /** Connections of the first choice in a row that brought nothing. */
  #failures = 0
  #socket: Socket | null = null
  /** False until a snapshot came, and when events no longer follow each other: then nothing can be continued. */
  #canResume = false
  #attempts = 0
  #heardAt = performance.now()
  #attemptedAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #watchdog: ReturnType<typeof setInterval> | undefined

  /** Connects at once. */
  constructor(options: LiveClientOptions<View, Event>) {
    this.#options = options
    if (options.heartbeatSeconds) {
      this.#watchdog = setInterval(() => this.#checkHeartbeat(), options.heartbeatSeconds * 1000)
    }
    if (options.onStale) this.#staleness = setInterval(() => this.#checkStaleness(), 500)
    void this.#connect()
  }

  /** The latest view, with one's own acts that are still on their way; null until the first snapshot. */
  get view(): View | null {
    return this.#optimism.shown
  }
  /** The latest view as the server told it, without one's own acts. */
  get told(): View | null {
    return this.#view
  }

  /** Is the picture too old to be shown as the present one? */
  get isStale(): boolean {
    return this.silentSeconds > (this.#options.staleSeconds ?? 10)
  }

  /**
   * Shows an act at once and sends it with an idempotency key, again where the network lost it. What was shown is taken
   * back when the server refuses, and replaced by the event when it agrees. Rejects with the refusal.
   */
  act<Result>(act: OptimisticAct<View, Event, Result>): Promise<Result> {
    return this.#optimism.act(act)
  }

  get status(): LiveStatus {
    return this.#status
  }

  /** Seconds since anything was heard from the server, for the notice that figures are old. */
  get silentSeconds(): number {
    return (performance.now() - this.#heardAt) / 1000
  }

  /** Ends for good; no callback comes afterwards but the status. */
  close(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#watchdog)
    clearInterval(this.#staleness)
    const socket = this.#socket
    this.#socket = null
    socket?.close()
    this.#setStatus('closed')
  }

  async #connect(): Promise<void> {
    let socket: Socket
    const { Fallback } = this.#options
    const isFallback = Fallback !== undefined && this.#failures >= FAILURES_UNTIL_FALLBACK
    try {
      const { url, protocols } = await this.#options.address()
      if (this.#status === 'closed') return
      socket = new (isFallback ? Fallback : this.#options.WebSocket)(this.#withPosition(url), protocols)
    } catch {
      return this.#comeBackLater()
    }
    this.#socket = socket
    this.#attemptedAt = performance.now()
    let openedAt = Infinity
    let hasSpoken = false
    // An abandoned connection may still deliver: what it says comes again on the next one.
    const isCurrent = () => this.#socket === socket
    socket.onopen = () => {
      if (!isCurrent()) return
      openedAt = performance.now()
      this.#heardAt = openedAt
      // Who comes back to a quiet feed hears nothing, yet is up to date.
      if (this.#canResume) this.#setStatus('live')
    }
    socket.onmessage = ({ data }) => {
      if (!isCurrent()) return
      hasSpoken = true
      this.#take(String(data))
    }
    // A failed connection also closes; without a handler `ws` would throw.
    socket.onerror = () => {}
    socket.onclose = ({ reason }) => {
      if (!isCurrent()) return
      const isGood = performance.now() - openedAt > GOOD_SECONDS * 1000
      if (isGood) this.#attempts = 0
      if (isGood || hasSpoken) this.#failures = 0
      // After a fallback that failed too, the first choice has another chance.
      else this.#failures = isFallback ? FAILURES_UNTIL_FALLBACK - 1 : this.#failures + 1
      this.#comeBackLater(/^retry_after_ms=(\d{1,5})$/.exec(reason)?.[1])
    }
  }

  #withPosition(url: string): string {
    if (!this.#view || !this.#canResume) return url
    const address = new URL(url)
    address.searchParams.set('epoch', this.#view.epoch)
    address.searchParams.set('since', String(this.#view.offset))
    return address.href
  }

  #take(data: string): void {
    this.#heardAt = performance.now()
    let frame: Event
    try {
      frame = JSON.parse(data) as Event
    } catch {
      return this.#startOver()
    }
    if (frame.type === 'ping') return
    if (frame.type === 'resync') {
      this.#canResume = false
    } else if (frame.type === 'snapshot') {
      const { type: _, ...view } = frame
      this.#canResume = true
      this.#setStatus('live')
      this.#show(view as unknown as View, null)
    } else if (this.#view && this.#canResume) {
      this.#apply(this.#view, frame)
    }
  }

  #apply(view: View, event: Event): void {
    let next: View
    try {
      next = this.#options.reduce(view, event)
    } catch (error) {
      if (!(error instanceof GapError)) throw error
      return this.#startOver()
    }
    if (next !== view) this.#show(next, event)
  }

  #show(view: View, event: Event | null): void {
    this.#view = view
    this.#optimism.confirm(view, event)
    this.#options.onChange?.(this.#optimism.shown!, event)
  }

  /** Something is missing or unreadable: only a new snapshot is sure to be right. */
  #startOver(): void {
    this.#canResume = false
    this.#abandon()
  }

  #checkHeartbeat(): void {
    const silentMs = performance.now() - Math.max(this.#heardAt, this.#attemptedAt)
    if (this.#socket && silentMs > 3000 * this.#options.heartbeatSeconds!) this.#abandon()
  }

  #checkStaleness(): void {
    if (this.isStale === this.#isStale) return
    this.#isStale = this.isStale
    this.#options.onStale?.(this.#isStale)
  }

  /** Leaves the connection without waiting for its close, which may never come. */
  #abandon(): void {
    this.#socket?.close()
    this.#comeBackLater()
  }

  /** @param afterMs when the server asked for a moment of its own choice */
  #comeBackLater(afterMs?: string): void {
    if (this.#status === 'closed') return
    this.#socket = null
    this.#setStatus('connecting')
    const { minDelaySeconds = 0.5, maxDelaySeconds = 15 } = this.#options
    const delay = Math.min(maxDelaySeconds, minDelaySeconds * 2 ** this.#attempts++)
    // Random, or all screens of a branch would return in the same instant after a restart.
    const wait = afterMs === undefined ? delay * 1000 * (0.5 + Math.random() / 2) : Number(afterMs)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#connect(), wait)
  }

  #setStatus(status: LiveStatus): void {
    if (this.#status === status) return
    this.#status = status
    this.#options.onStatus?.(status)
  }
}
