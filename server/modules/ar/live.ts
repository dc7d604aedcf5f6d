import type { QueueStatus } from '../../../shared/ticket-status.ts'
import type { Context } from '../../kernel/operation.ts'
import { newcomerFigures } from '../tickets/index.ts'
import type { Live } from './schema.ts'

const STATES = `
  select q.id, q.is_active, st.status from queues q
  join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id where q.id = any($1)`

/** Lines as somebody who came now would find them, by queue. */
export async function liveOf(ctx: Context, queueIds: readonly (number | null)[]): Promise<Map<number, Live>> {
  const ids = [...new Set(queueIds)].filter((id) => id !== null)
  const lives = new Map<number, Live>()
  if (ids.length === 0) return lives
  const rows = await ctx.tx.query<{ id: number; is_active: boolean; status: QueueStatus }>(STATES, [ids])
  for (const { id, is_active, status } of rows) {
    const { ahead, eta_low_seconds, eta_high_seconds } = await newcomerFigures(ctx, id)
    lives.set(id, { status: is_active ? status : 'paused', waiting: ahead ?? 0, eta_low_seconds, eta_high_seconds })
  }
  return lives
}
