import { resolve } from 'node:path'
import pg from 'pg'
import { createRole, ensureRoles, isCode } from '../roles.ts'
import { prepareHome, socketDirectory } from './account.ts'
import { findBinaries } from './binaries.ts'
import { Lease } from './lease.ts'
import { Server } from './server.ts'

const DATABASE = 'smartqueue'
const WATCH_EVERY_MS = 500

export interface EmbeddedOptions {
  /** Directory of the cluster; made when missing. */
  directory: string
  /** false: no fsync, for databases that live as long as a test. */
  durable?: boolean
  /** Told when the server had to be started again, or cannot be. */
  onEvent?: (message: string, error?: unknown) => void
}

export interface Embedded {
  /** Login that can do nothing but become `sq_app`. */
  url: string
  /** Superuser, for migrations, jobs and backups. */
  directUrl: string
  /** Stops the server unless another process uses it. */
  close(): Promise<void>
}

/**
 * The PostgreSQL that comes with the program, for development, tests and small installations. It listens only on a Unix
 * socket in a private directory. Processes started on the same directory share one server; it is started again when it
 * dies, and stops when the last of them ends, even by kill -9.
 * @throws when there are no binaries for this platform, or the directory cannot be used
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { durable = true, onEvent = () => {} } = options
  const home = prepareHome(resolve(options.directory))
  const socket = socketDirectory(home)
  const server = new Server(home, socket, await findBinaries(home.path, home.account), serverSettings(durable))
  const url = (user: string, database: string) =>
    `postgresql://${user}@localhost:5432/${database}?host=${encodeURIComponent(socket)}`

  // Taken before the server is looked for, so that a process that leaves meanwhile does not stop it.
  const lease = new Lease(home)
  let pid: number
  try {
    server.create(durable)
    pid = await attach(server, lease, url('postgres', 'postgres'))
  } catch (error) {
    lease.release()
    throw error
  }

  let restarting = false
  const watch = setInterval(async () => {
    if (restarting || server.isAlive(pid)) return
    restarting = true
    try {
      pid = await server.ensureRunning(lease)
      onEvent('PostgreSQL had stopped and runs again')
    } catch (error) {
      onEvent('PostgreSQL cannot be started', error)
    } finally {
      restarting = false
    }
  }, WATCH_EVERY_MS).unref()

  return {
    url: url('sq_login', DATABASE),
    directUrl: url('postgres', DATABASE),
    async close() {
      clearInterval(watch)
      if (lease.release()) await server.stop(pid)
    },
  }
}

/** A server that was told to stop just before our lease may still look ready: then the next one is waited for. */
async function attach(server: Server, lease: Lease, url: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const pid = await server.ensureRunning(lease)
    try {
      await prepareDatabase(url)
      return pid
    } catch (error) {
      if (attempt === 3 || (error instanceof pg.DatabaseError && !isCode(error, '57P01', '57P03'))) throw error
    }
  }
}

async function prepareDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await ensureRoles(client)
    // No privileges of its own: a statement that escaped its transaction could read nothing.
    await createRole(client, 'sq_login', 'login noinherit in role sq_app')
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE])
    if (!rowCount) await client.query(`create database ${DATABASE}`)
  } catch (error) {
    // 42P04 and 23505: another process made it just now; 55006: it is doing so.
    if (!isCode(error, '42P04', '23505', '55006')) throw error
  } finally {
    await client.end()
  }
}

function serverSettings(durable: boolean): Record<string, string> {
  return {
    max_connections: '100',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    // An error's detail repeats the row it was about.
    log_error_verbosity: 'terse',
    // Compiling a plan costs more than any of our statements.
    jit: 'off',
    shared_buffers: '256MB',
    wal_buffers: '16MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    random_page_cost: '1.1',
    // Queue heads are updated all day: their dead versions must go before they slow the next call down.
    autovacuum_naptime: '15s',
    autovacuum_vacuum_scale_factor: '0.02',
    autovacuum_analyze_scale_factor: '0.02',
    autovacuum_vacuum_insert_scale_factor: '0.05',
    autovacuum_vacuum_cost_limit: '1000',
    ...(durable
      ? { synchronous_commit: 'on' }
      : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '128MB' }),
  }
}
