import type { Actor } from '../../kernel/access.ts'
import type { Context } from '../../kernel/operation.ts'
import { absoluteRank, rankOf, remembers, type QueueConfig, type RankedTicket } from '../queues/index.ts'
import { placeAfter, type Place } from './rules.ts'
import { lockTickets, type Row } from './sql.ts'
import { remembered } from './shares.ts'
import { microseconds } from './time.ts'
import { advance, type Move } from './transition.ts'

export const POSITIONS = ['arrival', 'first', 'second', 'last'] as const
export type Position = (typeof POSITIONS)[number]

/** Class of the advisory locks by which reorderings of one queue take turns. */
const ORDER_LOCK = 0x736f
/** Tickets read around a place. A run of ranks without room is as long as the insertions there within some seconds. */
const NEIGHBOURS = 100

/** What algorithms see of a ticket that exists. */
export const rankedTicket = (
  row: Pick<Row, 'priority' | 'channel' | 'appointment_at' | 'created_at'>,
  arrivedAt = row.created_at,
): RankedTicket => ({
  priority: row.priority,
  channel: row.channel,
  appointment_at: row.appointment_at === null ? null : microseconds(row.appointment_at),
  arrived_at: microseconds(arrivedAt),
})

/**
 * Where a ticket that enters a queue stands by its arrival; by the present moment when `at` says so. Where ranks follow
 * from those before, a ticket keeps the one it was given in this queue, and enters another as a newcomer.
 */
async function arrivalRank(ctx: Context, row: Row, config: QueueConfig, at = row.created_at): Promise<number> {
  if (!remembers(config)) return absoluteRank(rankOf(config, rankedTicket(row, at)), microseconds(at))
  if (row.queue_id === config.id && at === row.created_at && !row.is_placed) return row.rank
  const [rank] = await remembered(ctx.tx, config.id, config, [rankedTicket(row, row.now)])
  return rank!
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

/** A place and what must make room for it. */
interface Slot {
  place: { rank: number; is_placed: boolean }
  shifted: readonly Place[]
}

/** The slot behind `before` (null: first of all) and ahead of `followers`; by arrival when nobody else waits. */
export async function slotAfter(
  ctx: Context,
  row: Row,
  config: QueueConfig,
  before: Place | null,
  followers: readonly Place[],
): Promise<Slot> {
  const slot = placeAfter(before, followers, row.id)
  if (slot) return { place: { rank: slot.rank, is_placed: true }, shifted: slot.shifted }
  return { place: { rank: await arrivalRank(ctx, row, config), is_placed: false }, shifted: [] }
}

/** The slot of a ticket that enters `config`'s queue at a position. */
export async function slotAt(ctx: Context, row: Row, config: QueueConfig, position: Position): Promise<Slot> {
  if (position === 'arrival' || position === 'last') {
    const at = position === 'last' ? row.now : row.created_at
    return { place: { rank: await arrivalRank(ctx, row, config, at), is_placed: position === 'last' }, shifted: [] }
  }
  const waiting = await waitingFrom(ctx, config.id, row)
  const head = position === 'second' ? waiting.shift() : undefined
  return slotAfter(ctx, row, config, head ?? null, waiting)
}

/** The place of a waiting ticket whose class or appointment has changed: by arrival, wherever it was put before. */
export async function newPlace(ctx: Context, row: Row, config: QueueConfig): Promise<Slot['place']> {
  if (row.status !== 'en_attente') return { rank: row.rank, is_placed: row.is_placed }
  const [rank] = remembers(config)
    ? await remembered(ctx.tx, config.id, config, [rankedTicket(row, row.now)])
    : [absoluteRank(rankOf(config, rankedTicket(row)), microseconds(row.created_at))]
  return { rank: rank!, is_placed: false }
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
