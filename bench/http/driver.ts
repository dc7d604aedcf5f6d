import { fork } from 'node:child_process'
import { once } from 'node:events'
import { startCpu } from '../measure/cpu.ts'
import type { Sample, Subject } from '../measure/sample.ts'
import type { Load, LoadResult } from './client.ts'

/** The process the HTTP callers live in. */
export interface Driver {
  run(load: Load): Promise<LoadResult>
  close(): void
}

export function startDriver(): Driver {
  const child = fork(new URL('client.ts', import.meta.url), { stdio: 'inherit' })
  return {
    async run(load) {
      child.send(load)
      const [answer] = (await once(child, 'message')) as [LoadResult | { error: string }]
      if ('error' in answer) throw new Error(answer.error)
      return answer
    },
    close: () => child.disconnect(),
  }
}

/** One kind of request as a subject. */
export function httpSubject(
  driver: Driver,
  postmaster: number,
  name: string,
  load: () => Omit<Load, 'connections' | 'seconds'>,
  prepare?: () => Promise<void>,
): Subject {
  return {
    name,
    ...(prepare && { prepare }),
    async measure(callers, seconds): Promise<Sample> {
      const cpu = startCpu(postmaster)
      const result = await driver.run({ ...load(), connections: callers, seconds })
      const { server, postgres, busyCores } = cpu()
      if (result.failures > 0)
        console.error(`${name}: ${result.failures} of ${result.done} failed, the first with\n${result.firstFailure}`)
      return {
        perSecond: result.done / result.seconds,
        p50Ms: result.p50Ms,
        p99Ms: result.p99Ms,
        serverMicroseconds: server / result.done,
        postgresMicroseconds: postgres / result.done,
        busyCores,
        failures: result.failures,
      }
    },
  }
}

/** Head of a request, without Content-Length and the empty line, for `Load.head`. */
export function requestHead(method: string, path: string, headers: Record<string, string>): string {
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}`
}
