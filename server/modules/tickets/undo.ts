import { TicketStatus } from '../../../shared/ticket-status.ts'
import { STAFF } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { agentStates } from '../agents/index.ts'
import { withFigures } from './live/figures.ts'
import { wireTicket } from './events.ts'
import { ownership } from './ownership.ts'
import { Ticket } from './schema.ts'
import { lockTicket, type Restored, type Row, type Seat } from './sql.ts'
import { secondsBetween } from './time.ts'
import { commitMoves, freeSeat } from './transition.ts'

/** Takes the last transition back. */
export const undo = operation({
  id: 'tickets.undo',
  kind: 'mutation',
  summary: 'Undo the last change of a ticket’s state',
  description:
    'Within 60 seconds (2 minutes after completion), and only what came last. Refused when the agent has another ticket by now (`undo_conflict`).',
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/undo/' },
  input: Closed({ id: Id }),
  output: Ticket,
  example: { input: { id: 1 } },
  constraints: {
    tickets_one_per_agent: () => conflict('undo_conflict'),
    tickets_one_per_device: () => conflict('undo_conflict'),
    tickets_one_per_customer: () => conflict('undo_conflict'),
  },
  pool: 'calls',
  run: (ctx, { id }) => undoLast(ctx, id),
})

/** @param allowed verbs that this caller may take back; all when absent */
export async function undoLast(ctx: Context, id: number, allowed?: readonly string[]): Promise<Ticket> {
  const { undo } = await ctx.tx.one<Pick<Row, 'undo'>>('select undo from tickets where id = $1', [id])
  // The agent who will have the ticket again is locked before the ticket.
  const wanted = undo && agentAfter(undo.row)
  const agent = wanted ? (await agentStates(ctx.tx, [wanted.id])).get(wanted.id) : undefined
  const [row, owners] = await Promise.all([lockTicket(ctx.tx, id), ownership(ctx.tx, [ctx.actor])])
  const isOwn = !allowed || (row.undo?.principal === ctx.actor.principal && allowed.includes(row.undo.verb))
  if (!row.undo || !isOwn) throw conflict('nothing_to_undo')
  if (secondsBetween(row.now, row.undo_until!) < 0) throw conflict('undo_expired')
  const after: Row = { ...row, ...row.undo.row, undo: null, undo_until: null }
  // Both what it is and what it would be again may be somebody's.
  owners.check(ctx.actor, row)
  owners.check(ctx.actor, after)
  const seat = agentAfter(row.undo.row)
  if (seat && !isFree(agent, seat, row)) throw conflict('undo_conflict')
  const move = {
    verb: 'undo',
    event: 'ticket.undone',
    before: row,
    after,
    actor: ctx.actor,
    seat: seat ?? freeSeat(row),
  } as const
  await commitMoves(ctx, [move])
  const [ticket] = await withFigures(ctx, [wireTicket(after)])
  return ticket!
}

/** Who has the ticket at the counter once it is as it was. */
function agentAfter({ status, agent_id }: Restored): Seat | undefined {
  if (agent_id === null) return undefined
  if (status === TicketStatus.called) return { id: agent_id, status: 'calling' }
  if (status === TicketStatus.serving) return { id: agent_id, status: 'serving' }
  return undefined
}

/** Whether the agent is still there with nobody else at the counter. */
function isFree(
  agent: { id: number; status: string; counter_id: number | null } | undefined,
  seat: Seat,
  row: Row,
): boolean {
  if (!agent || agent.id !== seat.id || agent.counter_id !== row.undo!.row.counter_id) return false
  const hasThisTicket = freeSeat(row)?.id === agent.id
  return hasThisTicket || agent.status === 'available' || agent.status === 'wrap_up'
}
