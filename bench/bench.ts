import type { Cluster } from './cluster.ts'
import type { Driver } from './http/driver.ts'
import type { Effort } from './measure/alternate.ts'
import type { Subject } from './measure/sample.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

/** What every contest works with. */
export interface Bench {
  cluster: Cluster
  world: World
  server: Server
  driver: Driver
  /** undefined = no yardstick on this machine: rates without ratios. */
  pgbench: string | undefined
  effort: Effort
  log(line: string): void
}

export const CALLERS = [1, 16, 64] as const

/** Names of subjects, as tables and goals call them. */
export const PGBENCH = 'pgbench, one call'
export const PGBENCH_STEPS = 'pgbench, statements'
export const BELOW_HTTP = 'SmartQueue below HTTP'
export const HTTP = 'SmartQueue through HTTP'
export const NO_DATABASE = 'the same POST without a database'
export const EMPTY_HANDLER = 'empty handler'

/** Leaves out what this machine cannot measure. */
export const present = (subjects: readonly (Subject | undefined)[]): Subject[] =>
  subjects.filter((subject) => subject !== undefined)
