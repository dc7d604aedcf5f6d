import { systemActor } from '../../kernel/access.ts'
import { eachTenant, type Job, type JobContext } from '../../kernel/jobs/index.ts'
import type { Tenant } from '../../kernel/operation.ts'
import { EXPORT } from './exports/operations.ts'
import { writeExport } from './exports/write.ts'
import { localToday } from './reports/period.ts'
import { AGGREGATE } from './rollup/job-names.ts'
import { reportJobs } from './scheduled/jobs.ts'
import { aggregate, dueDays } from './rollup/operations.ts'

async function aggregateFor({ runtime }: JobContext, tenant: Tenant, from: string, to: string): Promise<void> {
  await runtime.execute(aggregate, {
    actor: systemActor(tenant.id),
    tenant,
    locale: tenant.locale,
    input: { from, to },
  })
}

/** Of a night, or of a period that somebody asked for. */
async function aggregateDailyMetrics(context: JobContext, payload: Record<string, unknown>): Promise<void> {
  const tenant = (await context.tenants()).find(({ id }) => id === payload['tenant_id'])
  if (!tenant) return
  if (typeof payload['from'] === 'string') return aggregateFor(context, tenant, payload['from'], String(payload['to']))
  const days = await dueDays(context.runtime.db.reader(tenant.id, 'reports'), String(payload['day']))
  for (const day of days) await aggregateFor(context, tenant, day, day)
}

/** Has anything happened since the present day was added up? */
const IS_STALE = `
  select exists (
    select from streams s where s.site_id <> 0 and exists (
      select from events e where e.tenant_id = s.tenant_id and e.site_id = s.site_id and e."offset" = s.last_offset
        and e.at > coalesce((select max(m.aggregated_at) from queue_metrics m where m.dimension = 'all' and m.date >= $1::date - 1), '-infinity')))
  as is_stale`

/** Keeps the present day's figures no older than a quarter of an hour. */
async function refreshToday(context: JobContext): Promise<void> {
  await eachTenant(await context.tenants(), async (tenant) => {
    const reader = context.runtime.db.reader(tenant.id, 'reports')
    const today = await localToday(reader, tenant.timezone)
    if (!(await reader.one<{ is_stale: boolean }>(IS_STALE, [today])).is_stale) return
    // Sites east and west of the organisation's own zone may have another date.
    const day = Temporal.PlainDate.from(today)
    await aggregateFor(context, tenant, day.subtract({ days: 1 }).toString(), day.add({ days: 1 }).toString())
  })
}

async function writeFile({ runtime: { db } }: JobContext, payload: Record<string, unknown>): Promise<void> {
  const [tenantId, id] = [Number(payload['tenant_id']), Number(payload['export_id'])]
  try {
    await writeExport(db, tenantId, id)
  } catch (error) {
    // Tried again by the worker; whoever looks meanwhile is not told that it runs.
    await db.tenant(tenantId, (tx) =>
      tx.query(`update exports set status = 'queued' where id = $1 and status = 'running'`, [id]),
    )
    throw error
  }
}

/** Files are gone after their week; what could not be written in a day will not be. */
async function forgetFiles({ runtime: { db } }: JobContext, payload: Record<string, unknown>): Promise<void> {
  await db.tenant(Number(payload['tenant_id']), async (tx) => {
    await tx.query('delete from exports where expires_at < now()')
    await tx.query(
      `update exports set status = 'failed' where status in ('queued', 'running') and created_at < now() - interval '1 day'`,
    )
  })
}

export const jobs: readonly Job[] = [
  { name: AGGREGATE, nightly: '03:40', run: aggregateDailyMetrics },
  { name: EXPORT, run: writeFile },
  { name: 'analytics.forget_exports', nightly: '04:20', run: forgetFiles },
  ...reportJobs,
  { name: 'analytics.refresh_today', schedule: '*/15 * * * *', run: refreshToday },
]
