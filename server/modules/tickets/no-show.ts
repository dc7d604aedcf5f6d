import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { Reason, Ticket } from './schema.ts'
import { ended, freeSeat, transition } from './transition.ts'

/** The called person did not come. */
export const noShow = operation({
  id: 'tickets.noShow',
  kind: 'mutation',
  summary: 'Mark a called ticket absent',
  description: 'The person may come back within the queue’s grace time. Can be undone for 60 seconds.',
  scope: 'call:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/no-show/' },
  input: Closed({ id: Id, reason: Type.Optional(Reason) }),
  output: Ticket,
  example: { input: { id: 1 } },
  pool: 'calls',

  run: (ctx, { id, reason }) =>
    transition(ctx, 'no_show', id, (row) => ({ changes: ended(row), seat: freeSeat(row), reason })),
})
