import type { Statement, Tx } from '../db/types.ts'

/** A fact to append to a site's stream in the transaction of the change. */
export interface EventInput {
  /** Dotted past tense, e.g. `ticket.called`. */
  type: string
  /** Stream it belongs to; 0 is the tenant's own stream (configuration, users). */
  site_id: number
  queue_id?: number | null
  /** The queue a ticket left, so that both queues' feeds carry the event. */
  from_queue_id?: number | null
  ticket_id?: number | null
  agent_id?: number | null
  /** The public face of the change: what feeds send and webhooks carry. */
  data: Record<string, unknown>
  /** Principal who did it; the context's own when absent. A batch names each caller. */
  actor?: string
}

/** An event as stored and as followed: its place in the site's stream and what happened. */
export interface StreamEvent {
  tenant_id: number
  site_id: number
  epoch: string
  offset: number
  type: string
  at: string
  actor: string
  queue_id: number | null
  from_queue_id: number | null
  ticket_id: number | null
  agent_id: number | null
  data: Record<string, unknown>
}

/** Where a stream stands. */
export interface StreamHead {
  epoch: string
  offset: number
}

/** Creates the stream of a new site (0: of a new tenant). */
export async function openStream(tx: Tx, tenantId: number, siteId: number): Promise<void> {
  await tx.query('insert into streams (tenant_id, site_id) values ($1, $2) on conflict do nothing', [tenantId, siteId])
}

/**
 * Appends events to the streams of their sites. A stream's row stays locked until commit, so offsets are handed out in commit
 * order and have no gap; that is why this is the last statement of a transaction. The clock is read after the lock:
 * `at` never goes back within a stream. A stream that nobody opened begins here, so that no event can be left behind.
 */
const APPEND = `
  with head as (
    insert into streams (site_id, last_offset)
    select site_id, count from unnest($1::bigint[], $2::int[]) as w(site_id, count) order by site_id
    on conflict (tenant_id, site_id) do update set last_offset = streams.last_offset + excluded.last_offset
    returning site_id, epoch, last_offset, clock_timestamp() as at),
  appended as (
    insert into events (site_id, "offset", type, at, actor, queue_id, from_queue_id, ticket_id, agent_id, data)
    select site_id, head.last_offset - e.before_last, e.type, head.at, e.actor, e.queue_id, e.from_queue_id, e.ticket_id, e.agent_id, e.data
    from jsonb_to_recordset($3::jsonb) as e(site_id bigint, before_last int, type text, actor text, queue_id bigint,
      from_queue_id bigint, ticket_id bigint, agent_id bigint, data jsonb)
    join head using (site_id))
  select site_id, epoch, last_offset, at from head`

export interface Emitted extends EventInput {
  actor: string
}
/** Events to append and, once it has run, what tells where they stand. */
export interface Append extends Statement {
  bySite: ReadonlyMap<number, readonly Emitted[]>
}
/**
 * The one statement that appends `events`; undefined for none. It locks the sites' rows in ascending order, so that two
 * writers never wait for each other.
 */
export function appendStatement(events: readonly Emitted[]): Append | undefined {
  if (events.length === 0) return undefined
  const bySite = Map.groupBy(events, (event) => event.site_id)
  const rows = [...bySite.values()].flatMap((own) =>
    own.map((event, i) => ({ ...event, before_last: own.length - 1 - i })),
  )
  const counts = [...bySite.values()].map((own) => own.length)
  return { bySite, text: APPEND, values: [[...bySite.keys()], counts, JSON.stringify(rows)] }
}

/** Events as the streams hold them, one list a site, from the rows that the statement answered. */
export function placeEvents(
  tenantId: number,
  { bySite }: Append,
  heads: readonly Record<string, unknown>[],
): StreamEvent[][] {
  return (heads as unknown as Head[]).map(({ site_id, epoch, last_offset, at }) => {
    const events = bySite.get(site_id)!
    return events.map((event, i) => ({
      tenant_id: tenantId,
      site_id,
      epoch,
      offset: last_offset - (events.length - 1 - i),
      type: event.type,
      at,
      actor: event.actor,
      queue_id: event.queue_id ?? null,
      from_queue_id: event.from_queue_id ?? null,
      ticket_id: event.ticket_id ?? null,
      agent_id: event.agent_id ?? null,
      data: event.data,
    }))
  })
}
interface Head {
  site_id: number
  epoch: string
  last_offset: number
  at: string
}

/** Up to `limit` events of a site after `offset`, in order. Looks into every part of the log. */
export async function readEvents(tx: Tx, siteId: number, offset: number, limit: number): Promise<StreamEvent[]> {
  return tx.query<StreamEvent>(READ, [siteId, offset, limit])
}

const readWhere = (recent: { columns: string; condition: string }) => `
  select e.tenant_id, e.site_id, s.epoch, e."offset", e.type, e.at, e.actor, e.queue_id, e.from_queue_id, e.ticket_id,
         e.agent_id, e.data${recent.columns}
  from events e join streams s using (tenant_id, site_id)
  where e.site_id = $1 and e."offset" > $2${recent.condition} order by e."offset" limit $3`
const READ = readWhere({ columns: '', condition: '' })
export const READ_RECENT = readWhere({ columns: ', s.last_offset', condition: ' and e.at >= $4' })

/** Clocks are set back now and then, and followers are away for a while. */
const MARGIN = { hours: 24 }
export const dayBefore = (known: string): string => Temporal.Instant.from(known).subtract(MARGIN).toString()

/**
 * The same, looking only into the parts of the log that reach beyond a day before `known`, by the database's clock. Null
 * when that finds nothing or not all of it, because it happened earlier or a clock was set back: `readEvents` tells.
 */
export async function readRecentEvents(
  tx: Tx,
  siteId: number,
  offset: number,
  limit: number,
  known: string,
): Promise<StreamEvent[] | null> {
  const since = dayBefore(known)
  const rows = await tx.query<StreamEvent & { last_offset: number }>(READ_RECENT, [siteId, offset, limit, since])
  const last = rows.at(-1)
  // Offsets have no gap, so that what is missing shows.
  if (last?.offset !== offset + rows.length || last.offset !== Math.min(offset + limit, last.last_offset)) return null
  return rows.map(({ last_offset: _, ...event }) => event)
}

/** Where somebody who reads a stream stands. */
export interface ReadUpTo {
  offset: number
  /** When the last event that they read happened; null when nobody noted it. */
  at: string | null
  /** The last one there is, in the log that `offset` counts. */
  lastOffset: number
}
/** How many events a page of at most `limit` has to hold. */
export const wantedOf = ({ offset, lastOffset }: ReadUpTo, limit: number): number =>
  Math.max(0, Math.min(limit, lastOffset - offset))

/**
 * The next events after where a reader stands, in order, by a statement of their own with `at >= since` and the same limit.
 * Looks only into the parts of the log that reach beyond a day before `at`; where that does not show every event that is wanted,
 * into all: offsets have no gap, so that what is missing shows.
 */
export async function readOn<Row extends { offset: number }>(
  place: ReadUpTo,
  limit: number,
  read: (since: string) => Promise<Row[]>,
): Promise<Row[]> {
  const wanted = wantedOf(place, limit)
  if (wanted === 0) return []
  if (place.at !== null) {
    const rows = await read(dayBefore(place.at))
    if (rows.length >= wanted && rows.at(-1)!.offset === place.offset + rows.length) return rows
  }
  return read('-infinity')
}

/** The head of a site's stream and the time by the database's clock, or undefined when the site does not exist for this tenant. */
export async function readHead(tx: Tx, siteId: number): Promise<(StreamHead & { at: string }) | undefined> {
  return tx.maybe('select epoch, last_offset as "offset", clock_timestamp() as at from streams where site_id = $1', [
    siteId,
  ])
}
