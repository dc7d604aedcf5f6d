/** `npm run bench:analytics [-- --tickets 5000000 --sites 170] [--export | --page]`: docs/analytics.md says what is measured and how. */
import { parseArgs } from 'node:util'
import { openDatabase } from '../server/kernel/db/index.ts'
import { systemActor } from '../server/kernel/access.ts'
import { Hub } from '../server/kernel/events/index.ts'
import { Runtime } from '../server/kernel/execute.ts'
import { measureExports } from './analytics/export.ts'
import { measurePage } from './analytics/page.ts'
import { measureReads } from './analytics/reads.ts'
import { addUp, seedYear } from './analytics/year.ts'
import { startCluster } from './cluster.ts'
import { describeMachine } from './machine.ts'

/** Twice the four weeks that the page opens with, and a bit. */
const PAGE_DAYS = 60
const { values: options } = parseArgs({
  options: {
    /** 5 million without `--export` and `--page`, a million and a bit with them: some days are quiet. */
    tickets: { type: 'string' },
    /** 170, or 34 for the page. */
    sites: { type: 'string' },
    directory: { type: 'string' },
    plans: { type: 'boolean', default: false },
    /** The memory curve of exports instead of the answers. */
    export: { type: 'boolean', default: false },
    /** How soon the page of analytics is there instead; of the days only those it shows and compares with are added up. */
    page: { type: 'boolean', default: false },
  },
})
const sites = Number(options.sites ?? (options.page ? 34 : 170))
const cluster = await startCluster(options.directory)
const db = await openDatabase({ url: cluster.url, directUrl: cluster.directUrl })
const hub = new Hub(db)
try {
  const { at, processor, cores, memoryGiB, node, postgres } = await describeMachine(cluster.direct)
  console.log(
    `${at.slice(0, 10)}, ${cores} cores (${processor}), ${memoryGiB} GiB, Node ${node}, PostgreSQL ${postgres}\n`,
  )
  const year = await seedYear(cluster.direct, {
    tickets: Number(options.tickets ?? (options.export || options.page ? 1_130_000 : 5_000_000)),
    sites,
  })
  console.log(`${year.tickets} tickets of a year at ${sites} sites made in ${year.seconds.toFixed(0)} s`)
  if (options.export) console.log(await measureExports(db, cluster.direct, year))
  else if (options.page) {
    const from = Temporal.PlainDate.from(year.to).subtract({ days: PAGE_DAYS }).toString()
    console.log(await addUp(db, cluster.direct, { ...year, from }))
    console.log(await measurePage(cluster, year))
  } else {
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
