import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../test/faults/proxy.ts'
import { RedisLink } from '../kernel/redis.ts'

/** A Redis of a test's own, which keeps nothing and can be killed and started again on the same port. */
export interface TestRedis {
  readonly port: number
  readonly url: string
  start(): Promise<void>
  kill(): Promise<void>
  /** As a process is connected to it, but with the patience of a busy machine; closed with it. */
  link(): RedisLink
  /** Ends it for good. */
  close(): Promise<void>
}

/** undefined where `redis-server` is not installed, which is said once on stderr. */
export async function startRedis(): Promise<TestRedis | undefined> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'sq-redis-'))
  const links: RedisLink[] = []
  let child: ChildProcess | undefined
  const redis: TestRedis = {
    port,
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const options = { port, bind: '127.0.0.1', save: '', dir: directory }
      const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
      const started = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] })
      child = started
      await new Promise<void>((resolve, reject) => {
        started.on('error', reject)
        started.on('exit', () => reject(new Error('redis-server ended')))
        started.stdout.on('data', (text: Buffer) => String(text).includes('Ready to accept') && resolve())
      })
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    link() {
      const link = new RedisLink(redis.url, 3000)
      links.push(link)
      return link
    },
    async close() {
      for (const link of links) link.close()
      await redis.kill()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  try {
    await redis.start()
    return redis
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    process.stderr.write('redis-server is missing, so what needs it is not tried: apt-get install redis-server\n')
    rmSync(directory, { recursive: true, force: true })
    return undefined
  }
}
