import { monotonicMs } from '../clock.ts'
import type { Database } from '../db/types.ts'
import { readEvents, readHead, readRecentEvents, type StreamEvent, type StreamHead } from './log.ts'

export type Listener = (events: readonly StreamEvent[]) => void
/**
 * Told when what follows does not continue what came before: offsets stopped being comparable (a restore), or the log
 * no longer holds what was missed (retention). Whoever follows must start from a snapshot.
 */
export type ResetListener = (head: StreamHead) => void

/** Recent events kept in memory: a reconnecting client is served from here, older ones from the log. */
const RING = 2048
/** How long an event that arrived early waits for its predecessors before they are read from the log. */
const EARLY_MS = 5
const PAGE = 1000

/** One site's stream as this process sees it: every event once, in order, whoever committed it. */
export class Tail {
  readonly tenantId: number
  readonly siteId: number
  epoch = ''
  offset = 0
  readonly listeners = new Set<Listener>()
  readonly resets = new Set<ResetListener>()
  readonly ready: Promise<void>
  /** When the database was last asked, on the monotonic clock, and had nothing that this tail does not have now. */
  wholeAt = -Infinity
  /** By the database's clock: when the event at `offset` happened, or the head was seen there. Later events lie in later parts of the log. */
  knownAt = ''
  #db: Database
  #ring: StreamEvent[] = []
  /** How many of the ring were there when it was last looked at. */
  #aged = 0
  #early = new Map<number, StreamEvent>()
  #fetching: Promise<void> | null = null
  #again = false
  #timer: NodeJS.Timeout | null = null

  constructor(db: Database, tenantId: number, siteId: number) {
    this.#db = db
    this.tenantId = tenantId
    this.siteId = siteId
    this.ready = this.#start()
    this.ready.catch(() => {})
  }

  async #start() {
    const asked = monotonicMs()
    const head = await readHead(this.#db.reader(this.tenantId), this.siteId)
    if (!head) throw new Error('no such stream')
    this.epoch = head.epoch
    this.offset = head.offset
    this.knownAt = head.at
    this.wholeAt = asked
    this.#drainEarly()
  }

  /** Events this process just committed, or read; any order, any repetition. */
  accept(events: readonly StreamEvent[]): void {
    if (!this.epoch || events[0]?.epoch !== this.epoch) {
      if (this.epoch) this.#tryRefresh()
      else for (const event of events) this.#early.set(event.offset, event)
      return
    }
    if (events[0]!.offset === this.offset + 1) this.#apply(events)
    else for (const event of events) if (event.offset > this.offset) this.#early.set(event.offset, event)
    this.#drainEarly()
  }

  #drainEarly() {
    if (this.#early.size === 0) return
    const next: StreamEvent[] = []
    for (let offset = this.offset + 1, event; (event = this.#early.get(offset)); offset++) {
      next.push(event)
      this.#early.delete(offset)
    }
    if (next.length) this.#apply(next)
    for (const offset of this.#early.keys()) if (offset <= this.offset) this.#early.delete(offset)
    if (this.#early.size && !this.#timer) {
      this.#timer = setTimeout(() => {
        this.#timer = null
        if (this.#early.size) this.#tryRefresh()
      }, EARLY_MS)
    }
  }

  #apply(events: readonly StreamEvent[]) {
    this.offset = events.at(-1)!.offset
    this.knownAt = events.at(-1)!.at
    this.#ring.push(...events)
    if (this.#ring.length > 2 * RING) this.#drop(this.#ring.length - RING)
    for (const listener of this.listeners) listener(events)
  }

  #drop(count: number) {
    this.#ring.splice(0, count)
    this.#aged = Math.max(0, this.#aged - count)
  }

  /** Drops from memory what was there at the last call already: many quiet sites must not keep their past for ever. */
  age(): void {
    this.#drop(this.#aged)
    this.#aged = this.#ring.length
  }

  /** Reads what is missing from the log; calls made meanwhile are answered by one more pass. */
  refresh(): Promise<void> {
    this.#again = true
    return (this.#fetching ??= this.#fetchAll())
  }

  async #fetchAll() {
    try {
      await this.ready
      while (this.#again) {
        this.#again = false
        await this.#fetchPage()
      }
    } finally {
      // In the same turn as the last look at `#again`: a call between the two would be answered by nobody.
      this.#fetching = null
    }
  }

  /** For who cannot wait: where the database is away, the hub's poll asks again. */
  #tryRefresh() {
    this.refresh().catch(() => {})
  }

  async #fetchPage() {
    const reader = this.#db.reader(this.tenantId)
    const asked = monotonicMs()
    const from = this.offset
    let page = (await readRecentEvents(reader, this.siteId, from, PAGE, this.knownAt)) ?? []
    if (page.length === 0 || page[0]!.epoch !== this.epoch) {
      const head = await readHead(reader, this.siteId)
      if (head && head.epoch !== this.epoch) this.#reset(head)
      if (!head || head.offset <= this.offset) {
        if (head) this.wholeAt = asked
        return
      }
      // Committed between the two reads, not in the newest parts of the log, or not in it any more: the second look tells.
      page = await readEvents(reader, this.siteId, from, PAGE)
    }
    if (page[0] && page[0].epoch !== this.epoch) {
      this.#again = true
      return
    }
    if (page[0]?.offset !== from + 1) {
      const head = await readHead(reader, this.siteId)
      if (head && head.offset > this.offset) this.#reset(head)
      return
    }
    const fresh = page.filter((event) => event.offset > this.offset)
    if (fresh.length) this.#apply(fresh)
    if (page.length === PAGE) this.#again = true
    else this.wholeAt = asked
    this.#drainEarly()
  }

  #reset({ epoch, offset, at }: StreamHead & { at: string }) {
    this.epoch = epoch
    this.offset = offset
    this.knownAt = at
    this.#drop(this.#ring.length)
    this.#early.clear()
    for (const listener of this.resets) listener({ epoch, offset })
  }

  /** Events after `offset` from memory, or null when memory does not reach back that far. */
  recent(offset: number): StreamEvent[] | null {
    if (offset >= this.offset) return []
    const first = this.#ring[0]
    if (!first || first.offset > offset + 1) return null
    return this.#ring.slice(offset + 1 - first.offset)
  }
}
