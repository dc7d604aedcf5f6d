import { randomUUID } from 'node:crypto'
import { monotonicMs } from '../clock.ts'
import type { Database, Tx } from '../db/types.ts'
import { announcements } from '../metrics.ts'
import { NotifyBus, type Bus } from './bus.ts'
import type { StreamEvent } from './log.ts'
import { readEvents, readRecentEvents } from './log.ts'
import { Tail } from './tail.ts'

const POLL_MS = 500
/** Events stay in memory for once to twice this time: longer than a broken connection usually takes to come back. */
const AGE_MS = 150_000
/** While a bus is known to be away, others may still be told by it. */
const DEAF_POLL_MS = 200
/** A tail that was not found in step with the database for longer answers nothing from memory. */
const IN_STEP_MS = 1000
/** Committed streams are announced to the other processes at most this often. */
const ANNOUNCE_MS = 5
/** NOTIFY takes less than 8 000 bytes; the poll tells the rest. */
const MAX_ANNOUNCEMENT = 7_900

export interface HubOptions {
  /** Ways to the other processes: the first that works is used, all are listened to. Default: NOTIFY. */
  buses?: readonly Bus[]
  /** Off in controls only: what is lost on the way to them stays lost. */
  isPolling?: boolean
}

/**
 * Every process's window on the streams: what it commits is applied here at once, what others commit is read from the
 * log when a bus says so, and a poll heals what nobody heard. Messages carry offsets, never data.
 */
export class Hub {
  /** Told of everything this process commits, for counting. */
  readonly observers = new Set<(events: readonly StreamEvent[]) => void>()
  #db: Database
  #buses: readonly Bus[]
  #isPolling: boolean
  #instance = randomUUID().slice(0, 8)
  #tails = new Map<string, Tail>()
  #announce = new Map<string, number>()
  #isAnnouncing = false
  #announcedAt = 0
  #pollTimer: NodeJS.Timeout | undefined
  #ageTimer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(db: Database, { buses = [new NotifyBus(db)], isPolling = true }: HubOptions = {}) {
    this.#db = db
    this.#buses = buses
    this.#isPolling = isPolling
  }

  async start(): Promise<void> {
    const hear = (message: string) => this.#hear(message)
    const missed = () => void this.#poll().catch(() => this.#tails.forEach(refresh))
    await Promise.all(this.#buses.map((bus) => bus.start(hear, missed)))
    if (this.#isPolling) this.#pollLater()
    this.#ageTimer = setInterval(() => this.#tails.forEach((tail) => tail.age()), AGE_MS).unref()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#pollTimer)
    clearInterval(this.#ageTimer)
    // A command ends as soon as it has committed.
    if (this.#announce.size) await this.#tell(this.#gathered())
    await Promise.all(this.#buses.map((bus) => bus.stop()))
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

  /** Was the tail whole, by the database's word, within the last second? Never before `start`. */
  isInStep(tail: Tail): boolean {
    return this.#pollTimer !== null && monotonicMs() - tail.wholeAt < IN_STEP_MS
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
    const reader = this.#db.reader(tail.tenantId)
    // Whoever was away for less than a day finds it where the newest are.
    const events =
      (await readRecentEvents(reader, tail.siteId, offset, limit + 1, tail.knownAt)) ??
      (await readEvents(reader, tail.siteId, offset, limit + 1))
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
    this.#announceSoon()
  }

  /** A quiet process tells at once; a busy one gathers, so that messages never grow with commits. */
  #announceSoon() {
    if (this.#isAnnouncing || this.#stopped) return
    this.#isAnnouncing = true
    const wait = this.#announcedAt + ANNOUNCE_MS - performance.now()
    if (wait <= 0) setImmediate(() => void this.#sendAnnouncement())
    else setTimeout(() => void this.#sendAnnouncement(), wait)
  }

  async #sendAnnouncement() {
    if (this.#stopped) return
    const message = this.#gathered()
    this.#announcedAt = performance.now()
    announcements.inc({ bus: await this.#tell(message) })
    this.#isAnnouncing = false
    if (this.#announce.size) this.#announceSoon()
  }

  /** `<instance> <tenant>:<site>:<offset> …` */
  #gathered(): string {
    let message = this.#instance
    for (const [key, offset] of this.#announce) {
      if (message.length > MAX_ANNOUNCEMENT - 60) break
      message += ` ${key}:${offset}`
    }
    this.#announce.clear()
    return message
  }

  /** The name of the bus that took it; `none`: nobody is woken, and the others' poll finds the events. */
  async #tell(message: string): Promise<string> {
    for (const bus of this.#buses) {
      try {
        await bus.tell(message)
        return bus.name
      } catch {
        // The next one may work.
      }
    }
    return 'none'
  }

  #hear(message: string) {
    const [instance, ...streams] = message.split(' ')
    if (instance === this.#instance) return
    for (const stream of streams) {
      const at = stream.lastIndexOf(':')
      const tail = this.#tails.get(stream.slice(0, at))
      if (tail && tail.offset < Number(stream.slice(at + 1))) refresh(tail)
    }
  }

  #pollLater() {
    const wait = this.#buses.some(({ isDeaf }) => isDeaf) ? DEAF_POLL_MS : POLL_MS
    this.#pollTimer = setTimeout(() => {
      this.#poll()
        .catch(() => {})
        .finally(() => this.#stopped || this.#pollLater())
    }, wait).unref()
  }

  async #poll() {
    const tails = [...this.#tails.values()]
    if (tails.length === 0) return
    const asked = monotonicMs()
    const heads = await this.#db.platform((tx) =>
      tx.query<{ tenant_id: number; site_id: number; epoch: string; last_offset: number }>(
        'select tenant_id, site_id, epoch, last_offset from app.stream_heads($1, $2)',
        [tails.map((tail) => tail.tenantId), tails.map((tail) => tail.siteId)],
      ),
    )
    for (const head of heads) {
      const tail = this.#tails.get(`${head.tenant_id}:${head.site_id}`)
      if (!tail) continue
      if (tail.epoch !== head.epoch || tail.offset < head.last_offset) refresh(tail)
      else tail.wholeAt = asked
    }
  }
}

/** Where the database is away, the poll asks again. */
const refresh = (tail: Tail): void => void tail.refresh().catch(() => {})
