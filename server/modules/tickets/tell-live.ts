import type { Context } from '../../kernel/operation.ts'
import { publicTicket } from './events.ts'
import { ROW_COLUMNS, type Row } from './sql.ts'

const LIVE = `select ${ROW_COLUMNS} from tickets t where t.ended_at is null order by t.id`

/** Tells whoever follows how every stay that goes on is now, when something changed all of them. */
export async function tellLive(ctx: Context): Promise<void> {
  for (const row of await ctx.tx.query<Row>(LIVE))
    ctx.emit({
      type: 'ticket.updated',
      site_id: row.site_id,
      queue_id: row.queue_id,
      ticket_id: row.id,
      agent_id: row.agent_id,
      data: { ticket: publicTicket(row) },
    })
}
