import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { decide, freshQueueConfig, isLater, type QueueConfig } from '../queues/index.ts'
import { factsOf } from './apply-rules.ts'
import { holdOrder, rankedTicket } from './order.ts'
import { reordered } from './reorder.ts'
import { replaceShares } from './shares.ts'
import { ROW_COLUMNS, type Row } from './sql.ts'
import { advance, commitMoves } from './transition.ts'

const WAITING = `
  select ${ROW_COLUMNS} from tickets t where t.queue_id = $1 and t.status = 'en_attente' order by t.id for no key update of t`

/** Puts everybody who waits in the order that the queue has now. Runs after each change of algorithm or rules. */
export const rerank = operation({
  id: 'queues.rerank',
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
    const classes = new Map(rows.map((row) => [row.id, decidedAnew(row, config)]))
    const line = rows.map((row) => ({
      id: row.id,
      rank: row.rank,
      is_placed: row.is_placed,
      ranked: rankedTicket({ ...row, ...classes.get(row.id) }),
    }))
    const { order, finishes } = reordered(config, line)
    await replaceShares(ctx.tx, id, finishes)
    const ranks = new Map(order.map((place) => [place.id, place.rank]))
    const moves = rows.flatMap((row) => {
      const changes = { ...classes.get(row.id)!, rank: ranks.get(row.id)! }
      const isSame =
        changes.rank === row.rank && changes.priority === row.priority && changes.required_skill === row.required_skill
      return isSame ? [] : [advance('move', row, { changes, reason: 'order' }, ctx.actor)]
    })
    await commitMoves(ctx, moves)
    return { count: moves.length }
  },
})

/** What the rules in force make of a ticket that waits. Redirections and refusals came at the door. */
function decidedAnew(row: Row, config: QueueConfig): Pick<Row, 'priority' | 'required_skill' | 'rule_ids'> {
  const { priority, required_skill, rule_ids, asked_priority } = row
  // A class raised for waiting, or given before rules were remembered, stays.
  const wasRaised = config.rules.some((rule) => isLater(rule) && rule_ids.includes(rule.id))
  if (asked_priority === null || wasRaised) return { priority, required_skill, rule_ids }
  const lasting = config.rules.filter(
    (rule) => !isLater(rule) && (rule.effect.priority !== undefined || rule.effect.required_skill !== undefined),
  )
  const decision = decide(lasting, factsOf(row, config, 0, 0))
  return {
    priority: decision.priority ?? asked_priority,
    required_skill: decision.required_skill ?? null,
    rule_ids: decision.applied.map(({ id }) => id),
  }
}
