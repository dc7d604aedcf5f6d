import type { Direct } from '../../server/kernel/db/index.ts'

/** Offsets of the events that a queue's feed must carry, by a statement that shares nothing with the server's own choice. */
export async function feedOffsets(owner: Direct['query'], siteId: number, queueId: number): Promise<number[]> {
  const rows = await owner<{ offset: number }>(
    `select e."offset" from events e
     where e.site_id = $1 and (e.queue_id = $2 or e.from_queue_id = $2 or e.type like 'agent.%'
       or e.data -> 'agent' -> 'queue_ids' @> to_jsonb($2::bigint))
     order by e."offset"`,
    [siteId, queueId],
  )
  return rows.map(({ offset }) => offset)
}
