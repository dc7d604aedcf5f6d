import type { Context } from '../../../kernel/operation.ts'
import { SYNC_CALENDAR } from '../job-names.ts'
import type { Appointment } from '../schema.ts'

/** A calendar that is not answering is asked again when its turn comes, however much is booked meanwhile. */
const LINKS = `
  select l.id, case when l.failures > 0 then l.next_at end as run_at from calendar_links l
  where l.site_id = $1 and (l.queue_id is null or l.queue_id = $2) and (l.agent_id is null or l.agent_id = any($3))`

export const syncKey = (tenantId: number, linkId: number) => `${SYNC_CALENDAR}:${tenantId}:${linkId}`

/** An appointment has changed: the calendars that have it are brought up to date after the commit. */
export async function syncSoon(ctx: Context, row: Appointment, before?: Appointment): Promise<void> {
  const agentIds = [row.agent_id, before?.agent_id].filter((id) => typeof id === 'number')
  const links = await ctx.tx.query<{ id: number; run_at: string | null }>(LINKS, [row.site_id, row.queue_id, agentIds])
  for (const { id, run_at } of links)
    await ctx.enqueue(
      SYNC_CALENDAR,
      { link_id: id },
      { job_key: syncKey(ctx.tenant.id, id), ...(run_at !== null && { run_at }) },
    )
}
