import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** WebSocket clients in a process of their own (clients.c). */
export class Clients {
  readonly program: string
  #directory: string
  #child: ChildProcess
  #lines: Interface
  #gone: Promise<never>

  private constructor(program: string, directory: string, child: ChildProcess) {
    this.program = program
    this.#directory = directory
    this.#child = child
    this.#lines = createInterface(child.stdout!)
    this.#gone = once(child, 'exit').then(() => Promise.reject(new Error('the clients ended')))
    this.#gone.catch(() => {})
  }

  /** Compiles and starts them; undefined where there is no C compiler. */
  static async start(directory: string, port: number, most: number): Promise<Clients | undefined> {
    const program = join(directory, 'clients')
    const source = new URL('clients.c', import.meta.url).pathname
    const isCompiled = await run('cc', ['-O2', '-o', program, source]).then(
      () => true,
      () => false,
    )
    if (!isCompiled) return undefined
    return new Clients(
      program,
      directory,
      spawn(program, [String(port), String(most)], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
  }

  /** Seconds until `count` more have had their snapshot. */
  async open(count: number, request: string): Promise<number> {
    return Number(await this.#ask(`open ${count} ${this.#file('request', request)}`)) / 1e6
  }

  /** Seconds until all, reset at once, are connected again. */
  async reopen(request: string): Promise<number> {
    return Number(await this.#ask(`reopen ${this.#file('request', request)}`)) / 1e6
  }

  /**
   * Notes the next `frames` of every client; `arrivals` resolves, when all have come, with their moments in nanoseconds of
   * the machine's clock (`process.hrtime`), client by client.
   */
  async expect(frames: number): Promise<{ arrivals: Promise<BigInt64Array> }> {
    const file = join(this.#directory, 'arrivals')
    await this.#ask(`expect ${frames} ${file}`)
    const done = this.#answer()
    return {
      arrivals: done.then(() => {
        const { buffer, byteOffset, byteLength } = readFileSync(file)
        return new BigInt64Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer)
      }),
    }
  }

  /** The bare loop in C on these very sockets, by a process that has inherited them. */
  async writeBare(descriptors: readonly number[], bytes: Buffer, rounds: number): Promise<void> {
    const file = this.#file('frame', bytes)
    const child = spawn(this.program, ['write', file, String(rounds), String(descriptors.length)], {
      stdio: ['ignore', 'ignore', 'inherit', ...descriptors],
    })
    await once(child, 'exit')
  }

  close(): void {
    this.#child.kill()
  }

  async #ask(command: string): Promise<string> {
    const answer = this.#answer()
    this.#child.stdin!.write(`${command}\n`)
    return answer
  }
  async #answer(): Promise<string> {
    const [line] = (await Promise.race([once(this.#lines, 'line'), this.#gone])) as [string]
    return line
  }
  #file(name: string, content: string | Buffer): string {
    const file = join(this.#directory, name)
    writeFileSync(file, content)
    return file
  }
}
