import { systemActor } from '../../kernel/access.ts'
import type { Job, JobContext } from '../../kernel/jobs/index.ts'
import type { Operation } from '../../kernel/operation.ts'
import { closeDay, sweepTimers } from './expire.ts'
import { refreshJob } from './live/index.ts'

/** Runs a sweep for every tenant until it finds nothing more. */
const sweep =
  (op: Operation) =>
  async ({ runtime, tenants }: JobContext) => {
    for (const tenant of await tenants()) {
      const request = { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input: {} }
      while (((await runtime.execute(op, request)).output as { more: boolean }).more);
    }
  }

export const jobs: readonly Job[] = [
  refreshJob,
  { name: 'tickets.sweep_timers', schedule: '* * * * *', run: sweep(sweepTimers) },
  // Midnight comes at another quarter of an hour in each zone; what is closed already costs one index look.
  { name: 'tickets.close_day', schedule: '*/15 * * * *', run: sweep(closeDay) },
]
