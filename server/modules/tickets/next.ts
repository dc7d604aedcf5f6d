import Type from 'typebox'
import { TicketStatus } from '../../../shared/ticket-status.ts'
import { STAFF } from '../../kernel/access.ts'
import { AppError, conflict } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Nullable, Text } from '../../kernel/schema.ts'
import { agentState } from '../agents/index.ts'
import { callNextTickets } from './call-next.ts'
import { completeStep } from './complete.ts'
import { Fields, Ticket } from './schema.ts'
import { lockTicket } from './sql.ts'
import { endOfHold, transitions, type Decide } from './transition.ts'

/** One press for each person at the counter. */
export const next = operation({
  id: 'tickets.next',
  kind: 'mutation',
  summary: 'Finish the agent’s ticket and call the next one',
  description:
    'Both or neither. `ticket_id` is the ticket to finish: the agent’s own at the counter (`illegal_transition` when it is not any more), absent when there is none. One that was only called was served since its call. Answers a null `ticket` when there is nobody the agent may serve. Refused while an answer the service requires is missing (`required_fields_missing`).',
  scope: 'call:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/agents/{id}/next/' },
  input: Closed({
    id: Id,
    ticket_id: Type.Optional(Id),
    outcome: Type.Optional(Text(100, { minLength: 1 })),
    fields: Type.Optional(Fields),
  }),
  output: Closed({ completed: Nullable(Ticket), ticket: Nullable(Ticket) }),
  example: { input: { id: 1, ticket_id: 1 } },
  constraints: { tickets_one_per_agent: () => conflict('agent_busy') },
  pool: 'calls',

  async run(ctx, { id, ticket_id, ...answers }) {
    const { actor } = ctx
    await agentState(ctx.tx, id)
    const pass = async (verb: 'start' | 'complete', decide: Decide) => {
      const [result] = await transitions(ctx, verb, [{ id: ticket_id!, actor, decide }])
      if (result instanceof AppError) throw result
      return result!
    }
    let completed: Type.Static<typeof Ticket> | null = null
    if (ticket_id !== undefined) {
      const { agent_id, status } = await lockTicket(ctx.tx, ticket_id)
      if (agent_id !== id) throw conflict('illegal_transition', { from: status, verb: 'complete' })
      if (status === TicketStatus.called)
        await pass('start', (row) => ({
          changes: { started_at: row.started_at ?? row.called_at, ...endOfHold(row) },
          seat: { id, status: 'serving' },
        }))
      completed = await pass('complete', (row) => completeStep(ctx, row, answers))
    }
    const [called] = await callNextTickets(ctx, [{ actor, locale: ctx.locale, input: { id } }])
    if (called instanceof AppError) throw called
    return { completed, ticket: called!.ticket }
  },
})
