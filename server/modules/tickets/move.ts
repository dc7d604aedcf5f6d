import { MANAGERS } from '../../kernel/access.ts'
import { invalid } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id, Nullable, Text } from '../../kernel/schema.ts'
import { holdOrder, shiftMoves, slotAfter, waitingFrom } from './order.ts'
import { queueConfig } from '../queues/index.ts'
import type { Place } from './rules.ts'
import { Ticket } from './schema.ts'
import { transition } from './transition.ts'

/** Changes the order by hand. */
export const move = operation({
  id: 'tickets.move',
  kind: 'mutation',
  summary: 'Move a waiting ticket behind another one of its queue',
  description: '`after_id: null` makes it the first.',
  scope: 'write:ticket',
  roles: MANAGERS,
  http: { method: 'POST', path: '/tickets/{id}/move/' },
  input: Closed({ id: Id, after_id: Nullable(Id), reason: Text(500, { minLength: 1 }) }),
  output: Ticket,
  example: { input: { id: 3, after_id: 1, reason: 'Femme enceinte' } },
  run: (ctx, { id, after_id, reason }) => moveBehind(ctx, id, after_id, reason),
})

/** See `tickets.move`; null makes it the first. */
export async function moveBehind(ctx: Context, id: number, afterId: number | null, reason: string): Promise<Ticket> {
  const [, ticket] = await Promise.all([
    holdOrder(ctx, { ticket_id: id }),
    transition(ctx, 'move', id, async (row) => {
      let after: Place | undefined
      if (afterId !== null) {
        after = await ctx.tx.maybe<Place>(
          `select id, rank from tickets where id = $1 and id <> $2 and queue_id = $3 and status = 'en_attente'`,
          [afterId, id, row.queue_id],
        )
        if (!after) throw invalid('/after_id', 'not_found')
      }
      const config = await queueConfig(ctx, row.queue_id)
      const followers = await waitingFrom(ctx, row.queue_id, row, after)
      const { place, shifted } = await slotAfter(ctx, row, config, after ?? null, followers)
      return { changes: place, reason, also: await shiftMoves(ctx, shifted, ctx.actor) }
    }),
  ])
  return ticket
}
