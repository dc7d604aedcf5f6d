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

/** Up to `limit` events of a site after `offset`, in order. */
export async function readEvents(tx: Tx, siteId: number, offset: number, limit: number): Promise<StreamEvent[]> {
  return tx.query<StreamEvent>(
    `select e.tenant_id, e.site_id, s.epoch, e."offset", e.type, e.at, e.actor, e.queue_id, e.from_queue_id, e.ticket_id,
            e.agent_id, e.data
     from events e join streams s using (tenant_id, site_id)
     where e.site_id = $1 and e."offset" > $2 order by e."offset" limit $3`,
    [siteId, offset, limit],
  )
}

/** The head of a site's stream, or undefined when the site does not exist for this tenant. */
export async function readHead(tx: Tx, siteId: number): Promise<StreamHead | undefined> {
  return tx.maybe<StreamHead>('select epoch, last_offset as "offset" from streams where site_id = $1', [siteId])
}
