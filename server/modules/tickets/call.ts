import { isSkilled } from '../../../shared/call-order.ts'
import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { queueConfig } from '../queues/index.ts'
import { agentFor, callMoves, readyDesk } from './desk.ts'
import { wireTicket } from './events.ts'
import { mayCall, type Desk } from './assign.ts'
import { Ticket } from './schema.ts'
import { lockTicket, type Row } from './sql.ts'
import { checkFrom, commitMoves } from './transition.ts'

/** Calls a chosen ticket, out of turn. */
export const call = operation({
  id: 'tickets.call',
  kind: 'mutation',
  summary: 'Call this ticket',
  description: 'To the agent named, or to the caller’s own desk. Whether it is due yet is the agent’s judgement.',
  scope: 'call:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/call/' },
  input: Closed({ id: Id, agent_id: Type.Optional(Id) }),
  output: Ticket,
  example: { input: { id: 1, agent_id: 1 } },
  constraints: { tickets_one_per_agent: () => conflict('agent_busy') },
  pool: 'calls',

  async run(ctx, input) {
    const waiting = await ctx.tx.one<Pick<Row, 'site_id' | 'status'>>(
      'select site_id, status from tickets where id = $1',
      [input.id],
    )
    checkFrom('call', waiting)
    const agent = await agentFor(ctx, waiting.site_id, input.agent_id)
    const row = await lockTicket(ctx.tx, input.id)
    checkFrom('call', row)
    const desk = readyDesk(ctx.actor, agent)
    if (!mayCall(desk, row)) {
      throw conflict(whyNot(desk, row))
    }
    const moves = callMoves(row, agent, await queueConfig(ctx, row.queue_id), ctx.actor)
    await commitMoves(ctx, moves, new Map([[agent.id, agent]]))
    return wireTicket(moves.at(-1)!.after)
  },
})

/** What keeps a ticket from this agent. */
function whyNot(desk: Desk, row: Row): string {
  if (row.reserved_agent_id !== null || row.reserved_counter_id !== null) return 'ticket_reserved'
  return desk.queues.has(row.queue_id) && !isSkilled(desk, row) ? 'agent_lacks_skill' : 'agent_does_not_serve_queue'
}
