import { systemActor } from '../../kernel/access.ts'
import { AppError } from '../../kernel/errors.ts'
import { eachTenant, type Job, type JobContext } from '../../kernel/jobs/index.ts'
import type { Operation } from '../../kernel/operation.ts'
import { applyRules } from './apply-rules.ts'
import { closeDay, sweepTimers } from './expire.ts'
import { pushJob } from './visit/push.ts'
import { RERANK } from '../queues/index.ts'
import { REFRESH_QUEUES } from '../sites/index.ts'
import { refreshQueues } from './live/index.ts'
import { rerank } from './rerank.ts'

/** Runs a sweep for every tenant until it finds nothing more. */
const sweep =
  (op: Operation) =>
  async ({ runtime, tenants }: JobContext) =>
    eachTenant(await tenants(), async (tenant) => {
      const request = { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input: {} }
      while (((await runtime.execute(op, request)).output as { more: boolean }).more);
    })

/** The reference that the database does not check itself; see the table. */
const ORPHANS = `
  select t.id from tickets t
  where t.created_at > now() - interval '3 days'
    and not exists (select from queues q where q.tenant_id = t.tenant_id and q.id = t.queue_id) limit 1`
async function checkQueues({ runtime }: JobContext, payload: Record<string, unknown>): Promise<void> {
  const id = payload['tenant_id'] as number
  const orphan = await runtime.db.reader(id, 'reports').maybe<{ id: number }>(ORPHANS)
  if (orphan) throw new Error(`ticket ${orphan.id} of tenant ${id} is in a queue that does not exist`)
}

/** A queue's order has changed. The queue may be gone by now. */
async function rerankQueue({ runtime, tenants }: JobContext, payload: Record<string, unknown>): Promise<void> {
  const tenant = (await tenants()).find(({ id }) => id === payload['tenant_id'])
  if (!tenant) return
  const request = { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input: { id: payload['queue_id'] } }
  await runtime.execute(rerank, request).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.kind !== 'not_found') throw error
  })
}

/** Somebody changed when or whether people may come. */
async function refresh({ runtime, tenants }: JobContext, payload: Record<string, unknown>): Promise<void> {
  const tenant = (await tenants()).find(({ id }) => id === payload['tenant_id'])
  if (!tenant) return
  await runtime.execute(refreshQueues, { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input: {} })
}

export const jobs: readonly Job[] = [
  pushJob,
  { name: 'tickets.sweep_timers', schedule: '* * * * *', run: sweep(sweepTimers) },
  { name: 'tickets.apply_rules', schedule: '* * * * *', run: sweep(applyRules) },
  // Midnight comes at another quarter of an hour in each zone; what is closed already costs one index look.
  { name: 'tickets.close_day', schedule: '*/15 * * * *', run: sweep(closeDay) },
  { name: RERANK, run: rerankQueue },
  { name: REFRESH_QUEUES, run: refresh },
  { name: 'tickets.check_queues', nightly: '03:17', run: checkQueues },
]
