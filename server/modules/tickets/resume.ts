import Type from 'typebox'
import { TicketStatus } from '../../../shared/ticket-status.ts'
import { STAFF } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id } from '../../kernel/schema.ts'
import { agentState } from '../agents/index.ts'
import { agentFor, readyDesk } from './desk.ts'
import { wireTicket } from './events.ts'
import { mayCall } from './assign.ts'
import { Ticket } from './schema.ts'
import { lockTicket, type Row } from './sql.ts'
import { advance, checkFrom, commitMoves, endOfHold } from './transition.ts'

/** Takes a ticket up again that was put on hold. */
export const resume = operation({
  id: 'tickets.resume',
  kind: 'mutation',
  summary: 'Resume a ticket on hold',
  description:
    'Service goes on at once, or with `to: "called"` the person is called back first. By default with the agent who put it on hold.',
  scope: 'call:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/resume/' },
  input: Closed({
    id: Id,
    agent_id: Type.Optional(Id),
    to: Type.Optional(Enum(['serving', 'called'], { default: 'serving' })),
  }),
  output: Ticket,
  example: { input: { id: 1, to: 'called' } },
  constraints: { tickets_one_per_agent: () => conflict('agent_busy') },
  pool: 'calls',

  async run(ctx, { id, agent_id, to = 'serving' }) {
    const held = await ctx.tx.one<Pick<Row, 'site_id' | 'status' | 'agent_id'>>(
      'select site_id, status, agent_id from tickets where id = $1',
      [id],
    )
    checkFrom('resume', held)
    const isOwnDesk = agent_id === undefined && ctx.actor.role === 'agent'
    const agentId = agent_id ?? held.agent_id
    const agent =
      isOwnDesk || agentId === null ? await agentFor(ctx, held.site_id, undefined) : await agentState(ctx.tx, agentId)
    const row = await lockTicket(ctx.tx, id)
    checkFrom('resume', row)
    const desk = readyDesk(ctx.actor, agent)
    if (!mayCall(desk, row)) {
      const isKept = row.reserved_agent_id !== null || row.reserved_counter_id !== null
      throw conflict(isKept ? 'ticket_reserved' : 'agent_does_not_serve_queue')
    }
    const isCall = to === 'called'
    const move = advance(
      'resume',
      row,
      {
        to: TicketStatus[to],
        changes: {
          agent_id: agent.id,
          counter_id: agent.counter_id,
          counter_name: agent.counter_name,
          reserved_agent_id: null,
          reserved_counter_id: null,
          ...(isCall ? { call_count: 1, last_called_at: row.now } : endOfHold(row)),
        },
        seat: { id: agent.id, status: isCall ? 'calling' : 'serving' },
      },
      ctx.actor,
    )
    await commitMoves(ctx, [move])
    return wireTicket(move.after)
  },
})
