import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { REPLIES } from '../../../../shared/visit.ts'
import { conflict } from '../../../kernel/errors.ts'
import type { Context } from '../../../kernel/operation.ts'
import { publicTicket, wireTicket } from '../events.ts'
import { withFigures } from '../live/index.ts'
import type { Ticket } from '../schema.ts'
import { lockTicket, ROW_COLUMNS, type Row } from '../sql.ts'

/**
 * What a person who was called answers the counter. It stands among the labels, where every staff view shows it at once;
 * a new answer takes the place of the one before.
 */
export async function replyToCall(ctx: Context, id: number, reply: (typeof REPLIES)[number]): Promise<Ticket> {
  const before = await lockTicket(ctx.tx, id)
  if (before.status !== TicketStatus.called) throw conflict('illegal_transition')
  const labels = [...before.labels.filter((label) => !(REPLIES as readonly string[]).includes(label)), reply]
  const [row] = await ctx.tx.query<Row>(`update tickets t set labels = $2 where t.id = $1 returning ${ROW_COLUMNS}`, [
    id,
    labels,
  ])
  const ticket = wireTicket(row!)
  ctx.emit({
    type: 'ticket.updated',
    site_id: ticket.site_id,
    queue_id: ticket.queue_id,
    ticket_id: id,
    agent_id: ticket.agent_id,
    data: { ticket: publicTicket(ticket), channel: ticket.channel, by: ctx.actor.role, reply },
  })
  const [withPlace] = await withFigures(ctx, [ticket])
  return withPlace!
}
