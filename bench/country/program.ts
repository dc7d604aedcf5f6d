import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../cluster.ts'

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
/** On a machine with much else to do all takes many times as long. */
const READY_WITHIN_MS = 300_000
const TICK_SECONDS = 0.01

/** A real `smartqueue serve` in a process of its own. */
export interface Program {
  port: number
  /** From the start of the process until it said it was ready for work. */
  readyMs: number
  /** Resident memory now. */
  residentMiB(): number
  /** CPU time since the start. */
  cpuSeconds(): number
  stop(): Promise<void>
}

/** @throws Error with what it said last when it ends or is not ready within five minutes */
export async function serve(cluster: Cluster, roles: string, port: number, secretKey: string): Promise<Program> {
  const metricsPort = port + 1
  const started = performance.now()
  const child = spawn(process.execPath, [MAIN, 'serve', '--roles', roles], {
    env: {
      DATABASE_URL: cluster.url,
      DATABASE_DIRECT_URL: cluster.directUrl,
      DATA_DIR: cluster.directory,
      SECRET_KEY: secretKey,
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      RATE_LIMIT_FACTOR: '1000000',
      LOG_LEVEL: 'error',
      // Compiled code is kept beside the user's other caches, as in an installation.
      HOME: homedir(),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  // However this process ends.
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  child.once('exit', () => process.off('exit', killed))
  for (let said = ''; (said = await readiness(metricsPort)) !== READY;) {
    if (child.exitCode !== null || performance.now() - started > READY_WITHIN_MS) {
      child.kill('SIGKILL')
      throw new Error(
        `${roles}: not ready after ${Math.round(performance.now() - started)} ms (exit code ${child.exitCode}): ${said}`,
      )
    }
    await sleep(5)
  }
  const readyMs = performance.now() - started
  const ofProcess = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8')
  return {
    port,
    readyMs,
    residentMiB: () => Number(/VmRSS:\s+(\d+)/.exec(ofProcess('status'))![1]) / 1024,
    cpuSeconds() {
      const fields = ofProcess('stat')
        .replace(/^.*\) /s, '')
        .split(' ')
        .map(Number)
      return (fields[11]! + fields[12]!) * TICK_SECONDS
    },
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

const READY = 'ready'
const readiness = (port: number): Promise<string> =>
  fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5000) }).then(
    async (answer) => (answer.ok ? READY : `${answer.status} ${await answer.text()}`),
    (error: unknown) => String(error),
  )
