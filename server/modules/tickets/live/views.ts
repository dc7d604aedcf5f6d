import { BOARD_WINDOW, byCall, paceOf, type Board, type Ticket } from '../../../../shared/board.ts'
import { estimateWait, type WaitFactors } from '../../../../shared/eta.ts'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { RECENT_CALLS, type AgentView, type Call, type Display } from '../../../../shared/views.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import { notFound } from '../../../kernel/errors.ts'
import { BOARD_AGENT, BOARD_TICKET, boardAgents, headOffset, NO_TICKET, queueSummaries } from './sql.ts'

/** A row of a snapshot: its head (`meta`), or a ticket. */
export type SnapshotRow<Meta> = { meta: Meta | null } & Ticket
export function parts<Meta>(rows: SnapshotRow<Meta>[]): { meta: Meta; tickets: Ticket[] } {
  let found: Meta | null = null
  const tickets: Ticket[] = []
  for (const { meta, ...ticket } of rows) {
    if (meta) found = meta
    else tickets.push(ticket)
  }
  if (!found) throw notFound()
  return { meta: found, tickets }
}
export const inState =
  (...states: TicketStatus[]) =>
  ({ status }: Ticket) =>
    states.includes(status)

type BoardMeta = Pick<Board, 'epoch' | 'offset' | 'queue' | 'service_seconds' | 'forecast' | 'waiting_count' | 'agents'>
const BOARD = `
  with own as (
    select q.id, q.site_id, array[q.id] as ids, json_build_object('id', q.id, 'name', q.name, 'status', st.status) as queue,
           st.service_seconds, st.forecast, s.epoch
    from queues q
    join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id
    join streams s on s.tenant_id = q.tenant_id and s.site_id = q.site_id
    where q.id = $1)
  select json_build_object('epoch', own.epoch, 'offset', ${headOffset('own.site_id', 'own.ids')}, 'queue', own.queue,
           'service_seconds', own.service_seconds, 'forecast', own.forecast, 'agents', ${boardAgents('own.ids')}, 'waiting_count', (
             select count(*) from tickets w where w.queue_id = $1 and w.status = 'en_attente')) as meta, ${NO_TICKET}
  from own
  union all
  (select null, ${BOARD_TICKET} from tickets t where t.queue_id = $1 and t.status = 'en_attente'
   order by t.rank, t.id limit ${BOARD_WINDOW.most})
  union all
  select null, ${BOARD_TICKET} from tickets t
  where t.site_id = (select site_id from own) and t.queue_id = $1 and t.status in ('appelé', 'en_service', 'en_pause')`

/** One queue as staff see it, at the offset of the last event that concerns it. Throws the one not-found error. */
export async function queueBoard(tx: Tx, queueId: number): Promise<Board> {
  const { meta, tickets } = parts(await tx.query<SnapshotRow<BoardMeta>>(BOARD, [queueId]))
  const { epoch, offset, queue, service_seconds, forecast, waiting_count, agents } = meta
  const pace = { ...paceOf(agents), service_seconds, forecast }
  return {
    epoch,
    offset,
    queue,
    service_seconds,
    forecast,
    agents,
    called: tickets.filter(inState(TicketStatus.called, TicketStatus.serving)).sort(byCall),
    held: tickets.filter(inState(TicketStatus.held)).sort(byCall),
    waiting_count,
    waiting: inOrder(tickets, pace),
  }
}

/** Those who wait, in the order of service, with their figures. */
export const inOrder = (tickets: readonly Ticket[], pace: Omit<WaitFactors, 'ahead'>): Board['waiting'] =>
  tickets
    .filter(inState(TicketStatus.waiting))
    .sort((a, b) => a.rank - b.rank || a.id - b.id)
    .map((ticket, ahead) => ({ ...ticket, position: ahead + 1, ...estimateWait({ ...pace, ahead }) }))

/** The queues a display shows: those it names, or all of its site. */
export const DISPLAY_QUEUES = `
  array(select q.id from queues q
        where q.site_id = d.site_id and (cardinality(d.queue_ids) = 0 or q.id = any(d.queue_ids)) order by q.id)`

type DisplayMeta = Pick<Display, 'epoch' | 'offset' | 'display' | 'queues' | 'agents'> & { recent: Call[] }
const DISPLAY = `
  with own as (
    select d.id, d.name, d.site_id, ${DISPLAY_QUEUES} as ids, s.epoch
    from displays d join streams s on s.tenant_id = d.tenant_id and s.site_id = d.site_id
    where d.id = $1),
  calls as (
    select e."offset", e.ticket_id, e.queue_id, e.data -> 'ticket' ->> 'number' as number,
           e.data -> 'ticket' ->> 'counter_name' as counter_name, e.at
    from own cross join lateral unnest(own.ids) as wanted(id) cross join lateral (
      select * from events e where e.queue_id = wanted.id and e.type in ('ticket.called', 'ticket.recalled')
      order by e."offset" desc limit ${RECENT_CALLS}) e
    order by e."offset" desc limit ${RECENT_CALLS})
  select json_build_object('epoch', own.epoch,
           'offset', ${headOffset('own.site_id', 'own.ids', `e.type like 'display.%' and (e.data -> 'display' ->> 'id')::bigint = own.id`)},
           'display', json_build_object('id', own.id, 'name', own.name, 'queue_ids', own.ids),
           'queues', ${queueSummaries('own.ids')}, 'agents', ${boardAgents('own.ids')},
           'recent', (select coalesce(json_agg(json_build_object('ticket_id', ticket_id, 'queue_id', queue_id, 'number', number,
                        'counter_name', counter_name,
                        'at', regexp_replace(to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '\\.?0+$', '') || 'Z')
                      order by "offset" desc), '[]') from calls)) as meta, ${NO_TICKET}
  from own
  union all
  select null, ${BOARD_TICKET} from own join tickets t on t.site_id = own.site_id and t.queue_id = any(own.ids)
  where t.status in ('appelé', 'en_service')`

/** A screen of a waiting room. Nothing of it says who the people are. Throws the one not-found error. */
export async function displayBoard(tx: Tx, displayId: number): Promise<Display> {
  const { meta, tickets } = parts(await tx.query<SnapshotRow<DisplayMeta>>(DISPLAY, [displayId]))
  const { epoch, offset, display, queues, agents, recent } = meta
  return {
    epoch,
    offset,
    display,
    queues,
    agents: agents.map(anonymousAgent),
    called: tickets.map(anonymousTicket).sort((a, b) => byCall(b, a)),
    recent,
  }
}
export const anonymousTicket = (ticket: Ticket): Ticket => ({
  ...ticket,
  customer_id: null,
  language: null,
  labels: [],
  needs: [],
})
/** A name is for colleagues. */
export const anonymousAgent = <A extends object>(agent: A): A => ('name' in agent ? { ...agent, name: '' } : agent)

type AgentMeta = Pick<AgentView, 'epoch' | 'offset' | 'agent' | 'queues' | 'desk'>
const AGENT = `
  with own as (
    select a.id, a.site_id, a.desk, ${BOARD_AGENT} as agent, s.epoch,
           array(select w.queue_id from agent_queues w where w.tenant_id = a.tenant_id and w.agent_id = a.id order by 1) as ids
    from agents a join streams s on s.tenant_id = a.tenant_id and s.site_id = a.site_id
    where a.id = $1)
  select json_build_object('epoch', own.epoch, 'offset', ${headOffset('own.site_id', 'own.ids', 'e.agent_id = own.id')},
           'agent', own.agent, 'queues', ${queueSummaries('own.ids')}, 'desk', own.desk) as meta, ${NO_TICKET}
  from own
  union all
  select null, ${BOARD_TICKET} from own join tickets t on t.site_id = own.site_id and t.agent_id = own.id
  where t.status in ('appelé', 'en_service', 'en_pause')`

/** An agent's own desk. Throws the one not-found error. */
export async function agentBoard(tx: Tx, agentId: number): Promise<AgentView> {
  const { meta, tickets } = parts(await tx.query<SnapshotRow<AgentMeta>>(AGENT, [agentId]))
  const { epoch, offset, agent, queues, desk } = meta
  return {
    epoch,
    offset,
    agent,
    ticket: tickets.find(inState(TicketStatus.called, TicketStatus.serving)) ?? null,
    held: tickets.filter(inState(TicketStatus.held)).sort(byCall),
    queues,
    desk,
  }
}
