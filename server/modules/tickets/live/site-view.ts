import { byCall, paceOf, type Line, type Ticket } from '../../../../shared/board.ts'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { SITE_WINDOW, type SiteView } from '../../../../shared/views.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import { BOARD_AGENT, BOARD_TICKET, NO_TICKET } from './sql.ts'
import { inOrder, inState, parts, type SnapshotRow } from './views.ts'

type LineMeta = Pick<Line, 'queue' | 'service_seconds' | 'forecast' | 'waiting_count'>
type SiteMeta = Omit<SiteView, 'lines'> & { lines: LineMeta[] }

/** Who is there, of one kind; nobody who never was. */
const isOnline = (kind: string, of: string) =>
  `exists (select from presences p where p.tenant_id = ${of}.tenant_id and p.kind = '${kind}' and p.id = ${of}.id and p.is_online)`

/** Every event of the site's stream concerns its view, so its head is the stream's. */
const SITE = `
  select json_build_object('epoch', s.epoch, 'offset', s.last_offset, 'site', json_build_object('id', own.id, 'name', own.name),
           'lines', (
             select coalesce(json_agg(json_build_object(
               'queue', json_build_object('id', q.id, 'name', q.name, 'status', st.status),
               'service_seconds', st.service_seconds, 'forecast', st.forecast, 'waiting_count', (
                 select count(*) from tickets w where w.tenant_id = q.tenant_id and w.queue_id = q.id and w.status = 'en_attente'))
               order by q.id), '[]')
             from queues q join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id where q.site_id = own.id),
           'agents', (
             select coalesce(json_agg(${BOARD_AGENT}::jsonb || jsonb_build_object('is_online', ${isOnline('agent', 'a')})
               order by a.id), '[]')
             from agents a where a.site_id = own.id),
           'devices', (
             select coalesce(json_agg(json_build_object('id', d.id, 'kind', d.kind, 'name', d.name, 'is_locked', d.is_locked,
               'is_online', ${isOnline('device', 'd')}) order by d.id), '[]')
             from devices d where d.site_id = own.id and d.revoked_at is null)) as meta, ${NO_TICKET}
  from sites own join streams s on s.tenant_id = own.tenant_id and s.site_id = own.id where own.id = $1
  union all
  select null, ${BOARD_TICKET} from tickets t where t.site_id = $1 and t.status in ('appelé', 'en_service', 'en_pause')
  union all
  select null, w.* from queues q cross join lateral (
    select ${BOARD_TICKET} from tickets t where t.queue_id = q.id and t.status = 'en_attente'
    order by t.rank, t.id limit ${SITE_WINDOW.most}) w
  where q.site_id = $1`

/** A whole site, for those who run it. Throws the one not-found error. */
export async function siteView(tx: Tx, siteId: number): Promise<SiteView> {
  const { meta, tickets } = parts(await tx.query<SnapshotRow<SiteMeta>>(SITE, [siteId]))
  const byQueue = Map.groupBy(tickets, (ticket: Ticket) => ticket.queue_id)
  const lines = meta.lines.map(({ queue, service_seconds, forecast, waiting_count }): Line => {
    const own = byQueue.get(queue.id) ?? []
    const pace = {
      ...paceOf(meta.agents.filter(({ queue_ids }) => queue_ids.includes(queue.id))),
      service_seconds,
      forecast,
    }
    return {
      queue,
      service_seconds,
      forecast,
      called: own.filter(inState(TicketStatus.called, TicketStatus.serving)).sort(byCall),
      held: own.filter(inState(TicketStatus.held)).sort(byCall),
      waiting_count,
      waiting: inOrder(own, pace),
    }
  })
  return { ...meta, lines }
}
