import type { Context } from '../../kernel/operation.ts'

/** The job that announces the queues whose state no longer is as announced. */
export const REFRESH_QUEUES = 'queues.refresh'

/**
 * Tells boards and visitors of doors that open or close by somebody's hand once this transaction has committed, not
 * with the next round by the clock.
 */
export const enqueueRefresh = (ctx: Context): Promise<void> =>
  ctx.enqueue(REFRESH_QUEUES, {}, { job_key: `${REFRESH_QUEUES}:${ctx.tenant.id}` })
