import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { startCpu } from '../measure/cpu.ts'
import type { Subject } from '../measure/sample.ts'
import type { Cluster } from '../cluster.ts'

const run = promisify(execFile)
const DEBIAN = '/usr/lib/postgresql'
export const INSTALL_HINT = 'apt-get install postgresql-contrib   # pgbench, the yardstick'

/** Path of pgbench: the newest of Debian's server packages, or the one on the PATH; undefined when there is none. */
export async function findPgbench(): Promise<string | undefined> {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : []
  const packaged = versions.map((version) => `${DEBIAN}/${version}/bin/pgbench`).find(existsSync)
  if (packaged) return packaged
  return run('pgbench', ['--version']).then(
    () => 'pgbench',
    () => undefined,
  )
}

/**
 * A pgbench script of bench/sql as a subject: `callers` clients, each on its own connection as sq_app under row-level
 * security, statements prepared.
 */
export function pgbenchSubject(
  pgbench: string,
  cluster: Cluster,
  name: string,
  script: string,
  variables: (clients: number) => Record<string, number>,
  prepare?: () => Promise<void>,
): Subject {
  return {
    name,
    ...(prepare && { prepare }),
    async measure(callers, seconds) {
      const cpu = startCpu(cluster.postmaster)
      const { stdout } = await run(pgbench, [
        '--no-vacuum',
        '--protocol=prepared',
        `--client=${callers}`,
        `--jobs=${Math.min(callers, 2)}`,
        `--time=${Math.max(1, Math.round(seconds))}`,
        `--file=${new URL(`../sql/${script}`, import.meta.url).pathname}`,
        ...Object.entries(variables(callers)).map(([variable, value]) => `--define=${variable}=${value}`),
        `--host=${cluster.host}`,
        `--port=${cluster.port}`,
        '--username=bench',
        cluster.database,
      ])
      const { postgres, busyCores } = cpu()
      const figure = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? Number.NaN)
      const done = figure(/transactions actually processed: (\d+)/)
      return {
        perSecond: figure(/tps = ([\d.]+)/),
        p50Ms: figure(/latency average = ([\d.]+)/),
        p99Ms: Number.NaN,
        serverMicroseconds: Number.NaN,
        postgresMicroseconds: postgres / done,
        busyCores,
        failures: figure(/number of failed transactions: (\d+)/),
      }
    },
  }
}
