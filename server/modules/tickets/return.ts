import Type from 'typebox'
import { TicketStatus } from '../../../shared/ticket-status.ts'
import { MANAGERS, STAFF, type Role } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Time } from '../../kernel/schema.ts'
import { queueConfig } from '../queues/index.ts'
import { holdOrder, POSITIONS, shiftMoves, slotAt, type Position } from './order.ts'
import { Reason, Ticket } from './schema.ts'
import { secondsBetween } from './time.ts'
import { freeSeat, newLeg, transition } from './transition.ts'

/** Back to the queue. */
export const returnTicket = operation({
  id: 'tickets.return',
  kind: 'mutation',
  summary: 'Put a called, served or missed ticket back into its queue',
  description:
    'A called or served one by arrival unless `position` says otherwise; `last` is where somebody who came now would stand. A missed one comes back at the second place within the grace time; later only a manager may take it up again, with a reason.',
  scope: 'write:ticket',
  roles: [...STAFF, 'kiosk'],
  http: { method: 'POST', path: '/tickets/{id}/return/' },
  input: Closed({
    id: Id,
    position: Type.Optional(Enum(POSITIONS)),
    /** Not called before this instant. */
    not_before: Type.Optional(Time),
    reason: Type.Optional(Reason),
  }),
  output: Ticket,
  example: { input: { id: 1, position: 'first', reason: 'Document manquant' } },
  constraints: {
    tickets_one_per_device: () => conflict('duplicate_ticket', { number: '' }),
    tickets_one_per_customer: () => conflict('duplicate_ticket', { number: '' }),
  },
  pool: 'calls',
  run: (ctx, { id, ...options }) => returnToQueue(ctx, id, options),
})

/** See `tickets.return`; also what a visitor's "I'm here" does. */
export async function returnToQueue(
  ctx: Context,
  id: number,
  options: { position?: Position; not_before?: string; reason?: string } = {},
): Promise<Ticket> {
  const { not_before, reason } = options
  const [, ticket] = await Promise.all([
    holdOrder(ctx, { ticket_id: id }),
    transition(ctx, 'return', id, async (row) => {
      const config = await queueConfig(ctx, row.queue_id)
      const isMissed = row.status === TicketStatus.no_show
      if (!isMissed && !isStaff(ctx.actor.role))
        throw conflict('illegal_transition', { from: row.status, verb: 'return' })
      if (isMissed && secondsBetween(row.ended_at!, row.now) > config.grace_seconds) {
        if (!(MANAGERS as readonly Role[]).includes(ctx.actor.role)) throw conflict('grace_over')
        if (!reason) throw conflict('reason_required')
      }
      const slot = await slotAt(ctx, row, config, options.position ?? (isMissed ? 'second' : 'arrival'))
      return {
        changes: { ...newLeg(row), ...slot.place, not_before: not_before ?? null },
        seat: freeSeat(row),
        reason,
        also: await shiftMoves(ctx, slot.shifted, ctx.actor),
      }
    }),
  ])
  return ticket
}

const isStaff = (role: Role) => (STAFF as readonly Role[]).includes(role)
