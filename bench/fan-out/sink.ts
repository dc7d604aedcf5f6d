import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Compiles sockets.c into `directory`; undefined where there is no C compiler. */
export function compile(directory: string): Promise<string | undefined> {
  const program = join(directory, 'sockets')
  const source = new URL('sockets.c', import.meta.url).pathname
  return run('cc', ['-O2', '-o', program, source]).then(
    () => program,
    () => undefined,
  )
}

/** Connected sockets whose other ends read everything, in a process of their own. */
export interface Audience {
  sockets: readonly Socket[]
  /** Resolves when `bytes` more have arrived over there. */
  received(bytes: number): Promise<void>
  close(): void
}

export async function gather(program: string, size: number): Promise<Audience> {
  const sockets: Socket[] = []
  const server = createServer({ noDelay: true }, (socket) => sockets.push(socket.on('error', () => {}))).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const child = spawn(program, ['sink', String((server.address() as AddressInfo).port), String(size)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)
  while (sockets.length < size) await once(server, 'connection')
  return {
    sockets,
    async received(bytes) {
      const done = once(lines, 'line')
      child.stdin.write(`${bytes}\n`)
      await done
    },
    close() {
      child.kill()
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** The bare loop on these very sockets, by a process that has inherited them. Returns its CPU time in microseconds. */
export async function writeBare(
  program: string,
  sockets: readonly Socket[],
  frameBytes: number,
  rounds: number,
): Promise<number> {
  const descriptors = sockets.map((socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd)
  const child = spawn(program, ['write', String(frameBytes), String(rounds), String(sockets.length)], {
    stdio: ['ignore', 'pipe', 'inherit', ...descriptors],
  })
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
  return Number(line)
}
