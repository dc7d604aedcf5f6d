import { conflict } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'
import { queueConfig } from '../queues/index.ts'
import { holdOrder, newPlace } from './order.ts'
import type { Ticket } from './schema.ts'
import { transition } from './transition.ts'

/**
 * The appointment of somebody who waits already was moved: the place follows from the new time, wherever the ticket was
 * put before. @throws AppError conflict `illegal_transition` unless it waits
 */
export async function rebookTicket(ctx: Context, id: number, appointmentAt: string): Promise<Ticket> {
  const [, ticket] = await Promise.all([
    holdOrder(ctx, { ticket_id: id }),
    transition(ctx, 'move', id, async (row) => {
      // A late one who stands as a walk-in has no booked time to move.
      if (row.appointment_at === null) throw conflict('appointment_over')
      const booked = { ...row, appointment_at: appointmentAt }
      const place = await newPlace(ctx, booked, await queueConfig(ctx, row.queue_id))
      return { changes: { appointment_at: appointmentAt, ...place }, reason: 'appointment' }
    }),
  ])
  return ticket
}
