import { pick } from './pick.ts'
import { Ticket } from './schema.ts'
import type { Row } from './sql.ts'
import type { Ticket as PublicTicket } from '../../../shared/board.ts'

const WIRE = Object.keys(Ticket.properties) as (keyof Ticket)[]
/** What events carry: no note, no answers. The log cannot forget, so it holds nothing people wrote about a person. */
const PUBLIC = [
  'id',
  'site_id',
  'queue_id',
  'service_id',
  'number',
  'channel',
  'priority',
  'status',
  'rank',
  'customer_id',
  'agent_id',
  'counter_id',
  'counter_name',
  'language',
  'labels',
  'needs',
  'call_count',
  'created_at',
  'called_at',
  'started_at',
  'ended_at',
  'not_before',
] as const satisfies readonly (keyof Ticket & keyof PublicTicket)[]

export const publicTicket = (ticket: Ticket): PublicTicket => pick(ticket, PUBLIC)
export const wireTicket = (row: Row | Ticket): Ticket => pick(row as Ticket, WIRE)
