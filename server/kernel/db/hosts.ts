import pg from 'pg'
import { monotonicMs } from '../clock.ts'

/** How long a server that refused is asked last. */
const AVOID_MS = 1_000

/**
 * The servers that a URL names: a primary and its standbys, of which one takes writes. Written as
 * `postgresql://user@/name?host=a,b&port=5432,5433`; with one host nothing here costs anything.
 *
 * An old primary that comes back after its standby was promoted still takes writes, which would be lost. It has stayed
 * on the timeline before; whoever has seen a later one never uses it again.
 */
export class Hosts {
  static #known = new Map<string, Hosts>()
  /** Of the same servers: what one pool learns, the others know. */
  static of(url: string): Hosts {
    const key = new URL(url).search
    let hosts = Hosts.#known.get(key)
    if (!hosts) Hosts.#known.set(key, (hosts = new Hosts(url)))
    return hosts
  }

  readonly count: number
  #names: string[]
  #ports: string[]
  /** The one that last took writes. */
  #current = 0
  #timeline = 0
  #avoided: number[]

  private constructor(url: string) {
    const { searchParams, port } = new URL(url)
    this.#names = (searchParams.get('host') ?? '').split(',')
    this.#ports = (searchParams.get('port') ?? port).split(',')
    this.count = this.#names.length
    this.#avoided = this.#names.map(() => -Infinity)
  }

  /** The URL of the server that last took writes. */
  current(url: string): string {
    return this.#only(url, this.#current)
  }

  /** It refused, or takes no writes: the next one is asked first. */
  failed(url: string): void {
    if (this.count > 1 && url === this.#only(url, this.#current)) this.#current = (this.#current + 1) % this.count
  }

  /**
   * Opens a connection to the server that takes writes.
   * @throws what the last of them said, or Error when none of them takes writes
   */
  async connect<T extends Queryable>(
    url: string,
    open: (url: string) => Promise<T>,
    close: (connection: T) => void,
  ): Promise<T> {
    if (this.count === 1) return open(url)
    let last: unknown
    for (const index of this.#order()) {
      try {
        const connection = await open(this.#only(url, index))
        const timeline = await timelineOf(connection).catch((error: unknown) => {
          close(connection)
          throw error
        })
        if (timeline !== null && timeline >= this.#timeline) {
          this.#timeline = timeline
          this.#current = index
          this.#avoided[index] = -Infinity
          return connection
        }
        close(connection)
        last = new Error(timeline === null ? 'a standby takes no writes' : 'an old primary is not used')
      } catch (error) {
        last = error
      }
      this.#avoided[index] = monotonicMs()
    }
    throw last
  }

  /** Asks every server once, so that a program that starts knows which timeline is the latest. */
  async survey(url: string): Promise<void> {
    if (this.count === 1) return
    await Promise.all(
      this.#names.map(async (_, index) => {
        const client = new pg.Client({ connectionString: this.#only(url, index), connectionTimeoutMillis: 2000 })
        client.on('error', () => {})
        try {
          await client.connect()
          const timeline = await timelineOf(client)
          if (timeline !== null) this.#timeline = Math.max(this.#timeline, timeline)
        } catch {
          // It is away; whoever is there decides.
        } finally {
          await client.end().catch(() => {})
        }
      }),
    )
  }

  /** The current one first, those that just refused last. */
  #order(): number[] {
    const since = monotonicMs() - AVOID_MS
    const indexes = this.#names.map((_, i) => (this.#current + i) % this.count)
    const isAvoided = (index: number) => (this.#avoided[index]! > since ? 1 : 0)
    return indexes.toSorted((a, b) => isAvoided(a) - isAvoided(b))
  }

  #only(url: string, index: number): string {
    if (this.count === 1) return url
    const one = new URL(url)
    one.searchParams.set('host', this.#names[index]!)
    one.searchParams.set('port', this.#ports[index] ?? this.#ports[0] ?? '5432')
    one.searchParams.delete('target_session_attrs')
    return one.href
  }
}

/** A plain connection to the server that takes writes. A lost one shows as the failure of the next statement. */
export function connectClient(url: string, options: pg.ClientConfig = {}): Promise<pg.Client> {
  return Hosts.of(url).connect(
    url,
    async (connectionString) => {
      const client = new pg.Client({ ...options, connectionString })
      client.on('error', () => {})
      await client.connect()
      return client
    },
    (client) => void client.end().catch(() => {}),
  )
}

interface Queryable {
  query(text: string): Promise<{ rows: unknown[] }>
}

/** Number of the timeline that it writes; null for a standby. */
async function timelineOf(connection: Queryable): Promise<number | null> {
  const { rows } = await connection.query(
    `select case when not pg_is_in_recovery() then ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int end as timeline`,
  )
  return (rows[0] as { timeline: number | null }).timeline
}
