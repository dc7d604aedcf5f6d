import type { SlotCount } from '../../../shared/staffing/forecast.ts'
import type { Context } from '../../kernel/operation.ts'

/** How far back a forecast looks. */
const HISTORY_DAYS = 56
export const HALF_HOUR_SECONDS = 1800

const HISTORY = `
  select q.id as queue_id, to_char(local.at, 'YYYY-MM-DD') as day,
    floor(extract(epoch from local.at::time) / ${HALF_HOUR_SECONDS})::int as slot, count(*)::int as count
  from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id
  join tickets t on t.tenant_id = q.tenant_id and t.queue_id = q.id
    and t.created_at > now() - interval '${HISTORY_DAYS} days'
  cross join lateral (select t.created_at at time zone s.timezone as at) local
  where q.id = any($1) group by 1, 2, 3`

/** Arrivals of past days by half hour, for each of the queues that had some. */
export async function arrivalsByQueue(
  ctx: Pick<Context, 'tx'>,
  queueIds: readonly number[],
): Promise<Map<number, SlotCount[]>> {
  const rows = await ctx.tx.query<SlotCount & { queue_id: number }>(HISTORY, [queueIds])
  return Map.groupBy(rows, ({ queue_id }) => queue_id)
}
