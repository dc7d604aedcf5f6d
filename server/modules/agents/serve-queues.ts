import type Type from 'typebox'
import { invalid } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'
import type { Skills } from './schema.ts'

/** Where queues and weights of an agent or a profile are kept. */
const KEPT = {
  agent: { table: 'agent_queues', owners: 'agents', column: 'agent_id' },
  profile: { table: 'work_profile_queues', owners: 'work_profiles', column: 'work_profile_id' },
} as const

/**
 * Replaces the queues an agent or a profile serves. @throws AppError invalid_input at `/queues/<n>/queue_id`: `duplicate`,
 * or `not_found` for queues of other sites, foreign ones, and those that the caller is not limited to
 */
export async function serveQueues(
  { tx, actor }: Pick<Context, 'tx' | 'actor'>,
  of: keyof typeof KEPT,
  id: number,
  queues: Type.Static<typeof Skills>,
): Promise<void> {
  const { table, owners, column } = KEPT[of]
  const ids = queues.map(({ queue_id }) => queue_id)
  const twice = ids.findIndex((queueId, i) => ids.indexOf(queueId) !== i)
  if (twice >= 0) throw invalid(`/queues/${twice}/queue_id`, 'duplicate')
  if (actor.queueIds) {
    // What is beyond the caller's limits stays as it is.
    const kept = await tx.query<{ queue_id: number }>(
      `select queue_id from ${table} where ${column} = $1 and queue_id <> all($2)`,
      [id, actor.queueIds],
    )
    const before = new Set(kept.map(({ queue_id }) => queue_id))
    const strange = ids.findIndex((queueId) => !actor.queueIds!.includes(queueId) && !before.has(queueId))
    if (strange >= 0) throw invalid(`/queues/${strange}/queue_id`, 'not_found')
    if ([...before].some((queueId) => !ids.includes(queueId))) throw invalid('/queues', 'not_found')
  }
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
