import type { Actor } from '../../kernel/access.ts'
import type { Context } from '../../kernel/operation.ts'
import { rankOffset, type QueueConfig } from '../queues/index.ts'
import { placeAfter, type Place } from './rules.ts'
import { lockTickets, type Row } from './sql.ts'
import { microseconds } from './time.ts'
import { advance, type Move } from './transition.ts'

export const POSITIONS = ['arrival', 'first', 'second', 'last'] as const
export type Position = (typeof POSITIONS)[number]

/** Class of the advisory locks by which reorderings of one queue take turns. */
const ORDER_LOCK = 0x736f
/** Tickets read around a place. A run of ranks without room is as long as the insertions there within some seconds. */
const NEIGHBOURS = 100

/** Where a ticket that enters a queue stands by its arrival; by the present moment when `at` says so. */
export function arrivalRank(row: Row, config: QueueConfig, at = row.created_at): number {
  return microseconds(at) + rankOffset(config, { priority: row.priority })
}

/**
 * Makes reorderings of a queue take turns until the commit: of this queue, or the one the ticket is in. Taken before any
 * ticket's lock; not awaited by itself, since statements of a transaction run in the order they were sent.
 */
export const holdOrder = (ctx: Context, of: { queue_id: number } | { ticket_id: number }): Promise<unknown> =>
  'queue_id' in of
    ? ctx.tx.query(`select pg_advisory_xact_lock(${ORDER_LOCK}, ($1::bigint % 2147483647)::int)`, [of.queue_id])
    : ctx.tx.query(
        `select pg_advisory_xact_lock(${ORDER_LOCK}, (queue_id % 2147483647)::int) from tickets where id = $1`,
        [of.ticket_id],
      )

/** The waiting tickets from the head (or behind `after`) on, `row` itself left out. */
export const waitingFrom = (ctx: Context, queueId: number, row: Row, after?: Place): Promise<Place[]> =>
  ctx.tx.query<Place>(
    `select t.id, t.rank from tickets t
     where t.queue_id = $1 and t.status = 'en_attente' and (t.rank, t.id) > ($2::bigint, $3::bigint) and t.id <> $4
     order by t.rank, t.id limit ${NEIGHBOURS}`,
    [queueId, after?.rank ?? Number.MIN_SAFE_INTEGER, after?.id ?? 0, row.id],
  )

/** A rank and what must make room for it. */
export interface Slot {
  rank: number
  shifted: readonly Place[]
}

/** The slot of a ticket that enters `config`'s queue at a position. */
export async function slotAt(ctx: Context, row: Row, config: QueueConfig, position: Position): Promise<Slot> {
  const byArrival = { rank: arrivalRank(row, config), shifted: [] }
  if (position === 'arrival') return byArrival
  if (position === 'last') return { rank: arrivalRank(row, config, row.now), shifted: [] }
  const waiting = await waitingFrom(ctx, config.id, row)
  const head = position === 'second' ? waiting.shift() : undefined
  return placeAfter(head ?? null, waiting, row.id) ?? byArrival
}

/** Moves of the tickets that make room, to be written with the one that takes it. */
export async function shiftMoves(ctx: Context, shifted: readonly Place[], actor: Actor): Promise<Move[]> {
  if (shifted.length === 0) return []
  const rows = await lockTickets(
    ctx.tx,
    shifted.map(({ id }) => id),
  )
  return shifted.flatMap(({ id, rank }) => {
    const row = rows.get(id)
    return row?.status === 'en_attente' ? [advance('move', row, { changes: { rank }, reason: 'room' }, actor)] : []
  })
}
