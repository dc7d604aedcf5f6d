import { systemActor } from '../../kernel/access.ts'
import { eachTenant, type Job, type JobContext } from '../../kernel/jobs/index.ts'
import { refreshQueues } from '../tickets/index.ts'
import { refreshEstimates } from './refresh.ts'
import { withdrawStale } from './withdraw.ts'

const HALF_A_MINUTE_MS = 30_000

/**
 * Every 30 s. The schedule knows minutes only: the second round follows from a timer of the process that ran the first,
 * without holding up the worker or its end. Should it fail, the next minute does the same work.
 */
const refreshJob: Job = {
  name: 'queues.calculate_all_etas',
  schedule: '* * * * *',
  async run(context) {
    await refreshAll(context)
    setTimeout(() => void refreshAll(context).catch(() => {}), HALF_A_MINUTE_MS).unref()
  },
}

/** Apart from the refresh, so that it also works when that one does not. */
const withdrawJob: Job = {
  name: 'queues.withdraw_stale_forecasts',
  schedule: '* * * * *',
  async run({ runtime, tenants }) {
    await eachTenant(await tenants(), async (tenant) => {
      await runtime.execute(withdrawStale, {
        actor: systemActor(tenant.id),
        tenant,
        locale: tenant.locale,
        input: {},
      })
    })
  },
}

export const jobs: readonly Job[] = [refreshJob, withdrawJob]

async function refreshAll({ runtime, tenants }: JobContext): Promise<void> {
  await eachTenant(await tenants(), async (tenant) => {
    const call = { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input: {} }
    await runtime.execute(refreshQueues, call)
    await runtime.execute(refreshEstimates, call)
  })
}
