import { setTimeout as delay } from 'node:timers/promises'
import { asAppError, ConnectionLost, databaseError, isConflict, staleStatement } from './failure.ts'
import { monotonicMs } from '../clock.ts'
import { AppError } from '../errors.ts'
import { Hosts } from './hosts.ts'
import { listen } from './listen.ts'
import { Pool } from './pool.ts'
import { routerOf, type Route } from './routed/index.ts'
import { Session, StatementNames, type Prefix } from './session.ts'
import { asItIs, Reader, Transaction, type Say } from './transaction.ts'
import type { Database, Listening, PoolName, Tx, WriteTx } from './types.ts'

/** Sessions and patience of a bulkhead. */
interface PoolSettings {
  /** Sessions for transactions, one transaction each. */
  transactions: number
  /** Sessions for single reads, many in flight on each; 0 = reads wait for a transaction session. */
  reads: number
  /** The server gives up on a statement after this; its caller then learns `database_busy`. */
  statementTimeoutMs: number
}

/** Few: PostgreSQL does more with two busy sessions per core than with twenty. */
const POOLS: Record<PoolName, PoolSettings> = {
  calls: { transactions: 3, reads: 1, statementTimeoutMs: 3_000 },
  requests: { transactions: 4, reads: 3, statementTimeoutMs: 8_000 },
  // A slow report must not hold up those sent after it on the same session.
  reports: { transactions: 2, reads: 0, statementTimeoutMs: 60_000 },
  // Reads only; its sessions are opened where there is a replica.
  replica: { transactions: 2, reads: 0, statementTimeoutMs: 60_000 },
}
const LOCK_TIMEOUT_MS = 2_000
const IDLE_IN_TRANSACTION_MS = 10_000
/** The server's own timeout always speaks first; silence beyond it means that the connection is dead. */
const SILENCE_MARGIN_MS = 2_000
const MAX_RETRIES = 3
/** Silence of so long may be a slow statement or a dead line; a connection of its own, given as long, tells which. */
const SUSPECT_MS = 900
/** A replica that was away is asked again after this. */
const REPLICA_RETRY_MS = 30_000

export interface DatabaseOptions {
  /**
   * Server for transactions and reads; may be PgBouncer. `prepare=false` turns prepared statements off; `distributed=true` says in each
   * statement whose rows it wants, for an engine that chooses the node by it.
   */
  url: string
  /** The same database by a direct connection, for LISTEN; default `url`. */
  directUrl?: string | undefined
  /** A read replica for the pool `replica`. While it cannot be had, the primary answers. */
  replicaUrl?: string | undefined
  pools?: Partial<Record<PoolName, Partial<PoolSettings>>>
  acquireTimeoutMs?: number
  connectTimeoutMs?: number
}

/**
 * Opens the one door to PostgreSQL. Everything goes through the role `sq_app`, set in each transaction together with the
 * tenant, so that it holds for any login that is a member of it and behind PgBouncer in transaction mode.
 * @throws when the server cannot be reached or the login may not act as `sq_app`
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  await Hosts.of(splitUrl(options.url).url).survey(splitUrl(options.url).url)
  const { url, isDistributed } = splitUrl(options.url)
  const database = new PooledDatabase(options, isDistributed ? await routerOf(options.directUrl ?? url) : undefined)
  await database.check()
  return database
}

type Scope = Omit<Prefix, 'values'>
interface Lane {
  statementTimeoutMs: number
  writes: Pool
  reads: Pool
  writeScope: Scope
  readScope: Scope
}

class PooledDatabase implements Database {
  #options: DatabaseOptions
  #url: string
  #names: StatementNames
  #route: Route | undefined
  #lanes: Record<PoolName, Lane>
  #watchdog: NodeJS.Timeout
  #replicaAwayUntil = 0
  #isProbing = false
  #probedAt = -Infinity
  #listeners = new Set<Listening>()

  constructor(options: DatabaseOptions, route?: Route) {
    const { url, prepare } = splitUrl(options.url)
    this.#options = options
    this.#route = route
    this.#url = url
    this.#names = new StatementNames(prepare)
    const reports = this.#lane('reports')
    const { replicaUrl } = options
    const replica = replicaUrl === undefined ? reports : this.#lane('replica', splitUrl(replicaUrl).url)
    this.#lanes = { calls: this.#lane('calls'), requests: this.#lane('requests'), reports, replica }
    this.#watchdog = setInterval(() => this.#cutSilent(), 250).unref()
  }

  #lane(name: PoolName, url = this.#url): Lane {
    const settings = { ...POOLS[name], ...this.#options.pools?.[name] }
    const writeScope = this.#scope(settings, 'write')
    const readScope = this.#scope(settings, 'read')
    const { acquireTimeoutMs = 2_000 } = this.#options
    const pool = (size: number, depth: number) =>
      new Pool({ size, depth, acquireTimeoutMs, open: (onLost) => this.#session(url, [writeScope, readScope], onLost) })
    const writes = pool(settings.transactions, 1)
    const reads = settings.reads === 0 ? writes : pool(settings.reads, 64)
    return { statementTimeoutMs: settings.statementTimeoutMs, writes, reads, writeScope, readScope }
  }

  #session(url: string, scopes: readonly Scope[], onLost: (session: Session) => void): Promise<Session> {
    const warmUp = scopes.map((scope) => within(scope, ''))
    const { connectTimeoutMs = 2_000 } = this.#options
    return Session.open({ url, names: this.#names, warmUp, connectTimeoutMs }, onLost)
  }

  async check(): Promise<void> {
    try {
      const session = await this.#session(this.#url, [this.#lanes.calls.writeScope], () => {})
      await session.close()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  tenant<T>(tenantId: number, fn: (tx: WriteTx) => Promise<T>, pool: PoolName = 'requests'): Promise<T> {
    const setting = tenantSetting(tenantId)
    return this.#onLane(pool, (lane) => this.#transaction(setting, fn, lane))
  }

  platform<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#transaction('', fn, this.#lanes.requests)
  }

  reader(tenantId: number, pool: PoolName = 'requests'): Tx {
    const setting = tenantSetting(tenantId)
    return new Reader((text, values) =>
      this.#onLane(pool, ({ reads, readScope }) =>
        this.#retrying(
          reads,
          async (session) => (await session.send(...this.#say(setting)(text, values), within(readScope, setting))).rows,
          // The scope makes the statement read-only, so running it twice changes nothing.
          (error) => error instanceof ConnectionLost,
        ),
      ),
    )
  }

  /** What a replica that is away cannot do, the primary does. */
  #onLane<T>(pool: PoolName, run: (lane: Lane) => Promise<T>): Promise<T> {
    const { [pool]: lane, reports } = this.#lanes
    if (pool !== 'replica' || lane === reports) return run(lane)
    if (monotonicMs() < this.#replicaAwayUntil) return run(reports)
    return run(lane).catch((error: unknown) => {
      if (isReplicaAway(error)) this.#replicaAwayUntil = monotonicMs() + REPLICA_RETRY_MS
      else if (!isConflict(error)) throw error
      return run(reports)
    })
  }

  async listen(channel: string, onMessage: (payload: string) => void, onReconnect: () => void): Promise<Listening> {
    const { url } = splitUrl(this.#options.directUrl ?? this.#options.url)
    const listening = await listen(url, channel, onMessage, onReconnect)
    this.#listeners.add(listening)
    return {
      notify: listening.notify,
      stop: async () => {
        this.#listeners.delete(listening)
        await listening.stop()
      },
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners].map((listening) => listening.stop()))
    await Promise.all(this.#pools().map((pool) => pool.close()))
    clearInterval(this.#watchdog)
  }

  #transaction<T>(tenant: string, fn: (tx: WriteTx) => Promise<T>, { writes, writeScope }: Lane): Promise<T> {
    const scope = within(writeScope, tenant)
    let commitSent = false
    return this.#retrying(
      writes,
      async (session) => {
        const transaction = new Transaction(session, scope, this.#say(tenant))
        try {
          return await transaction.run(fn)
        } finally {
          commitSent = transaction.commitSent
          // Never lend a session again whose transaction did not end: the next tenant would be inside it.
          if (session.inTransaction) session.destroy()
        }
      },
      (error) => error instanceof ConnectionLost && !commitSent,
    )
  }

  /** How statements of an organisation are said; outside organisations as they are. */
  #say(tenant: string): Say {
    const route = this.#route
    if (!route || tenant === '') return asItIs
    return (text, values) => {
      const routed = route(text)
      return [routed.text, routed.isBound ? [...values, tenant] : values]
    }
  }

  /** Runs `work` on a session, again after conflicts and whatever else is known to have had no effect. */
  async #retrying<T>(
    pool: Pool,
    work: (session: Session) => Promise<T>,
    hadNoEffect: (error: unknown) => boolean,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const session = await pool.acquire()
      try {
        return await work(session)
      } catch (error) {
        const stale = staleStatement(error)
        if (stale !== undefined) this.#names.forget(stale)
        const again = stale !== undefined || isConflict(error) || hadNoEffect(error)
        if (!again || attempt >= MAX_RETRIES) throw asAppError(error)
      } finally {
        pool.release(session)
      }
      await delay(Math.random() * 10 * 2 ** attempt)
    }
  }

  /** Role, tenant and timeouts of a transaction; LOCAL, so that nothing of it outlives the transaction. */
  #scope({ statementTimeoutMs }: PoolSettings, kind: 'read' | 'write'): Scope {
    const settings = [
      `set_config('role', 'sq_app', true)`,
      `set_config('app.current_tenant_id', $1, true)`,
      `set_config('statement_timeout', '${statementTimeoutMs}', true)`,
      ...(kind === 'read'
        ? [`set_config('transaction_read_only', 'on', true)`]
        : [
            `set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true)`,
            `set_config('idle_in_transaction_session_timeout', '${IDLE_IN_TRANSACTION_MS}', true)`,
          ]),
    ]
    const text = `select ${settings.join(', ')}`
    return { text, name: this.#names.pinnedNameOf(text) }
  }

  #pools(): Pool[] {
    return [...new Set(Object.values(this.#lanes))].flatMap(({ writes, reads }) => [writes, reads])
  }

  #cutSilent(): void {
    for (const { writes, reads, statementTimeoutMs } of Object.values(this.#lanes))
      for (const pool of [writes, reads]) pool.cutSilent(statementTimeoutMs + SILENCE_MARGIN_MS)
    const { calls, requests } = this.#lanes
    const pools = [calls, requests].flatMap(({ writes, reads }) => [writes, reads])
    // No line runs to a server of the same machine: silence there is work.
    if (!isLocal(this.#url) && pools.some((pool) => pool.isSilent(SUSPECT_MS))) void this.#probe(pools)
  }

  /** Where nothing answers a new connection either, nobody waits for the old ones any longer. */
  async #probe(pools: readonly Pool[]): Promise<void> {
    if (this.#isProbing || monotonicMs() - this.#probedAt < SUSPECT_MS) return
    this.#isProbing = true
    const since = monotonicMs()
    const options = { url: this.#url, names: this.#names, warmUp: [], connectTimeoutMs: SUSPECT_MS }
    try {
      const session = await Session.open(options, () => {})
      await session.close()
    } catch (error) {
      // A server that refuses one connection more is there, and so is one that answers others: on a busy machine nothing
      // is quick, and whoever cuts lines then cuts work.
      const isThere = databaseError(error) !== undefined || pools.some((pool) => pool.hasAnsweredSince(since))
      if (!isThere) for (const pool of pools) pool.giveUpSilent(SUSPECT_MS)
    } finally {
      this.#probedAt = monotonicMs()
      this.#isProbing = false
    }
  }
}

/** It cannot be had. What it gave up because of the primary's changes is a conflict (40001). */
const isReplicaAway = (error: unknown): boolean => error instanceof AppError && error.code === 'database_unavailable'

const within = (scope: Scope, tenant: string): Prefix => ({ ...scope, values: [tenant] })

function tenantSetting(tenantId: number): string {
  if (!Number.isSafeInteger(tenantId) || tenantId <= 0) throw new TypeError(`not a tenant id: ${tenantId}`)
  return String(tenantId)
}

/** `prepare` and `distributed` are ours: the driver must not see them. */
function splitUrl(text: string): { url: string; prepare: boolean; isDistributed: boolean } {
  const url = new URL(text)
  const prepare = url.searchParams.get('prepare') !== 'false'
  const isDistributed = url.searchParams.get('distributed') === 'true'
  for (const name of ['prepare', 'distributed']) url.searchParams.delete(name)
  return { url: url.href, prepare, isDistributed }
}

/** Is the server reached through a socket in the file system? */
const isLocal = (url: string): boolean => new URL(url).searchParams.get('host')?.startsWith('/') ?? false
