import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { Reason, Ticket } from './schema.ts'
import { ended, transition } from './transition.ts'

/** Leaves the queue. */
export const cancel = operation({
  id: 'tickets.cancel',
  kind: 'mutation',
  summary: 'Cancel a waiting ticket',
  description: 'Can be undone for 60 seconds.',
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/cancel/' },
  input: Closed({ id: Id, reason: Type.Optional(Reason) }),
  output: Ticket,
  example: { input: { id: 1 } },
  run: (ctx, { id, reason }) => cancelTicket(ctx, id, reason),
})

export const cancelTicket = (ctx: Context, id: number, reason?: string): Promise<Ticket> =>
  transition(ctx, 'cancel', id, (row) => ({ changes: ended(row), reason }))

/** The person has a place on another day instead. Nothing to undo: that place would stay taken. */
export async function endForTomorrow(ctx: Context, id: number): Promise<void> {
  await cancelTicket(ctx, id, 'tomorrow')
  await ctx.tx.query('update tickets set undo = null, undo_until = null where id = $1', [id])
}
