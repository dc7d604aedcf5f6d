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
export type VisitorRow = Ticket & { epoch: string; head: number; site_offset: number; stays: Stay[] }
/** The queue a ticket stands in from an offset on. */
interface Stay {
  offset: number
  queue_id: number
}

/**
 * In which queue a ticket stood at each offset: which events its feed carries follows from the log alone, so that a
 * client meets the same frames in every process, before and after a transfer.
 */
export class Stays {
  #stays: Stay[]
  #now: number

  constructor({ stays, queue_id }: Pick<VisitorRow, 'stays' | 'queue_id'>) {
    this.#stays = [...stays]
    this.#now = queue_id
  }

  /** Takes in an event of the ticket's own, known or new. */
  note({ offset, queue_id }: { offset: number; queue_id: number | null }): void {
    const last = this.#stays.at(-1)
    if (queue_id === null || (last && offset <= last.offset)) return
    this.#now = queue_id
    if (last?.queue_id !== queue_id) this.#stays.push({ offset, queue_id })
  }

  queueAt(offset: number): number {
    return this.#stays.findLast((stay) => stay.offset <= offset)?.queue_id ?? this.#stays[0]?.queue_id ?? this.#now
  }
}

const ROW = `
  select ${BOARD_TICKET}, s.epoch, s.last_offset as site_offset,
         greatest(${headOffset('t.site_id', 'array[t.queue_id]')}, (
           select e."offset" from events e where e.ticket_id = t.id order by e."offset" desc limit 1)) as head,
         (select coalesce(json_agg(json_build_object('offset', m."offset", 'queue_id', m.queue_id) order by m."offset"), '[]')
          from (select e."offset", e.queue_id, lag(e.queue_id) over (order by e."offset") as before
                from events e where e.ticket_id = t.id and e.queue_id is not null) m
          where m.queue_id is distinct from m.before) as stays
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
