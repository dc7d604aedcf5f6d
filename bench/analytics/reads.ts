import type { Actor } from '../../server/kernel/access.ts'
import type { Database, Tx } from '../../server/kernel/db/types.ts'
import type { Runtime } from '../../server/kernel/execute.ts'
import { operations } from '../../server/modules/analytics/index.ts'
import { readCells } from '../../server/modules/analytics/rollup/read.ts'
import type { Year } from './year.ts'

const RUNS = 5
const GOAL_MS = 1000

/** What managers ask of a year, of the whole chain and of one site. */
const QUESTIONS: [id: string, input: Record<string, unknown>][] = [
  ['analytics.hoursByService', {}],
  ['analytics.overview', {}],
  ['analytics.waitOverDay', {}],
  ['analytics.heatmap', {}],
  ['analytics.breakdown', { by: 'channel' }],
  ['analytics.breakdown', { by: 'site' }],
  ['analytics.breakdown', { by: 'month' }],
  ['analytics.sla', { by: 'service' }],
  ['analytics.funnel', {}],
  ['analytics.accuracy', { by: 'hour' }],
  ['analytics.hoursByService', { site_id: 1 }],
  ['analytics.overview', { site_id: 1 }],
  ['analytics.agents', { site_id: 1 }],
  ['analytics.cohort', { site_id: 1 }],
  ['analytics.queueMetrics', { site_id: 1 }],
  ['analytics.live', {}],
]

interface Stage {
  db: Database
  runtime: Runtime
  actor: Actor
  year: Year
  showsPlans: boolean
}

/** Milliseconds of whole operations below HTTP, and how the hours of services are read. */
export async function measureReads({ db, runtime, actor, year, showsPlans }: Stage): Promise<string> {
  const { tenant, from, to } = year
  const lines: string[] = []
  for (const [id, given] of QUESTIONS) {
    const op = operations.find((each) => each.id === id)!
    const input = id === 'analytics.live' ? given : { from, to, ...given }
    const times: number[] = []
    for (let run = 0; run < RUNS; run++) {
      const started = performance.now()
      void (await runtime.execute(op, { actor, tenant, locale: 'fr', input, isFresh: true })).body
      times.push(performance.now() - started)
    }
    const [first, ...sorted] = [times[0]!, ...times.toSorted((a, b) => a - b)]
    const what = `${id} ${Object.entries(given).map(([name, value]) => `${name}=${String(value)}`)}`.trim()
    lines.push(
      `${what.padEnd(40)} ${first.toFixed(0).padStart(6)} ms at first ${sorted[RUNS >> 1]!.toFixed(0).padStart(6)} ms median ${sorted.at(-1)!.toFixed(0).padStart(6)} ms worst`,
    )
    if (id === 'analytics.hoursByService' && given['site_id'] === undefined)
      lines[0] += `   goal ${GOAL_MS} ms: ${sorted[RUNS >> 1]! < GOAL_MS ? 'met' : 'not met'}`
  }
  const reader = db.reader(tenant.id, 'reports')
  const explained: Tx = {
    ...reader,
    async query<Row>(text: string, values?: readonly unknown[]) {
      const rows = await reader.query<Record<string, string>>(`explain (analyze, buffers, costs off) ${text}`, values)
      lines.push(
        '',
        ...rows
          .map((row) => Object.values(row)[0]!.slice(0, 160))
          .filter((line) => showsPlans || !/Output|Group Key/.test(line)),
      )
      return [] as Row[]
    },
  }
  await readCells(explained, { from, to }, ['service', 'hour'])
  return lines.join('\n')
}
