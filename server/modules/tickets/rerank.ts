import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { freshQueueConfig } from '../queues/index.ts'
import { holdOrder, rankedTicket } from './order.ts'
import { reordered } from './reorder.ts'
import { replaceShares } from './shares.ts'
import { ROW_COLUMNS, type Row } from './sql.ts'
import { advance, commitMoves } from './transition.ts'

const WAITING = `
  select ${ROW_COLUMNS} from tickets t where t.queue_id = $1 and t.status = 'en_attente' order by t.id for no key update of t`

/** Puts everybody who waits in the order that the queue has now. Runs after each change of algorithm or rules. */
export const rerank = operation({
  id: 'tickets.rerank',
  kind: 'mutation',
  summary: 'Put the waiting tickets of a queue in its present order',
  description:
    'Ranks are made anew from class, arrival and appointment. Who was put somewhere by hand stays as far from the head. One `ticket.moved` event for each ticket whose rank changes.',
  scope: 'write:queue',
  roles: MANAGERS,
  http: { method: 'POST', path: '/queues/{id}/rerank/' },
  input: Closed({ id: Id }),
  output: Closed({ count: Type.Integer({ minimum: 0, description: 'Tickets whose rank changed' }) }),
  example: { input: { id: 1 } },

  async run(ctx, { id }) {
    const [config, , rows] = await Promise.all([
      freshQueueConfig(ctx, id),
      holdOrder(ctx, { queue_id: id }),
      ctx.tx.query<Row>(WAITING, [id]),
    ])
    const line = rows.map((row) => ({
      id: row.id,
      rank: row.rank,
      is_placed: row.is_placed,
      ranked: rankedTicket(row),
    }))
    const { order, finishes } = reordered(config, line)
    await replaceShares(ctx.tx, id, finishes)
    const ranks = new Map(order.map((place) => [place.id, place.rank]))
    const moves = rows.flatMap((row) => {
      const rank = ranks.get(row.id)!
      return rank === row.rank ? [] : [advance('move', row, { changes: { rank }, reason: 'order' }, ctx.actor)]
    })
    await commitMoves(ctx, moves)
    return { count: moves.length }
  },
})
