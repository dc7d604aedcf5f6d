/**
 * What the rest of the program knows of PostgreSQL. Every statement of a tenant runs inside
 * `tenant()` or `reader()`; the pool itself is not exported.
 */
export interface Tx {
  /** Runs one statement. The text is prepared once per connection, so it must not contain values. */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** The first row, or undefined. */
  maybe<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row | undefined>
  /** The first row; throws the one not-found error when there is none. */
  one<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row>
}

export interface Statement {
  text: string
  values: readonly unknown[]
}
/** A transaction that its owner ends: the last statements travel with COMMIT in one flush. */
export interface WriteTx extends Tx {
  /**
   * Sends `statements` and COMMIT together; resolves with the rows of each once the commit is certain, rejects with the
   * first error after the rollback. Nothing may be queried afterwards. Without it, `tenant()` commits when `fn` resolves.
   */
  finish(statements: readonly Statement[]): Promise<Record<string, unknown>[][]>
}

/**
 * Bulkheads: a slow report can never take the connections that calling people needs. `replica` reads, for analytics only,
 * what may be a moment old: from DATABASE_REPLICA_URL where there is one that answers, else as `reports`.
 */
export type PoolName = 'calls' | 'requests' | 'reports' | 'replica'

export interface Database {
  /**
   * One transaction of one tenant: BEGIN, role and `app.current_tenant_id` set locally, `fn`, COMMIT
   * (pipelined with the first and the last statement). Rolls back when `fn` rejects.
   * Serialization failures and deadlocks are retried up to three times.
   */
  tenant<T>(tenantId: number, fn: (tx: WriteTx) => Promise<T>, pool?: PoolName): Promise<T>
  /**
   * Reads of one tenant, each statement alone in one round trip (set_config + statement under one Sync).
   * No snapshot is shared between two statements.
   */
  reader(tenantId: number, pool?: PoolName): Tx
  /** One transaction outside tenants: users, tenants, sessions. Tenant tables show no row here. */
  platform<T>(fn: (tx: Tx) => Promise<T>): Promise<T>
  /** LISTEN on its own connection; reconnects and calls `onReconnect` after every gap. */
  listen(channel: string, onMessage: (payload: string) => void, onReconnect: () => void): Promise<Listening>
  close(): Promise<void>
}

/** A channel of NOTIFY that is listened to. */
export interface Listening {
  /** Tells all who listen, past every pool. Payloads are at most 7 999 bytes. @throws when the connection is away */
  notify(payload: string): Promise<void>
  stop(): Promise<void>
}

/** SQLSTATE and constraint of a PostgreSQL error, or undefined for any other error. */
export interface DatabaseError {
  code: string
  constraint: string | undefined
}
