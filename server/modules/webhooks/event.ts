import type { Tx } from '../../kernel/db/types.ts'

/** An event as other systems are told of it, by webhook and by the log alike. */
export interface PublicEvent {
  /** `evt_<site>_<epoch>_<offset>` */
  id: string
  type: string
  timestamp: string
  tenant: string
  /** Stream it belongs to; 0 is the organisation's own. */
  site_id: number
  epoch: string
  /** Rises by one from event to event of a stream, so that order and holes can be seen. */
  offset: number
  actor: string
  data: Record<string, unknown>
}
export interface EventRow {
  site_id: number
  epoch: string
  offset: number
  type: string
  at: string
  actor: string
  data: Record<string, unknown>
}

const eventId = ({ site_id, epoch, offset }: Pick<EventRow, 'site_id' | 'epoch' | 'offset'>): string =>
  `evt_${site_id}_${epoch}_${offset}`

/** What an id names; undefined for what is no event's id. */
export function placeOf(id: string): { site_id: number; epoch: string; offset: number } | undefined {
  const [, site, epoch, offset] = /^evt_(\d{1,15})_(\w{1,32})_(\d{1,15})$/.exec(id) ?? []
  return site === undefined ? undefined : { site_id: Number(site), epoch: epoch!, offset: Number(offset) }
}

export const publicEvent = (tenant: string, row: EventRow): PublicEvent => ({
  id: eventId(row),
  type: row.type,
  timestamp: row.at,
  tenant,
  site_id: row.site_id,
  epoch: row.epoch,
  offset: row.offset,
  actor: row.actor,
  data: row.data,
})

/**
 * By stream the place before the first event that happened at `since` or later. Within a stream time never goes back, so
 * that halving finds it; what is no longer in the log counts as earlier, and so does what lies in a part that ended before,
 * where nobody need look.
 */
const BEFORE = `
  with recursive halving as (
    select s.site_id, 0::bigint as low, s.last_offset + 1 as high from streams s where s.site_id = any($2::bigint[]) or $2 is null
    union all
    select h.site_id, case when m.is_later then h.low else h.middle end, case when m.is_later then h.middle else h.high end
    from (select *, (low + high) / 2 as middle from halving where high - low > 1) h
    cross join lateral (select exists (select from events e
      where e.site_id = h.site_id and e."offset" = h.middle and e.at >= $1::timestamptz) as is_later) m)
  select site_id, low as "offset" from halving where high - low <= 1`
export const placesBefore = (tx: Tx, since: string, siteIds: readonly number[] | null) =>
  tx.query<{ site_id: number; offset: number }>(BEFORE, [since, siteIds])
