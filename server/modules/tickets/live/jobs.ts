import { systemActor } from '../../../kernel/access.ts'
import type { Job, JobContext } from '../../../kernel/jobs/index.ts'
import { refreshQueues } from './refresh.ts'

const HALF_A_MINUTE_MS = 30_000

/**
 * Every 30 s. The schedule knows minutes only: the second round follows from a timer of the process that ran the first,
 * without holding up the worker or its end. Should it fail, the next minute does the same work.
 */
export const refreshJob: Job = {
  name: 'queues.calculate_all_etas',
  schedule: '* * * * *',
  async run(context) {
    await refreshAll(context)
    setTimeout(() => void refreshAll(context).catch(() => {}), HALF_A_MINUTE_MS).unref()
  },
}

async function refreshAll({ runtime, tenants }: JobContext): Promise<void> {
  for (const tenant of await tenants()) {
    const actor = systemActor(tenant.id)
    await runtime.execute(refreshQueues, { actor, tenant, locale: tenant.locale, input: {} })
  }
}
