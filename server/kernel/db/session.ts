import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import pg from 'pg'
import { monotonicMs } from '../clock.ts'
import { ConnectionLost, endsSession } from './failure.ts'
import { Hosts } from './hosts.ts'
import { types } from './values.ts'

/** Distinct statement texts kept prepared; more than this means that values were written into the text. */
const MAX_STATEMENTS = 2000

/** The parts of pg's connection and query that its types leave out. */
interface Wire {
  stream: { cork(): void; uncork(): void; destroy(): void }
  parsedStatements: Record<string, string>
  submittedNamedStatements: Record<string, string>
  parse(message: { name: string; text: string; types: readonly string[] }): void
  bind(message: { portal: string; statement: string; values: readonly string[]; valueMapper: typeof String }): void
  execute(message: { portal: string; rows: number }): void
  close(message: { type: 'S'; name: string }): void
}
interface QueryConfig {
  text: string
  name?: string
  values?: unknown[]
  queryMode?: 'extended'
}
type Settle = (error: Error | null, result: pg.QueryResult) => void
interface Query {
  submit(wire: Wire): Error | null
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, wire: Wire): void
}
const Query = pg.Query as unknown as new (config: QueryConfig, settle: Settle) => Query

/** A statement with its fixed values, sent ahead of another one under the same Sync. */
export interface Prefix {
  text: string
  values: readonly string[]
  /** Name under which every session prepared it; '' = parsed each time. */
  name: string
}

/**
 * A prefix and a statement that the server runs as one unit: both in one round trip, and the statement is skipped when
 * the prefix fails. The prefix must be prepared already or unnamed, because pg takes the first ParseComplete as its own.
 */
class PrefixedQuery extends Query {
  #prefix: Prefix
  #inPrefix = true

  constructor(prefix: Prefix, config: QueryConfig, settle: Settle) {
    super(config, settle)
    this.#prefix = prefix
  }

  override submit(wire: Wire): Error | null {
    const { name, text, values } = this.#prefix
    if (name === '') wire.parse({ name, text, types: [] })
    wire.bind({ portal: '', statement: name, values, valueMapper: String })
    wire.execute({ portal: '', rows: 0 })
    return super.submit(wire)
  }

  override handleDataRow(message: unknown): void {
    if (!this.#inPrefix) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, wire: Wire): void {
    if (this.#inPrefix) this.#inPrefix = false
    else super.handleCommandComplete(message, wire)
  }
}

/** Names under which statements are prepared, shared by the sessions of one database. */
export class StatementNames {
  /** Off behind a pooler that gives each transaction another server session. */
  readonly prepare: boolean
  readonly sessions = new Set<Session>()
  #names = new LRUCache<string, string>({
    max: MAX_STATEMENTS,
    dispose: (name) => {
      for (const session of this.sessions) session.deallocate(name)
    },
  })

  constructor(prepare: boolean) {
    this.prepare = prepare
  }

  nameOf(text: string): string {
    if (!this.prepare) return ''
    let name = this.#names.get(text)
    if (name === undefined) this.#names.set(text, (name = this.pinnedNameOf(text)))
    return name
  }

  /** The same text has the same name in every process, so a shared server session can never run another one by mistake. */
  pinnedNameOf(text: string): string {
    return this.prepare ? `sq_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}` : ''
  }

  forget(text: string): void {
    this.#names.delete(text)
  }
}

export interface SessionOptions {
  url: string
  names: StatementNames
  /** Run once in a transaction that is rolled back: prepares them, and proves that the login may act as sq_app. */
  warmUp: readonly Prefix[]
  connectTimeoutMs: number
}

/** One connection to PostgreSQL on which statements are pipelined: sent at once, answered in order. */
export class Session {
  /** Statements sent and not answered yet. */
  pending = 0
  /** Set when the connection is gone; the session must be dropped. */
  lost = false
  #client: pg.Client
  #names: StatementNames
  #corked = false
  #closing = false
  #heardAt = monotonicMs()
  /** When the server last answered a statement. */
  answeredAt = -Infinity

  private constructor(client: pg.Client, names: StatementNames, onLost: (session: Session) => void) {
    this.#client = client
    this.#names = names
    const drop = () => {
      if (this.lost) return
      this.lost = true
      names.sessions.delete(this)
      onLost(this)
    }
    client.on('error', drop)
    client.on('end', drop)
    names.sessions.add(this)
  }

  /** @throws what pg or the server says when no session can be had */
  static open(options: SessionOptions, onLost: (session: Session) => void): Promise<Session> {
    return Hosts.of(options.url).connect(
      options.url,
      (url) => Session.#open({ ...options, url }, onLost),
      (session) => session.destroy(),
    )
  }

  /** One statement as the login itself, outside every tenant: which server is this? */
  async query(text: string): Promise<{ rows: unknown[] }> {
    return this.command(text)
  }

  static async #open(options: SessionOptions, onLost: (session: Session) => void): Promise<Session> {
    const client = new pg.Client({
      connectionString: options.url,
      application_name: 'smartqueue',
      pipeline: true,
      types,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: options.connectTimeoutMs,
    })
    const session = new Session(client, options.names, onLost)
    try {
      await client.connect()
      const begun = session.command('begin')
      const warm = options.warmUp.map((prefix) => session.sendPinned(prefix))
      await Promise.all([begun, ...warm, session.command('rollback')])
      return session
    } catch (error) {
      session.destroy()
      throw error
    }
  }

  /**
   * Sends one statement, after `prefix` if given; settles when the server has answered it.
   * @throws at once, with nothing sent, when a value cannot be written (a circular object)
   */
  send(text: string, values: readonly unknown[], prefix?: Prefix): Promise<pg.QueryResult> {
    return this.#submit({ text, values: [...values], name: this.#names.nameOf(text) }, prefix)
  }

  /** BEGIN, COMMIT and the like: nothing to plan, nothing worth a name. */
  command(text: string): Promise<pg.QueryResult> {
    return this.#submit({ text })
  }

  /** Sends a statement whose name no other text can push out. */
  sendPinned({ values, ...statement }: Prefix, prefix?: Prefix): Promise<pg.QueryResult> {
    return this.#submit({ ...statement, values: [...values] }, prefix)
  }

  #submit(config: QueryConfig, prefix?: Prefix): Promise<pg.QueryResult> {
    const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult>()
    let sent = false
    let refusal: Error | null = null
    const settle: Settle = (error, result) => {
      // A value that cannot be written: reported at once, and again when the server has answered the rest.
      if (!sent) return void (refusal ??= error)
      this.pending--
      this.#heardAt = monotonicMs()
      if (!error || error instanceof pg.DatabaseError) this.answeredAt = this.#heardAt
      if (!error) return resolve(result)
      if (endsSession(error)) this.destroy()
      const isLost = endsSession(error) || ((this.lost || this.#closing) && !(error instanceof pg.DatabaseError))
      reject(isLost ? new ConnectionLost(error) : Object.assign(error, { statement: config.text }))
    }
    if (config.values) config.queryMode = 'extended'
    const query = prefix ? new PrefixedQuery(prefix, config, settle) : new Query(config, settle)
    this.#cork()
    this.#client.query(query as unknown as pg.Submittable)
    if (refusal) throw refusal as Error
    sent = true
    if (this.pending++ === 0) this.#heardAt = monotonicMs()
    return promise
  }

  /** True between BEGIN and the end of a transaction, as of the last answer. */
  get inTransaction(): boolean {
    return this.#client.getTransactionStatus() !== 'I'
  }

  /** Milliseconds the server has owed an answer; 0 when it owes none. */
  get silentMs(): number {
    return this.pending === 0 ? 0 : monotonicMs() - this.#heardAt
  }

  /** Drops a prepared statement on the server; safe between any two statements in flight. */
  deallocate(name: string): void {
    const wire = this.#wire
    if (wire.parsedStatements[name] === undefined && wire.submittedNamedStatements[name] === undefined) return
    delete wire.parsedStatements[name]
    delete wire.submittedNamedStatements[name]
    wire.close({ type: 'S', name })
  }

  /** Waits for the answers in flight, then says goodbye. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#client.end()
  }

  /** Cuts the connection; everything in flight fails with ConnectionLost. */
  destroy(): void {
    this.#wire.stream.destroy()
  }

  /** Whatever is sent until the current callback and its promises are done leaves in one packet. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    const { stream } = this.#wire
    stream.cork()
    process.nextTick(() => {
      this.#corked = false
      stream.uncork()
    })
  }

  get #wire(): Wire {
    return this.#client.connection as unknown as Wire
  }
}
