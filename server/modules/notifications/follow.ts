import type { Tx } from '../../kernel/db/types.ts'

/**
 * Has the log of a queue's site listened to from where it stands now: for rules, for which what happened before is
 * nobody's news, and for whatever was written to somebody, which goes when that person's ticket is erased.
 */
export async function followSiteOf(tx: Tx, queueId: number): Promise<void> {
  await tx.query(
    `insert into notification_cursors (site_id, epoch, "offset", at)
     select s.site_id, s.epoch, s.last_offset, clock_timestamp()
     from queues q join streams s on s.tenant_id = q.tenant_id and s.site_id = q.site_id
     where q.id = $1 on conflict do nothing`,
    [queueId],
  )
}
