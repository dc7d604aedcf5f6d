import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../cluster.ts'
import type { Verdict } from '../goals.ts'
import { median } from '../measure/stats.ts'
import { serve } from './program.ts'

const ROLES = ['api', 'realtime', 'worker', 'api,realtime,worker']
const TIMES = 5
/** What a role keeps once the first jobs and reads are behind it. */
const SETTLED_MS = 3000

/** How soon each role is ready and what it keeps in memory; the first start of all, which compiles, is told apart. */
export async function starts(cluster: Cluster, port: number, secretKey: string): Promise<Verdict[]> {
  const first = await serve(cluster, ROLES.at(-1)!, port, secretKey)
  await first.stop()
  const verdicts: Verdict[] = [{ text: 'first start, all roles, ms', measured: first.readyMs }]
  for (const roles of ROLES) {
    const ready: number[] = []
    const resident: number[] = []
    for (let i = 0; i < TIMES; i++) {
      const program = await serve(cluster, roles, port, secretKey)
      ready.push(program.readyMs)
      await sleep(SETTLED_MS)
      resident.push(program.residentMiB())
      await program.stop()
    }
    const name = roles.includes(',') ? 'all roles' : roles
    verdicts.push(
      { text: `${name}: process start to ready, ms`, atMost: 2000, measured: median(ready) },
      {
        text: `${name}: resident memory at rest, MiB`,
        atMost: name === 'all roles' ? 300 : 250,
        measured: median(resident),
      },
    )
  }
  return verdicts
}
