/** `npm run bench [-- --quick] [--only take,call-next]`: docs/performance.md says what is measured and how. */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Bench } from './bench.ts'
import { startCluster } from './cluster.ts'
import { callNext } from './contests/call-next.ts'
import { depth } from './contests/depth.ts'
import { fanOut } from './contests/fan-out.ts'
import { graphqlLists } from './contests/graphql.ts'
import { halfLoad } from './contests/half-load.ts'
import { prices } from './contests/prices.ts'
import { reads } from './contests/reads.ts'
import { slots } from './contests/slots.ts'
import { signIn } from './contests/sign-in.ts'
import { takeCold, takeHot } from './contests/take.ts'
import { whatIf } from './contests/what-if.ts'
import { isMet, judge, type Verdict } from './goals.ts'
import { startDriver } from './http/driver.ts'
import { document, documentGoals } from './document.ts'
import { describeMachine } from './machine.ts'
import type { Row } from './measure/sample.ts'
import { startServer } from './server.ts'
import { goalTable, rateTable } from './table.ts'
import { seed } from './world.ts'
import { findPgbench, INSTALL_HINT } from './yardstick/pgbench.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seconds: { type: 'string' },
    repetitions: { type: 'string' },
    directory: { type: 'string' },
    document: { type: 'boolean', default: false },
    out: { type: 'string', default: new URL('results/latest.json', import.meta.url).pathname },
  },
})
const only = options.only.split(',').filter(Boolean)
const seconds = Number(options.seconds ?? (options.quick ? 1 : 4))
const effort = {
  repetitions: Number(options.repetitions ?? (options.quick ? 1 : 3)),
  seconds,
  warmSeconds: options.quick ? 1 : 3,
}

interface Result {
  rows?: Row[]
  verdicts?: Verdict[]
}
/** In this order; each may look at the rows of those before it. */
const contests: Record<string, (bench: Bench, rows: readonly Row[]) => Promise<Result>> = {
  take: async (bench) => ({ rows: await takeCold(bench) }),
  'half-load': async (bench, rows) => ({ verdicts: await halfLoad(bench, rows) }),
  'take-hot': async (bench) => ({ rows: await takeHot(bench) }),
  'call-next': async (bench) => ({ rows: await callNext(bench) }),
  reads: async (bench) => ({ rows: await reads(bench) }),
  graphql: async (bench) => ({ rows: await graphqlLists(bench) }),
  depth: async (bench) => ({ verdicts: await depth(bench) }),
  'what-if': async (bench) => ({ verdicts: await whatIf(bench) }),
  prices: async (bench) => ({ rows: await prices(bench) }),
  slots: async (bench) => ({ verdicts: await slots(bench) }),
  'sign-in': async (bench) => ({ verdicts: await signIn(bench) }),
  'fan-out': async (bench) => ({ verdicts: await fanOut(bench) }),
}

const closers: (() => unknown)[] = []
async function close() {
  for (const closer of closers.splice(0).toReversed()) await closer()
}
process.once('SIGINT', () => void close().finally(() => process.exit(130)))

try {
  const pgbench = await findPgbench()
  if (!pgbench)
    console.error(
      `pgbench is missing, so there will be no ratio to the bare database. To install it:\n  ${INSTALL_HINT}\n`,
    )
  const cluster = await startCluster(options.directory)
  closers.push(cluster.close)
  const world = await seed(cluster.direct, Math.round(Math.max(4, seconds) * 12_000))
  await cluster.direct.query(readFileSync(new URL('sql/functions.sql', import.meta.url), 'utf8'))
  const server = await startServer(cluster, world)
  closers.push(server.close)
  const driver = startDriver()
  closers.push(driver.close)

  const bench: Bench = { cluster, world, server, driver, pgbench, effort, log: (line) => console.error(line) }
  const rows: Row[] = []
  const judged: Verdict[] = []
  for (const [name, contest] of Object.entries(contests)) {
    if (only.length > 0 && !only.includes(name)) continue
    const result = await contest(bench, rows)
    rows.push(...(result.rows ?? []))
    judged.push(...(result.verdicts ?? []))
  }
  const goals = judge(rows, judged)
  const machine = await describeMachine(cluster.direct)
  writeFileSync(
    options.out,
    `${JSON.stringify({ machine, effort, goals: goals.map((goal) => ({ ...goal, met: isMet(goal) })), rows }, null, 2)}\n`,
  )
  const tables = `${goalTable(goals)}\n\n${rateTable(rows)}`
  if (options.document && only.length > 0) documentGoals(goals, machine)
  else if (options.document) document(tables, machine)
  console.log(`\n${tables}\n\n${options.out}`)
} finally {
  await close()
}
