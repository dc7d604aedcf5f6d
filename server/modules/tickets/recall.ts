import { STAFF } from '../../kernel/access.ts'
import { AppError, conflict } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { queueConfig } from '../queues/index.ts'
import { Ticket } from './schema.ts'
import { secondsBetween } from './time.ts'
import { transition } from './transition.ts'

/** Announces a called ticket again. */
export const recall = operation({
  id: 'tickets.recall',
  kind: 'mutation',
  summary: 'Call a called ticket again',
  description:
    'As often as the queue allows (`recall_limit`), with the queue’s least time between two calls (`recall_too_soon`).',
  scope: 'call:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/recall/' },
  input: Closed({ id: Id }),
  output: Ticket,
  example: { input: { id: 1 } },
  pool: 'calls',

  run: (ctx, { id }) =>
    transition(ctx, 'recall', id, async (row) => {
      const { max_recalls, recall_gap_seconds } = await queueConfig(ctx, row.queue_id)
      if (row.call_count > max_recalls) throw conflict('recall_limit', { limit: max_recalls })
      const left = recall_gap_seconds - secondsBetween(row.last_called_at!, row.now)
      if (left > 0) throw new AppError('conflict', 'recall_too_soon', { retryAfterSeconds: Math.ceil(left) })
      return { changes: { call_count: row.call_count + 1, last_called_at: row.now } }
    }),
})
