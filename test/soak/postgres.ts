import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectDirect, migrate, startEmbedded, type Direct } from '../../server/kernel/db/index.ts'
import { prepareHome } from '../../server/kernel/db/embedded/account.ts'
import { findBinaries } from '../../server/kernel/db/embedded/binaries.ts'
import { freePort } from '../faults/proxy.ts'

const START_WITHIN_MS = 60_000
const TRUST = 'host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n'

interface Surroundings {
  /** What it listens on; loopback by default. */
  address?: string
  settings?: Readonly<Record<string, string>>
  /** Nothing else of our own environment reaches it. */
  environment?: Readonly<Record<string, string>>
  /** A command that it is started through, which must become it: `nsenter --net=…`. */
  through?: readonly string[]
  /** Lines for who comes over the network; the owner, over the socket, is always trusted. */
  access?: string
}

/** A PostgreSQL as its operator runs it: on a port, with settings of its own. It is not started again by itself. */
export class Postgres {
  readonly home: string
  readonly port: number
  readonly address: string
  #binary: string
  #surroundings: Surroundings
  #account: { uid: number; gid: number } | undefined
  #child: ChildProcess | undefined

  private constructor(home: string, port: number, binary: string, surroundings: Surroundings) {
    this.home = home
    this.port = port
    this.address = surroundings.address ?? '127.0.0.1'
    this.#binary = binary
    this.#surroundings = surroundings
    const { uid, gid } = statSync(home)
    this.#account = process.getuid?.() === 0 ? { uid, gid } : undefined
  }

  /** A new cluster with the product's schema in `directory`, started. */
  static async make(directory: string, surroundings: Surroundings = {}): Promise<Postgres> {
    mkdirSync(dirname(directory), { recursive: true })
    chmodSync(dirname(directory), 0o755)
    const embedded = await startEmbedded({ directory })
    await migrate(embedded.directUrl)
    await embedded.close()
    const postgres = await Postgres.at(directory, surroundings)
    postgres.admit(surroundings.access ?? TRUST)
    await postgres.start()
    return postgres
  }

  /** On a cluster that is there; not started. */
  static async at(directory: string, surroundings: Surroundings = {}): Promise<Postgres> {
    const home = prepareHome(directory)
    const { postgres } = await findBinaries(home.path, home.account)
    return new Postgres(home.path, await freePort(), postgres, surroundings)
  }

  get #log(): string {
    return join(this.home, 'postgres.log')
  }

  url(user: string, password = ''): string {
    return `postgresql://${user}${password && `:${password}`}@${this.address}:${this.port}/smartqueue`
  }

  /** One statement as superuser over the socket, on a connection of its own. */
  readonly query: Direct['query'] = async (text, values) => {
    const direct = await connectDirect(
      `postgresql://postgres@localhost:${this.port}/smartqueue?host=${encodeURIComponent(this.home)}`,
    )
    try {
      return await direct.query(text, values)
    } finally {
      await direct.close()
    }
  }

  /** Who may come over the network, as lines of pg_hba.conf; it is to be told with `reload`. */
  admit(lines: string): void {
    this.write('data/pg_hba.conf', `local all all trust\nlocal replication all trust\n${lines}`)
  }

  async reload(): Promise<void> {
    await this.query('select pg_reload_conf()')
  }

  /** A file below its home that belongs to it. */
  write(path: string, text: string): void {
    const file = join(this.home, path)
    writeFileSync(file, text, { mode: 0o600 })
    if (this.#account) spawnSync('chown', [`${this.#account.uid}:${this.#account.gid}`, file])
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    const { settings = {}, environment = {}, through = [] } = this.#surroundings
    rmSync(join(this.home, 'data/postmaster.pid'), { force: true })
    const all = {
      port: String(this.port),
      listen_addresses: this.address,
      unix_socket_directories: this.home,
      max_connections: '100',
      shared_buffers: '128MB',
      ...settings,
    }
    const words = [
      this.#binary,
      '-D',
      join(this.home, 'data'),
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]
    const { uid, gid } = this.#account ?? {}
    // As another user only now: what it is started through may need rights that PostgreSQL refuses to have. It ends with us.
    const as = uid === undefined ? [] : [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
    const surroundings = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const [command, ...args] = [...through, 'setpriv', '--pdeathsig', 'INT', ...as, 'env', ...surroundings, ...words]
    const log = openSync(this.#log, 'a')
    const child = spawn(command!, args, {
      cwd: this.home,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.#child = child
    for (let waited = 0; waited < START_WITHIN_MS && child.exitCode === null; waited += 50) {
      const isThere = await this.query('select 1').then(
        () => true,
        () => false,
      )
      if (isThere) return
      await sleep(50)
    }
    throw new Error(`PostgreSQL does not start:\n${readFileSync(this.#log, 'utf8').slice(-2000)}`)
  }

  /** kill -9 of the server and all its processes. */
  kill(): void {
    this.signal('SIGKILL')
    this.#child = undefined
  }

  /** To the server and all its processes. */
  signal(name: NodeJS.Signals): void {
    const child = this.#child
    if (!child || child.exitCode !== null) return
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' })
    for (const pid of [child.pid!, ...stdout.split('\n').map(Number).filter(Boolean)]) {
      try {
        process.kill(pid, name)
      } catch {
        // It ended by itself.
      }
    }
  }

  /** Ends connections, writes everything and stops. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null) return
    child.kill('SIGINT')
    await once(child, 'exit')
  }
}
