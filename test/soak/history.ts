import type { Direct } from '../../server/kernel/db/index.ts'
import type { TenantFixture } from '../../server/test/factories.ts'

const CHUNK = 50_000
const MORE = `
  with made as (
    insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, status,
      rank, agent_id, entered_at, called_at, last_called_at, started_at, ended_at, created_at)
    select $1, $2, $3, $4, d.day, $3, d.day, d.serial, 'A' || lpad((d.serial % 1000)::text, 3, '0'), 'kiosk', 'terminé',
      (extract(epoch from d.at) * 1000000)::bigint, $5, d.at, d.at + interval '6 min', d.at + interval '6 min', d.at + interval '7 min',
      d.at + interval '12 min', d.at
    from (select n, 1 + n % 2000 as serial, current_date - 2 - (n / 2000) as day,
            (current_date - 2 - (n / 2000)) + interval '8 hours' + (n % 2000) * interval '15 seconds' as at
          from generate_series($6::int, $7::int) n) d
    returning id, entered_at, called_at, started_at, ended_at
  ), placed as (
    select *, row_number() over (order by id) - 1 as place from made
  ), legs as (
    insert into ticket_legs (tenant_id, ticket_id, leg, queue_id, agent_id, entered_at, called_at, started_at, ended_at, ended_by)
    select $1, id, 1, $3, $5, entered_at, called_at, started_at, ended_at, 'terminé' from made
  )
  insert into events (tenant_id, site_id, "offset", type, at, actor, queue_id, ticket_id, agent_id, data)
  select $1, $2, $8::bigint + 3 * placed.place + e.n, e.type,
    case e.n when 1 then entered_at when 2 then called_at else ended_at end, 'user:1', $3, placed.id, case when e.n > 1 then $5::bigint end,
    jsonb_build_object('ticket', jsonb_build_object('id', placed.id, 'number', 'A' || placed.id % 1000, 'status', e.status, 'queue_id', $3::bigint,
      'channel', 'kiosk', 'entered_at', entered_at))
  from placed, (values (1, 'ticket.created', 'en_attente'), (2, 'ticket.called', 'appelé'), (3, 'ticket.completed', 'terminé')) as e (n, type, status)`

/** Tickets of past days with their legs and events, as a site has them after months: 1 leg and 3 events each. */
export async function pastTickets(
  query: Direct['query'],
  { tenant, sites, queues, services, agents }: TenantFixture,
  count: number,
): Promise<void> {
  const [site, queue] = [sites[0]!.id, queues[0]!.id]
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK) - 1
    await query(MORE, [tenant.id, site, queue, services[0]!.id, agents[0]!.id, from, to, 3 * from])
  }
  await query('update streams set last_offset = $3 where tenant_id = $1 and site_id = $2', [tenant.id, site, 3 * count])
}
