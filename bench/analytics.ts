/** `npm run bench:analytics [-- --tickets 5000000 --sites 170] [--export]`: docs/analytics.md says what is measured and how. */
import { parseArgs } from 'node:util'
import { openDatabase } from '../server/kernel/db/index.ts'
import { systemActor } from '../server/kernel/access.ts'
import { Hub } from '../server/kernel/events/index.ts'
import { Runtime } from '../server/kernel/execute.ts'
import { measureExports } from './analytics/export.ts'
import { measureReads } from './analytics/reads.ts'
import { addUp, seedYear } from './analytics/year.ts'
import { startCluster } from './cluster.ts'
import { describeMachine } from './machine.ts'

const { values: options } = parseArgs({
  options: {
    /** 5 million without `--export`, a million and a bit with it: some days are quiet. */
    tickets: { type: 'string' },
    sites: { type: 'string', default: '170' },
    directory: { type: 'string' },
    plans: { type: 'boolean', default: false },
    /** The memory curve of exports instead of the answers. */
    export: { type: 'boolean', default: false },
  },
})
const cluster = await startCluster(options.directory)
const db = await openDatabase({ url: cluster.url, directUrl: cluster.directUrl })
const hub = new Hub(db)
try {
  const { at, processor, cores, memoryGiB, node, postgres } = await describeMachine(cluster.direct)
  console.log(
    `${at.slice(0, 10)}, ${cores} cores (${processor}), ${memoryGiB} GiB, Node ${node}, PostgreSQL ${postgres}\n`,
  )
  const year = await seedYear(cluster.direct, {
    tickets: Number(options.tickets ?? (options.export ? 1_130_000 : 5_000_000)),
    sites: Number(options.sites),
  })
  console.log(`${year.tickets} tickets of a year at ${options.sites} sites made in ${year.seconds.toFixed(0)} s`)
  if (options.export) console.log(await measureExports(db, cluster.direct, year))
  else {
    console.log(await addUp(db, cluster.direct, year))
    const runtime = new Runtime({ db, hub, url: (path) => path, renderError: (error) => error.code })
    const actor = systemActor(year.tenant.id)
    console.log(await measureReads({ db, runtime, actor, year, showsPlans: options.plans }))
  }
} finally {
  await hub.stop()
  await db.close()
  await cluster.close()
}
