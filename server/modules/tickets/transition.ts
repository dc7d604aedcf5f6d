import { AppError, conflict, notFound } from '../../kernel/errors.ts'
import type { Actor } from '../../kernel/access.ts'
import type { Context } from '../../kernel/operation.ts'
import { TicketStatus } from '../../../shared/ticket-status.ts'
import { publicTicket, wireTicket } from './events.ts'
import { withFigures } from './live/figures.ts'
import type { AgentState } from '../agents/index.ts'
import { isAtCounter, ownership } from './ownership.ts'
import { transitionOf, type Verb } from './rules.ts'
import type { Ticket } from './schema.ts'
import {
  closeLegs,
  lockTickets,
  reopenLegs,
  restoredColumns,
  saveTickets,
  seatAgents,
  type Leg,
  type Row,
  type Seat,
} from './sql.ts'
import { plusSeconds, secondsBetween } from './time.ts'
import { enqueuePush } from './visit/push.ts'

/** What a verb decided about one ticket, once its guards let it pass. */
export interface Step {
  changes?: Partial<Row>
  /** When the verb may lead to several states. */
  to?: TicketStatus
  seat?: Seat | undefined
  reason?: string | undefined
  /** What happens to other tickets with it. */
  also?: readonly Move[]
}
/** A change about to be written: one event each. */
export interface Move {
  verb: Verb | 'undo'
  event: `ticket.${string}`
  before: Row
  after: Row
  actor: Actor
  seat?: Seat | undefined
  reason?: string | undefined
}

/** Refuses unless the table of transitions lets this verb start from the ticket's state. */
export function checkFrom(verb: Verb, row: Pick<Row, 'status'>): void {
  if (!transitionOf(verb).from.includes(row.status)) {
    throw conflict('illegal_transition', { from: row.status, verb })
  }
}

/** The ticket after `verb`, as the table of transitions says. Throws `illegal_transition`. */
export function advance(verb: Verb, row: Row, step: Step, actor: Actor): Move {
  checkFrom(verb, row)
  const { to, event, undo_seconds } = transitionOf(verb)
  const undo = undo_seconds === undefined ? null : { verb, principal: actor.principal, row: restoredColumns(row) }
  const after: Row = {
    ...row,
    ...step.changes,
    status: step.to ?? to[0],
    undo,
    undo_until: undo && plusSeconds(row.now, undo_seconds!),
  }
  return { verb, event, before: row, after, actor, seat: step.seat, reason: step.reason }
}

/**
 * Writes moves in order; a ticket may move more than once. Exactly one event each. Whoever holds the rows of all agents
 * seated gives them: then nothing is awaited, and what is written leaves with the commit, so that no lock is held while
 * the answer travels.
 */
export async function commitMoves(
  ctx: Context,
  moves: readonly Move[],
  locked?: ReadonlyMap<number, AgentState>,
): Promise<void> {
  if (moves.length === 0) return
  const changes = Map.groupBy(moves, ({ after }) => after.id)
  const seats = new Map(moves.flatMap(({ seat }) => (seat ? [[seat.id, seat] as const] : [])))
  const closed = moves.flatMap((move) => closedLeg(move) ?? [])
  const undone = moves.filter(({ verb }) => verb === 'undo')
  // Sent together, run in this order.
  const seated = seatAgents(ctx.tx, [...seats.values()], locked)
  const written = Promise.all([
    saveTickets(
      ctx.tx,
      [...changes.values()].map((own) => ({ before: own[0]!.before, after: own.at(-1)!.after })),
    ),
    closeLegs(ctx.tx, closed),
    ...undone.map(({ after }) => reopenLegs(ctx.tx, after.id, firstOpenLeg(after))),
  ])
  // Who waits for the agents first does not look here yet: a connection lost meanwhile is the transaction's failure.
  written.catch(() => {})
  const agents = await seated
  if (!locked) await written
  for (const { event, before, after, actor, seat, reason } of moves) {
    const agent = seat && agents.get(seat.id)
    ctx.emit({
      type: event,
      site_id: after.site_id,
      queue_id: after.queue_id,
      from_queue_id: before.queue_id === after.queue_id ? null : before.queue_id,
      ticket_id: after.id,
      agent_id: after.agent_id ?? before.agent_id,
      actor: actor.principal,
      data: {
        ticket: publicTicket(after),
        from: before.status,
        to: after.status,
        channel: after.channel,
        by: actor.role,
        ...(agent && { agent }),
        ...(reason !== undefined && { reason }),
        ...(after.appointment_at !== before.appointment_at && { appointment_at: after.appointment_at }),
      },
    })
    if (after.wants_push && after.status === TicketStatus.called) await enqueuePush(ctx, after.id)
  }
}

/** The leg that ends with this move, or undefined: it goes on, or had ended before (a missed turn taken up again). */
function closedLeg({ verb, before, after }: Move): Leg | undefined {
  if (verb === 'undo' || !transitionOf(verb).ends_leg || before.ended_at !== null) return undefined
  return {
    ticket_id: before.id,
    leg: before.leg,
    queue_id: before.queue_id,
    agent_id: before.agent_id,
    counter_id: before.counter_id,
    entered_at: before.entered_at,
    called_at: before.called_at,
    started_at: before.started_at,
    ended_at: before.now,
    held_seconds: endOfHold(before).held_seconds,
    ended_by: after.ended_at === null ? verb : after.status,
  }
}

/** A missed turn restored stays closed. */
const firstOpenLeg = (row: Row) => (row.ended_at === null ? row.leg : row.leg + 1)

/** Adds the interval on hold that ends now, if there is one. */
export function endOfHold(row: Row): Pick<Row, 'held_seconds' | 'held_at'> {
  const seconds = row.held_at === null ? 0 : Math.max(0, Math.round(secondsBetween(row.held_at, row.now)))
  return { held_seconds: row.held_seconds + seconds, held_at: null }
}

/** What every stay's end has in common. */
export const ended = (row: Row): Partial<Row> => ({ ...endOfHold(row), ended_at: row.now, not_before: null })

/** What the next leg of a stay starts with. */
export const newLeg = (row: Row): Partial<Row> => ({
  leg: row.leg + 1,
  entered_at: row.now,
  agent_id: null,
  counter_id: null,
  counter_name: null,
  reserved_agent_id: null,
  reserved_counter_id: null,
  call_count: 0,
  called_at: null,
  last_called_at: null,
  started_at: null,
  held_at: null,
  held_seconds: 0,
  ended_at: null,
  not_before: null,
})

/** The agent whose ticket leaves the counter is free again. Who put it on hold may have another by now. */
export const freeSeat = (row: Row, status: Seat['status'] = 'available'): Seat | undefined =>
  row.agent_id !== null && isAtCounter(row) ? { id: row.agent_id, status } : undefined

export type Decide = (row: Row) => Step | Promise<Step>

/**
 * One verb on many tickets: locks them, lets `decide` judge each as the ones before it left it, and writes all with one
 * statement. One ticket or one AppError per call, in order.
 */
export async function transitions(
  ctx: Context,
  verb: Verb,
  calls: readonly { id: number; actor: Actor; decide: Decide }[],
): Promise<(Ticket | AppError)[]> {
  // Sent together.
  const [rows, owners] = await Promise.all([
    lockTickets(
      ctx.tx,
      calls.map(({ id }) => id),
    ),
    ownership(
      ctx.tx,
      calls.map(({ actor }) => actor),
    ),
  ])
  const moves: Move[] = []
  const results: (Ticket | AppError)[] = []
  for (const { id, actor, decide } of calls) {
    try {
      const row = rows.get(id)
      if (!row) throw notFound()
      owners.check(actor, row)
      checkFrom(verb, row)
      const step = await decide(row)
      const move = advance(verb, row, step, actor)
      rows.set(id, move.after)
      moves.push(move, ...(step.also ?? []))
      results.push(wireTicket(move.after))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      results.push(error)
    }
  }
  await commitMoves(ctx, moves)
  return results
}

/** One verb on one ticket, with the place and estimate it has afterwards. */
export async function transition(ctx: Context, verb: Verb, id: number, decide: Decide): Promise<Ticket> {
  const [result] = await transitions(ctx, verb, [{ id, actor: ctx.actor, decide }])
  if (result instanceof AppError) throw result
  const [ticket] = await withFigures(ctx, [result!])
  return ticket!
}
