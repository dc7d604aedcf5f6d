import { randomUUID } from 'node:crypto'
import type { Database, Tx } from '../db/types.ts'
import type { StreamEvent } from './log.ts'
import { readEvents } from './log.ts'
import { Tail } from './tail.ts'

const CHANNEL = 'smartqueue_events'
const POLL_MS = 1000
/** Committed streams are announced to the other processes at most this often. */
const ANNOUNCE_MS = 5

/**
 * Every process's window on the streams: what it commits is applied here at once, what others commit is read from the
 * log when NOTIFY says so, and a poll each second heals a lost NOTIFY. NOTIFY carries offsets, never data.
 */
export class Hub {
  /** Told of everything this process commits, for counting. */
  readonly observers = new Set<(events: readonly StreamEvent[]) => void>()
  #db: Database
  #instance = randomUUID().slice(0, 8)
  #tails = new Map<string, Tail>()
  #announce = new Map<string, number>()
  #announceTimer: NodeJS.Timeout | null = null
  #pollTimer: NodeJS.Timeout | null = null
  #stopListening: (() => Promise<void>) | null = null
  #stopped = false

  constructor(db: Database) {
    this.#db = db
  }

  async start(): Promise<void> {
    const refreshAll = () => this.#tails.forEach((tail) => void tail.refresh().catch(() => {}))
    this.#stopListening = await this.#db.listen(CHANNEL, (payload) => this.#hear(payload), refreshAll)
    this.#pollTimer = setInterval(() => void this.#poll().catch(() => {}), POLL_MS)
    this.#pollTimer.unref()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#pollTimer) clearInterval(this.#pollTimer)
    if (this.#announceTimer) clearTimeout(this.#announceTimer)
    await this.#stopListening?.()
  }

  /** The live tail of a site's stream; it stays for the life of the process. Rejects when the site does not exist. */
  async tail(tenantId: number, siteId: number): Promise<Tail> {
    const key = `${tenantId}:${siteId}`
    let tail = this.#tails.get(key)
    if (!tail) {
      tail = new Tail(this.#db, tenantId, siteId)
      this.#tails.set(key, tail)
      tail.ready.catch(() => this.#tails.delete(key))
    }
    await tail.ready
    return tail
  }

  /** Reads for what is rebuilt from the database and then kept by a tail; never inside somebody's transaction. */
  reader(tenantId: number): Tx {
    return this.#db.reader(tenantId, 'reports')
  }

  /** All events of a site after `offset` up to the tail's head, or null when there are more than `limit`. */
  async since(tail: Tail, offset: number, limit: number): Promise<StreamEvent[] | null> {
    const recent = tail.recent(offset)
    if (recent) return recent.length > limit ? null : recent
    if (tail.offset - offset > limit) return null
    const events = await readEvents(this.#db.reader(tail.tenantId), tail.siteId, offset, limit + 1)
    return events.length > limit ? null : events
  }

  /** Takes in what this process committed and tells the others. */
  committed(events: readonly StreamEvent[]): void {
    if (events.length === 0) return
    for (const observe of this.observers) observe(events)
    const { tenant_id, site_id } = events[0]!
    const key = `${tenant_id}:${site_id}`
    this.#tails.get(key)?.accept(events)
    this.#announce.set(key, events.at(-1)!.offset)
    if (!this.#announceTimer && !this.#stopped) {
      this.#announceTimer = setTimeout(() => void this.#sendAnnouncement(), ANNOUNCE_MS)
    }
  }

  async #sendAnnouncement() {
    const streams = [...this.#announce].map(([key, offset]) => `${key}:${offset}`)
    this.#announce.clear()
    // 8 000 bytes is PostgreSQL's limit of a payload; the poll tells the rest.
    const payload = `${this.#instance} ${streams.slice(0, 200).join(' ')}`
    try {
      await this.#db.platform((tx) => tx.query('select pg_notify($1, $2)', [CHANNEL, payload]))
    } catch {
      // Nobody is woken; the others' poll finds the events within a second.
    } finally {
      this.#announceTimer = null
      if (this.#announce.size && !this.#stopped) {
        this.#announceTimer = setTimeout(() => void this.#sendAnnouncement(), ANNOUNCE_MS)
      }
    }
  }

  #hear(payload: string) {
    const [instance, ...streams] = payload.split(' ')
    if (instance === this.#instance) return
    for (const stream of streams) {
      const at = stream.lastIndexOf(':')
      const tail = this.#tails.get(stream.slice(0, at))
      if (tail && tail.offset < Number(stream.slice(at + 1))) void tail.refresh().catch(() => {})
    }
  }

  async #poll() {
    const tails = [...this.#tails.values()]
    if (tails.length === 0) return
    const heads = await this.#db.platform((tx) =>
      tx.query<{ tenant_id: number; site_id: number; epoch: string; last_offset: number }>(
        'select tenant_id, site_id, epoch, last_offset from app.stream_heads($1, $2)',
        [tails.map((tail) => tail.tenantId), tails.map((tail) => tail.siteId)],
      ),
    )
    for (const head of heads) {
      const tail = this.#tails.get(`${head.tenant_id}:${head.site_id}`)
      if (tail && (tail.epoch !== head.epoch || tail.offset < head.last_offset)) void tail.refresh().catch(() => {})
    }
  }
}
