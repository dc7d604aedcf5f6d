import type { Database, Tx } from '../../../kernel/db/types.ts'
import { dayBefore, wantedOf } from '../../../kernel/events/index.ts'

/** Events taken in by one transaction. */
const MAX_EVENTS = 1000

/** A stream that nobody followed is new, so that it is followed from its beginning. */
const OPEN = `
  insert into webhook_cursors (site_id, epoch, "offset", at)
  select site_id, epoch, 0, to_timestamp(0) from streams where site_id = $1 on conflict do nothing`
const CURSOR = `
  select s.epoch, c.epoch as seen_epoch, c."offset", c.at, s.last_offset
  from webhook_cursors c join streams s on s.tenant_id = c.tenant_id and s.site_id = c.site_id
  where c.site_id = $1 for update of c skip locked`
/** After a restore offsets do not compare with what was seen; time does. */
const SEEN = `select coalesce(max("offset"), 0) as "offset" from events where site_id = $1 and at <= $2`

/**
 * Who wants to be told what. A first message goes to one endpoint alone. Written in the order of the log, because
 * deliveries begin in the order of their ids. Nothing is written when fewer events than wanted ($5) were found since $4, or
 * some between them were not.
 */
export const TAKE_IN = `
  with page as materialized (
    select "offset", type, at, data from events where site_id = $1 and "offset" > $2 and at >= $4 order by "offset" limit ${MAX_EVENTS}),
  page_is as (select count(*) >= $5 and ($5 = 0 or max("offset") = $2 + count(*)) as whole from page),
  wanted as (
    insert into webhook_deliveries (webhook_id, site_id, epoch, "offset", type, event_at)
    select w.id, $1, $3, p."offset", p.type, p.at from page p join webhooks w
      on (select whole from page_is) and w.is_active and p.at >= w.since and (w.site_id is null or w.site_id = $1)
      and case when p.type = 'webhook.pinged' then p.data #>> '{webhook,id}' = w.id::text
        else w.events = '{}' or p.type = any(w.events) or split_part(p.type, '.', 1) || '.*' = any(w.events) end
    order by p."offset", w.id
    on conflict do nothing returning 1)
  select count(*)::int as events, max("offset") as "offset", max(at) as at, (select count(*)::int from wanted) as wanted, (select whole from page_is) as is_whole from page`
const MOVE = 'update webhook_cursors set epoch = $2, "offset" = $3, at = coalesce($4, at) where site_id = $1'

interface Cursor {
  epoch: string
  seen_epoch: string
  offset: number
  at: string
  last_offset: number
}
interface Page {
  events: number
  offset: number | null
  at: string | null
  wanted: number
  is_whole: boolean
}

/**
 * Takes in what happened in a stream since the last time. The place in the log moves in the transaction that writes the
 * deliveries, and one worker at a time holds it: a worker that dies has done both or neither.
 * @returns how many deliveries there are now to make, and whether there may be more
 */
async function takeIn(tx: Tx, siteId: number): Promise<{ wanted: number; isMore: boolean }> {
  await tx.query(OPEN, [siteId])
  const cursor = await tx.maybe<Cursor>(CURSOR, [siteId])
  if (!cursor) return { wanted: 0, isMore: false }
  const { epoch } = cursor
  let { offset } = cursor
  if (cursor.seen_epoch !== epoch) ({ offset } = await tx.one<{ offset: number }>(SEEN, [siteId, cursor.at]))
  const take = (since: string, wanted: number) => tx.one<Page>(TAKE_IN, [siteId, offset, epoch, since, wanted])
  const recent = await take(
    dayBefore(cursor.at),
    wantedOf({ ...cursor, offset, lastOffset: cursor.last_offset }, MAX_EVENTS),
  )
  const page = recent.is_whole ? recent : await take('-infinity', 0)
  await tx.query(MOVE, [siteId, epoch, page.offset ?? offset, page.at])
  return { wanted: page.wanted, isMore: page.events === MAX_EVENTS }
}

/** Takes in what happened anywhere since the last time. @returns how many deliveries there are now to make */
export async function takeInAll(db: Database, onError: (error: unknown) => void): Promise<number> {
  const backlog = await db.platform((tx) =>
    tx.query<{ tenant_id: number; site_id: number }>('select tenant_id, site_id from app.webhook_backlog()'),
  )
  let sum = 0
  for (const { tenant_id, site_id } of backlog) {
    try {
      for (let isMore = true; isMore;) {
        const taken = await db.tenant(tenant_id, (tx) => takeIn(tx, site_id))
        sum += taken.wanted
        isMore = taken.isMore
      }
    } catch (error) {
      // What fails in one organisation keeps no other waiting; the next round tries again.
      onError(error)
    }
  }
  return sum
}
