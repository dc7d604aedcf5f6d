import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from './proxy.ts'

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const START_TIMEOUT_MS = 60_000

/** A real `smartqueue serve`, always on the same port, started again whenever the run asks for it. */
export class ServerProcess {
  readonly port: number
  /** Ends that nobody asked for: a server has to outlive its database. */
  unexpectedEnds = 0
  #environment: Record<string, string>
  #roles: string
  #program: string
  #child: ChildProcess | null = null
  #output = ''

  private constructor(port: number, environment: Record<string, string>, roles: string, program: string) {
    this.#program = program
    this.port = port
    this.#environment = environment
    this.#roles = roles
  }

  /**
   * @param environment settings; nothing else of our own environment reaches the server. A METRICS_PORT is asked for its health.
   * @param program of another version
   */
  static async start(
    environment: Record<string, string>,
    roles = 'api,realtime,worker',
    program = file('../../server/main.ts'),
  ): Promise<ServerProcess> {
    const server = new ServerProcess(await freePort(), environment, roles, program)
    await server.start()
    return server
  }

  /** Resolves when it is ready for work. */
  async start(): Promise<void> {
    const args = ['--import', file('with-parent.ts'), this.#program, 'serve', '--roles', this.#roles]
    const child = spawn(process.execPath, args, {
      env: {
        HOST: '127.0.0.1',
        PORT: String(this.port),
        METRICS_PORT: '0',
        LOG_LEVEL: 'error',
        // What is loaded before the program says so was compiled before, too.
        NODE_COMPILE_CACHE: join(homedir(), '.cache', 'smartqueue'),
        ...this.#environment,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    const note = (text: string) => (this.#output = (this.#output + text).slice(-4000))
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', note)
    child.once('exit', (code, name) => {
      if (this.#child !== child) return
      this.unexpectedEnds++
      console.error(`a server ended by itself (${name ?? code}):\n${this.#output}`)
    })
    for (let waited = 0; waited < START_TIMEOUT_MS; waited += 25) {
      if (child.exitCode !== null || child.signalCode !== null) break
      if (await this.#isReady()) return
      await sleep(25)
    }
    // Nobody would end it: whoever asked for it has nothing to stop.
    await this.kill()
    throw new Error(`the server does not start:\n${this.#output}`)
  }

  /** Of the process that runs; it changes with every start. */
  get pid(): number {
    return this.#child!.pid!
  }

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** kill -9: no goodbye to anybody. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Stops or continues it without its knowing. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name)
  }

  /** What it last wrote, for a report of what went wrong. */
  get output(): string {
    return this.#output
  }

  async #end(signal: NodeJS.Signals) {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  async #isReady(): Promise<boolean> {
    const port = this.#environment['METRICS_PORT'] ?? this.port
    return fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5000) }).then(
      ({ ok }) => ok,
      () => false,
    )
  }
}

/** Process id in the lock file of a PostgreSQL data directory. */
export function postmasterPid(dataDirectory: string): number | undefined {
  const lock = `${dataDirectory}/postmaster.pid`
  return existsSync(lock) ? Number(readFileSync(lock, 'utf8').split('\n', 1)[0]) : undefined
}
