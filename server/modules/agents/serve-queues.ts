import type Type from 'typebox'
import type { Tx } from '../../kernel/db/types.ts'
import { invalid } from '../../kernel/errors.ts'
import type { Skills } from './schema.ts'

/** Where queues and weights of an agent or a profile are kept. */
const KEPT = {
  agent: { table: 'agent_queues', owners: 'agents', column: 'agent_id' },
  profile: { table: 'work_profile_queues', owners: 'work_profiles', column: 'work_profile_id' },
} as const

/**
 * Replaces the queues an agent or a profile serves. @throws AppError invalid_input at `/queues/<n>/queue_id`: `duplicate`,
 * or `not_found` for queues of other sites and foreign ones alike
 */
export async function serveQueues(
  tx: Tx,
  of: keyof typeof KEPT,
  id: number,
  queues: Type.Static<typeof Skills>,
): Promise<void> {
  const { table, owners, column } = KEPT[of]
  const ids = queues.map(({ queue_id }) => queue_id)
  const twice = ids.findIndex((queueId, i) => ids.indexOf(queueId) !== i)
  if (twice >= 0) throw invalid(`/queues/${twice}/queue_id`, 'duplicate')
  await tx.query(`delete from ${table} where ${column} = $1 and queue_id <> all($2)`, [id, ids])
  const stored = await tx.query<{ queue_id: number }>(
    `insert into ${table} (${column}, queue_id, weight)
     select o.id, q.id, w.weight
     from unnest($2::bigint[], $3::int[]) as w(queue_id, weight)
     join ${owners} o on o.id = $1 join queues q on q.id = w.queue_id and q.site_id = o.site_id
     on conflict (tenant_id, ${column}, queue_id) do update set weight = excluded.weight returning queue_id`,
    [id, ids, queues.map(({ weight }) => weight ?? 1)],
  )
  const known = new Set(stored.map(({ queue_id }) => queue_id))
  const missing = ids.findIndex((queueId) => !known.has(queueId))
  if (missing >= 0) throw invalid(`/queues/${missing}/queue_id`, 'not_found')
}
