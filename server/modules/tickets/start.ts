import { STAFF } from '../../kernel/access.ts'
import { batchOperation } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { Ticket } from './schema.ts'
import type { Row } from './sql.ts'
import { endOfHold, transitions, type Step } from './transition.ts'

/** The called person has come. */
export const start = batchOperation({
  id: 'tickets.start',
  kind: 'mutation',
  summary: 'Start serving a called ticket',
  scope: 'call:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/start/' },
  input: Closed({ id: Id }),
  output: Ticket,
  example: { input: { id: 1 } },
  pool: 'calls',

  runMany: (ctx, calls) =>
    transitions(
      ctx,
      'start',
      calls.map(({ actor, input: { id } }) => ({ id, actor, decide: startStep })),
    ),
})

/** A ticket called back from hold was on hold until now; its service began long ago. */
const startStep = (row: Row): Step => ({
  changes: { started_at: row.started_at ?? row.now, ...endOfHold(row) },
  seat: row.agent_id === null ? undefined : { id: row.agent_id, status: 'serving' },
})
