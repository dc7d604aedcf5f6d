import type { Context } from '../../kernel/operation.ts'

/** The job that puts those who wait in a queue's new order. */
export const RERANK = 'tickets.rerank'
/** Every process has heard of a change by then. */
const HEARD_MS = 3000

/**
 * Puts those who wait in the queue's present order once this transaction has committed, and again when nobody can have
 * taken a ticket by the old order any more.
 */
export async function enqueueRerank(ctx: Context, queueId: number): Promise<void> {
  const { now } = await ctx.tx.one<{ now: string }>('select now() as now')
  const later = Temporal.Instant.from(now).add({ milliseconds: HEARD_MS }).toString()
  const key = `${RERANK}:${ctx.tenant.id}:${queueId}`
  await ctx.enqueue(RERANK, { queue_id: queueId }, { job_key: key })
  await ctx.enqueue(RERANK, { queue_id: queueId }, { job_key: `${key}:again`, run_at: later })
}
