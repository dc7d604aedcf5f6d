import type { Ticket } from '../../../../shared/board.ts'
import type { TicketView, VisitorTicket } from '../../../../shared/views.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import type { Context } from '../../../kernel/operation.ts'
import { pick } from '../pick.ts'
import { figuresIn, type Figures } from './figures.ts'
import { loadSite } from './sites.ts'
import { BOARD_TICKET, headOffset } from './sql.ts'

/** What a visitor may know of the own ticket. */
export const VISITOR_TICKET = [
  'id',
  'site_id',
  'queue_id',
  'service_id',
  'number',
  'status',
  'counter_name',
  'language',
  'call_count',
  'created_at',
  'called_at',
  'started_at',
  'ended_at',
  'not_before',
] as const satisfies readonly (keyof Ticket & keyof VisitorTicket)[]

export const visitorTicket = (ticket: Ticket, { position, ahead, ...estimate }: Figures): VisitorTicket => ({
  ...pick(ticket, VISITOR_TICKET),
  position,
  ahead,
  ...estimate,
})

/** A ticket with its feed's head, and how far the site's stream was when it was read. */
export type VisitorRow = Ticket & { epoch: string; head: number; site_offset: number }

const ROW = `
  select ${BOARD_TICKET}, s.epoch, s.last_offset as site_offset,
         greatest(${headOffset('t.site_id', 'array[t.queue_id]')}, (
           select e."offset" from events e where e.ticket_id = t.id order by e."offset" desc limit 1)) as head
  from tickets t join streams s on s.tenant_id = t.tenant_id and s.site_id = t.site_id
  where t.id = $1`

/** Throws the one not-found error. */
export const visitorRow = (tx: Tx, ticketId: number): Promise<VisitorRow> => tx.one<VisitorRow>(ROW, [ticketId])

/** The visitor's view, its figures at least as new as the row. */
export async function visitorView(ctx: Pick<Context, 'tenant' | 'hub'>, row: VisitorRow): Promise<TicketView> {
  const live = await loadSite(ctx.hub, ctx.tenant.id, row.site_id, row.site_offset)
  return { epoch: row.epoch, offset: row.head, ticket: visitorTicket(row, figuresIn(live, row)) }
}

/** What `/t/{token}` shows. Throws the one not-found error. */
export async function ticketView(ctx: Pick<Context, 'tx' | 'tenant' | 'hub'>, ticketId: number): Promise<TicketView> {
  return visitorView(ctx, await visitorRow(ctx.tx, ticketId))
}
