import { monotonicMs } from '../clock.ts'
import { unavailable } from './failure.ts'
import type { Session } from './session.ts'

export interface PoolOptions {
  /** Most sessions kept; they are opened when needed and then kept. */
  size: number
  /** Statements a session may have in flight at once: 1 for transactions, more for single reads. */
  depth: number
  /** How long a caller waits for a session before it is told `database_busy` or `database_unavailable`. */
  acquireTimeoutMs: number
  open(onLost: (session: Session) => void): Promise<Session>
}

interface Waiter {
  since: number
  take(session: Session): void
  fail(error: unknown): void
}

/** Callers beyond this many are refused at once rather than queued. */
const MAX_WAITERS = 5000
const RETRY_MS = [20, 50, 100, 250, 500] as const

/** A few sessions shared first come, first served. */
export class Pool {
  #options: PoolOptions
  #load = new Map<Session, number>()
  #waiters: Waiter[] = []
  #opening = 0
  #failures = 0
  #openError: unknown
  #retry: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** A session for one piece of work; hand it back with `release`. */
  async acquire(): Promise<Session> {
    if (this.#closed) throw unavailable('database_unavailable')
    const session = this.#waiters.length === 0 ? this.#leastLoaded() : undefined
    if (session) return this.#lend(session)
    if (this.#waiters.length >= MAX_WAITERS) throw unavailable('database_busy')
    const { promise, resolve, reject } = Promise.withResolvers<Session>()
    const waiter: Waiter = { since: monotonicMs(), take: resolve, fail: reject }
    this.#waiters.push(waiter)
    this.#serve()
    // Where the last attempt to connect failed, the next one will not succeed for being waited for.
    const patience = this.#options.acquireTimeoutMs / (this.#failures > 0 ? 4 : 1)
    const timer = setTimeout(() => this.#giveUp(waiter), patience)
    return promise.finally(() => clearTimeout(timer))
  }

  release(session: Session): void {
    const load = this.#load.get(session)
    if (load === undefined) return
    this.#load.set(session, load - 1)
    this.#serve()
  }

  /** Sessions whose server has owed an answer for longer than `ms` are cut: their callers learn it now. */
  cutSilent(ms: number): void {
    for (const session of this.#load.keys()) if (session.silentMs > ms) session.destroy()
  }

  /** As `cutSilent`, where new connections are known not to come about: those who wait for one wait a quarter as long. */
  giveUpSilent(ms: number): void {
    this.#failures ||= 1
    this.cutSilent(ms)
  }

  /** Has a server owed somebody an answer for longer than `ms`? */
  isSilent(ms: number): boolean {
    for (const session of this.#load.keys()) if (session.silentMs > ms) return true
    return false
  }

  /** Has the server answered anybody since then? */
  hasAnsweredSince(moment: number): boolean {
    for (const { answeredAt } of this.#load.keys()) if (answeredAt > moment) return true
    return false
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    for (const waiter of this.#waiters.splice(0)) waiter.fail(unavailable('database_unavailable'))
    await Promise.all([...this.#load.keys()].map((session) => session.close()))
  }

  #lend(session: Session): Session {
    const load = this.#load.get(session)! + 1
    this.#load.set(session, load)
    // Everybody shares already: one more session helps the next caller.
    if (load > 1) this.#grow(1)
    return session
  }

  #leastLoaded(): Session | undefined {
    let best: Session | undefined
    let least = this.#options.depth
    for (const [session, load] of this.#load) if (load < least) [best, least] = [session, load]
    return best
  }

  #serve(): void {
    while (this.#waiters.length > 0) {
      const session = this.#leastLoaded()
      if (!session) return this.#grow(this.#waiters.length)
      this.#waiters.shift()!.take(this.#lend(session))
    }
  }

  #grow(wanted: number): void {
    if (this.#closed || this.#retry) return
    while (this.#opening < wanted && this.#load.size + this.#opening < this.#options.size) void this.#open()
  }

  async #open(): Promise<void> {
    this.#opening++
    try {
      const session = await this.#options.open((lost) => {
        this.#load.delete(lost)
        this.#serve()
      })
      if (this.#closed) return await session.close()
      if (!session.lost) this.#load.set(session, 0)
      this.#failures = 0
    } catch (error) {
      this.#openError = error
      const delay = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)]!
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined
        this.#serve()
      }, delay).unref()
    } finally {
      this.#opening--
    }
    this.#serve()
  }

  #giveUp(waiter: Waiter): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
    waiter.fail(
      this.#failures > 0 ? unavailable('database_unavailable', this.#openError) : unavailable('database_busy'),
    )
  }
}
