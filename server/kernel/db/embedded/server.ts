import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fchownSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../clock.ts'
import type { Home } from './account.ts'
import type { Binaries } from './binaries.ts'
import type { Lease } from './lease.ts'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000
const MAX_LOG_BYTES = 10_000_000

/**
 * Runs the server until it ends, or until descriptor 3 ends: then nobody needs the server, and it is told to stop.
 * A shell survives what kills Node, is there on every system, and knows the server's process id without a file.
 */
const KEEPER = `
"$@" 3<&- & server=$!
{ read -r _; kill -INT "$server"; } <&3 & watch=$!
exec 3<&-
wait "$server"; status=$?
kill "$watch" 2>&-
exit "$status"`

/** One PostgreSQL cluster on disk, and the server on it; shared by every process that opens the same directory. */
export class Server {
  #home: Home
  #socket: string
  #binaries: Binaries
  #settings: Record<string, string>
  #data: string
  #log: string

  /** @param socket directory of the Unix socket */
  constructor(home: Home, socket: string, binaries: Binaries, settings: Record<string, string>) {
    this.#home = home
    this.#socket = socket
    this.#binaries = binaries
    this.#settings = {
      ...settings,
      listen_addresses: '',
      unix_socket_directories: socket,
      unix_socket_permissions: '0700',
    }
    this.#data = join(home.path, 'data')
    this.#log = join(home.path, 'postgres.log')
  }

  /** Makes the cluster unless it is there. It appears complete, by a rename: of several makers one wins. */
  create(durable: boolean): void {
    if (existsSync(this.#data)) return
    const draft = `${this.#data}.new-${process.pid}`
    const flags = [
      '-U',
      'postgres',
      '-E',
      'UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--lc-messages=C',
    ]
    const access = ['--auth-local=trust', '--auth-host=reject', ...(durable ? [] : ['--no-sync'])]
    const { status, stdout, stderr, error } = spawnSync(this.#binaries.initdb, ['-D', draft, ...flags, ...access], {
      ...this.#home.account,
      cwd: this.#home.path,
      env: {},
      encoding: 'utf8',
    })
    try {
      if (status === 0) renameSync(draft, this.#data)
    } catch {
      // Another process was first.
    }
    if (!existsSync(this.#data)) throw new Error(`initdb failed\n${stdout}${stderr}`, { cause: error })
    for (const name of readdirSync(this.#home.path))
      if (name.startsWith('data.new-')) rmSync(join(this.#home.path, name), { recursive: true, force: true })
  }

  /** The running server's process id once it accepts connections; starts it unless it runs already. */
  async ensureRunning(lease: Lease): Promise<number> {
    const deadline = monotonicMs() + START_TIMEOUT_MS
    let keeper: ChildProcess | undefined
    while (monotonicMs() < deadline) {
      const postmaster = this.#postmaster()
      if (postmaster?.ready) return postmaster.pid
      // A server of another process may be about to appear: PostgreSQL itself lets only one of them run.
      if (!postmaster && !(keeper?.exitCode === null && keeper.signalCode === null)) {
        if (keeper) await delay(200)
        keeper = this.#spawn(lease)
      }
      await delay(10)
    }
    throw new Error(`PostgreSQL does not start; the end of ${this.#log}:\n${this.#logTail()}`)
  }

  isAlive(pid: number): boolean {
    return this.#postmaster()?.pid === pid
  }

  /** Ends connections, writes everything and stops. */
  async stop(pid: number): Promise<void> {
    const deadline = monotonicMs() + STOP_TIMEOUT_MS
    if (this.isAlive(pid)) process.kill(pid, 'SIGINT')
    while (this.isAlive(pid) && monotonicMs() < deadline) await delay(5)
  }

  #spawn(lease: Lease): ChildProcess {
    this.#dropForeignLocks()
    if ((statSync(this.#log, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES)
      renameSync(this.#log, `${this.#log}.1`)
    const settings = Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const [log, reader] = [openSync(this.#log, 'a', 0o600), lease.openReader()]
    const { account } = this.#home
    if (account) fchownSync(log, account.uid, account.gid)
    try {
      const command = ['-c', KEEPER, 'smartqueue-postgres', this.#binaries.postgres, '-D', this.#data, ...settings]
      const keeper = spawn('/bin/sh', command, {
        ...account,
        cwd: this.#home.path,
        env: {},
        // A session of its own: Ctrl+C is for us, who then stop the server after our requests.
        detached: true,
        stdio: ['ignore', log, log, reader],
      })
      keeper.unref()
      keeper.on('error', () => {})
      return keeper
    } finally {
      closeSync(log)
      closeSync(reader)
    }
  }

  /** The server as its own lock file tells, if that process is really there. */
  #postmaster(): { pid: number; ready: boolean } | undefined {
    const [pid, , , , , , , state] = readLines(join(this.#data, 'postmaster.pid'))
    if (!pid || !runs(Number(pid), this.#data)) return undefined
    return { pid: Number(pid), ready: state?.trim() === 'ready' }
  }

  /**
   * After a crash of the machine or a container, a lock file may name a process that is no PostgreSQL, which the server
   * would respect for ever. (A lock of no process at all it replaces by itself.)
   */
  #dropForeignLocks(): void {
    for (const lock of [join(this.#data, 'postmaster.pid'), join(this.#socket, '.s.PGSQL.5432.lock')]) {
      const pid = Number(readLines(lock)[0])
      if (pid && exists(pid) && !runs(pid, this.#data)) rmSync(lock, { force: true })
    }
  }

  #logTail(): string {
    return readLines(this.#log).slice(-15).join('\n')
  }
}

/** Does process `pid` run a server on `data`? A zombie, or another program under a reused id, does not. */
function runs(pid: number, data: string): boolean {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(data)
    } catch {
      return false
    }
  }
  return spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).stdout.includes(data)
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
