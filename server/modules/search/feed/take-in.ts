import type { Database, Tx } from '../../../kernel/db/types.ts'
import { readOn } from '../../../kernel/events/index.ts'
import { readDocuments } from '../document.ts'
import type { SearchServer } from '../providers/opensearch.ts'
import type { Kind } from '../schema.ts'
import { reindexTenant } from './reindex.ts'

/** Events or changes taken in at once. */
const MOST = 500

/** What moves a ticket to where it was not, or brings it. The other events change nothing that is looked for. */
export const EVENTS = `
  select "offset", at, case when type not in ('ticket.called', 'ticket.recalled', 'ticket.started', 'ticket.held', 'ticket.resumed',
    'ticket.completed') then ticket_id end as ticket_id
  from events where site_id = $1 and "offset" > $2 and at >= $3 order by "offset" limit ${MOST}`
const CURSOR = `
  select s.epoch, s.last_offset, coalesce(c."offset", 0) as "offset", coalesce(c.epoch, '') as seen_epoch, c.at
  from streams s left join search_cursors c on c.tenant_id = s.tenant_id and c.site_id = s.site_id where s.site_id = $1`
const MOVE = `
  insert into search_cursors (site_id, epoch, "offset", at) values ($1, $2, $3, $4)
  on conflict (tenant_id, site_id) do update set epoch = excluded.epoch, "offset" = excluded."offset", at = excluded.at
  where search_cursors.epoch <> excluded.epoch or search_cursors."offset" < excluded."offset"`

interface Cursor {
  epoch: string
  last_offset: number
  seen_epoch: string
  offset: number
  at: string | null
}

/** A customer is where the tickets have been. */
const customersOf = (tx: Tx, tickets: readonly number[]) =>
  tx.query<{ id: number }>(
    'select distinct customer_id as id from tickets where id = any($1) and customer_id is not null',
    [tickets],
  )

async function tell(db: Database, server: SearchServer, tenantId: number, kind: Kind, ids: readonly number[]) {
  if (ids.length === 0) return
  const told = await readDocuments(db.reader(tenantId), tenantId, kind, ids)
  await server.write(tenantId, kind, told.version!, told)
}

/**
 * Takes in a stream from where it was left. The place moves after the server has taken everything, so that whoever dies in between
 * leaves it to the next, who tells the same again.
 * @returns whether there may be more
 */
async function takeInStream(db: Database, server: SearchServer, tenantId: number, siteId: number): Promise<boolean> {
  const reader = db.reader(tenantId)
  const cursor = await reader.maybe<Cursor>(CURSOR, [siteId])
  if (!cursor) return false
  // After a restore offsets do not compare: all of the stream is told again.
  const isKnown = cursor.seen_epoch === cursor.epoch
  const [offset, at] = isKnown ? [cursor.offset, cursor.at] : [0, null]
  const events = await readOn({ offset, at, lastOffset: cursor.last_offset }, MOST, (since) =>
    reader.query<{ offset: number; at: string; ticket_id: number | null }>(EVENTS, [siteId, offset, since]),
  )
  const tickets = [...new Set(events.flatMap(({ ticket_id }) => ticket_id ?? []))]
  await tell(db, server, tenantId, 'ticket', tickets)
  const customers = await customersOf(reader, tickets)
  await tell(
    db,
    server,
    tenantId,
    'customer',
    customers.map(({ id }) => id),
  )
  const last = events.at(-1)
  await db.tenant(tenantId, (tx) => tx.query(MOVE, [siteId, cursor.epoch, last?.offset ?? offset, last?.at ?? at]))
  return events.length === MOST
}

async function takeInChanges(db: Database, server: SearchServer, tenantId: number): Promise<boolean> {
  const changes = await db
    .reader(tenantId)
    .query<{ id: number; kind: Kind; entity_id: number }>(
      `select id, kind, entity_id from search_changes order by id limit ${MOST}`,
    )
  for (const [kind, own] of Map.groupBy(changes, (change) => change.kind))
    await tell(db, server, tenantId, kind, [...new Set(own.map(({ entity_id }) => entity_id))])
  const ids = changes.map(({ id }) => id)
  await db.tenant(tenantId, (tx) => tx.query('delete from search_changes where id = any($1)', [ids]))
  return changes.length === MOST
}

/** From now on its changes are noted; what was before is told at once. */
const BEGIN = `insert into search_cursors (site_id) values (0) on conflict do nothing returning site_id`
async function begin(db: Database, server: SearchServer, tenantId: number): Promise<void> {
  const isNew = await db.tenant(tenantId, (tx) => tx.maybe(BEGIN))
  if (!isNew) return
  // Streams are followed from where they stand now: everything before is in what is told here.
  const heads = await db
    .reader(tenantId)
    .query<{ site_id: number; epoch: string; last_offset: number; at: string }>(
      'select site_id, epoch, last_offset, clock_timestamp() as at from streams where site_id > 0',
    )
  try {
    await reindexTenant(db, server, tenantId)
  } catch (error) {
    await db.tenant(tenantId, (tx) => tx.query('delete from search_cursors'))
    throw error
  }
  await db.tenant(tenantId, async (tx) => {
    for (const { site_id, epoch, last_offset, at } of heads) await tx.query(MOVE, [site_id, epoch, last_offset, at])
  })
}

/** Tells the server what happened anywhere since the last time. Several processes may; they tell the same. */
export async function takeInAll(
  db: Database,
  server: SearchServer,
  tenants: readonly { id: number }[],
  onError: (error: unknown) => void,
): Promise<void> {
  for (const { id } of tenants) await begin(db, server, id)
  const backlog = await db.platform((tx) =>
    tx.query<{ tenant_id: number; site_id: number }>('select tenant_id, site_id from app.search_backlog()'),
  )
  for (const { tenant_id, site_id } of backlog) {
    try {
      const take = () =>
        site_id === 0 ? takeInChanges(db, server, tenant_id) : takeInStream(db, server, tenant_id, site_id)
      while (await take());
    } catch (error) {
      onError(error)
    }
  }
}
