import Type from 'typebox'
import { ADMINS } from '../../../kernel/access.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import { conflict, invalid } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Day } from '../../../kernel/schema.ts'
import { daysOf } from '../reports/period.ts'
import { aggregateDays } from './aggregate.ts'
import { AGGREGATE } from './job-names.ts'

/** Days of one transaction. */
const MOST_DAYS = 31
const MOST_REPLAYED_DAYS = 3660

const period = { from: Day, to: Day }

function checkPeriod(given: { from: string; to: string }, most: number): void {
  const days = daysOf(given)
  if (days < 1 || days > most) throw invalid('/to', 'range')
}

/** Where tickets are no longer kept, what was added up of them is all there is: it must not be made anew from nothing. */
const KEPT_SINCE = `
  select ((now() at time zone t.timezone)::date - t.data_retention_days + 2)::text as day from tenants t where t.id = app.tenant_id()`
const keptSince = async (tx: Tx): Promise<string> => (await tx.one<{ day: string }>(KEPT_SINCE)).day
async function checkKept(tx: Tx, from: string): Promise<void> {
  const day = await keptSince(tx)
  if (from < day) throw conflict('metrics_final', { day })
}

export const aggregate = operation({
  id: 'analytics.aggregate',
  kind: 'mutation',
  summary: 'Add up the metrics of some days anew',
  description:
    'From tickets and their legs as they are now; run again it writes the same. At most 31 days; `analytics.replay` takes any period. Refused for days whose tickets are no longer all kept.',
  scope: 'admin:tenant',
  roles: ADMINS,
  http: { method: 'POST', path: '/analytics/aggregate/' },
  input: Closed(period),
  output: Closed({ rows: Type.Integer({ minimum: 0, description: 'Queues and days' }) }),
  example: { input: { from: '2026-11-01', to: '2026-11-07' } },
  pool: 'reports',
  async run(ctx, { from, to }) {
    checkPeriod({ from, to }, MOST_DAYS)
    await checkKept(ctx.tx, from)
    return { rows: await aggregateDays(ctx.tx, from, to) }
  },
})

export const replay = operation({
  id: 'analytics.replay',
  kind: 'mutation',
  summary: 'Have the metrics of a period added up anew by background jobs',
  scope: 'admin:tenant',
  roles: ADMINS,
  http: { method: 'POST', path: '/analytics/replay/', status: 202 },
  input: Closed(period),
  output: Closed({ jobs: Type.Integer({ minimum: 0 }) }),
  example: { input: { from: '2026-01-01', to: '2026-11-21' } },
  async run(ctx, given) {
    checkPeriod(given, MOST_REPLAYED_DAYS)
    await checkKept(ctx.tx, given.from)
    let jobs = 0
    for (let from = Temporal.PlainDate.from(given.from); from.until(given.to).days >= 0; from = from.add({ days: 7 })) {
      const last = from.add({ days: 6 }).toString()
      const to = last < given.to ? last : given.to
      await ctx.enqueue(
        AGGREGATE,
        { from: from.toString(), to },
        { job_key: `${AGGREGATE}:${ctx.tenant.id}:${from}:${to}` },
      )
      jobs++
    }
    return { jobs }
  },
})

/**
 * The days a night has to look at: the two before, since the day of a site further west ends later; those with stays
 * that were not over; those whose people have said since how it was.
 */
const DUE = `
  select distinct d.day::text as day from (
    select $1::date - n as day from generate_series(1, 2) n
    union all select date from queue_metrics where dimension = 'all' and unfinished > 0 and date >= $1::date - 400
    union all select t.day from tickets t where t.rated_at >= ($1::date - 3)::timestamp at time zone 'UTC') d
  where d.day between greatest($2::date, $1::date - 3650) and $1::date order by 1`

/** Days to add up on the night of `day`, oldest first. */
export async function dueDays(tx: Tx, day: string): Promise<string[]> {
  const rows = await tx.query<{ day: string }>(DUE, [day, await keptSince(tx)])
  return rows.map((row) => row.day)
}
