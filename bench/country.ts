/**
 * `npm run bench:country [-- --only starts,depth,day --sites 500 --lines-per-site 1 --hours 4 --trace T.csv.gz --document]`: how soon a program is
 * ready, whether full tables cost more, and a recorded day at 500 sites as fast as two cores play it. docs/performance.md
 * says what is measured.
 */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { useSigningKeys } from '../server/modules/authentication/index.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { busiestShare } from './country/cost.ts'
import { dayFigures } from './country/figures.ts'
import { depth } from './country/depth.ts'
import { linesOf } from './country/lines.ts'
import { starts } from './country/starts.ts'
import { document } from './document.ts'
import { isMet, type Verdict } from './goals.ts'
import { describeMachine } from './machine.ts'
import { goalTable } from './table.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'starts,depth,day' },
    sites: { type: 'string', default: '500' },
    'lines-per-site': { type: 'string', default: '1' },
    hours: { type: 'string' },
    trace: { type: 'string', default: fileURLToPath(new URL('../db/demo/warsaw-ochota-day.csv.gz', import.meta.url)) },
    port: { type: 'string', default: '21500' },
    document: { type: 'boolean', default: false },
  },
})
const only = options.only.split(',')
const port = Number(options.port)
const secretKey = randomBytes(48).toString('base64')
useSigningKeys(secretKey)

const clusters: Cluster[] = []
async function aCluster(): Promise<Cluster> {
  const cluster = await startCluster()
  clusters.push(cluster)
  return cluster
}
try {
  const cluster = await aCluster()
  const machine = await describeMachine(cluster.direct)
  const tell = (part: 'starts' | 'depth' | 'day', verdicts: readonly Verdict[]) => {
    const table = goalTable(verdicts)
    console.log(table)
    if (options.document) document(table, machine, `country-${part}`)
    if (!verdicts.every(isMet)) process.exitCode = 1
  }
  if (only.includes('starts')) tell('starts', await starts(cluster, port, secretKey))
  if (only.includes('depth'))
    tell('depth', await depth([await aCluster(), await aCluster()], { repetitions: 3, seconds: 4, warmSeconds: 3 }))
  if (only.includes('day'))
    tell(
      'day',
      await dayFigures(cluster, {
        sites: Number(options.sites),
        lines: await linesOf(options.trace, options.hours === undefined ? undefined : Number(options.hours)),
        share: busiestShare(await linesOf(options.trace)),
        linesPerSite: Number(options['lines-per-site']),
        port,
        secretKey,
      }),
    )
} finally {
  for (const cluster of clusters) await cluster.close()
}
