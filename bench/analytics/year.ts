import type { Database } from '../../server/kernel/db/index.ts'
import type { Direct } from '../../server/kernel/db/direct.ts'
import type { Tenant } from '../../server/kernel/operation.ts'
import { aggregateDays } from '../../server/modules/analytics/rollup/aggregate.ts'

const SERVICES = 5
const DAYS = 365
const CHUNK = 500_000

export interface Year {
  tenant: Tenant
  tickets: number
  from: string
  to: string
  seconds: number
}

/**
 * A chain's last 365 days: five services a site, most people in the morning and after lunch, fewer on Sundays, waits and services with long
 * tails, some who leave, some who do not come. References are not checked while it is made.
 */
export async function seedYear(db: Direct, { tickets, sites }: { tickets: number; sites: number }): Promise<Year> {
  const started = performance.now()
  const [tenant] = await db.query<Tenant>(
    `insert into tenants (slug, name, timezone, data_retention_days) values ('chain', 'Chain', 'Europe/Paris', 800)
     returning id, slug, name, locale, timezone, is_active, take_challenge`,
  )
  const { id } = tenant!
  await db.query(
    `insert into sites (tenant_id, name, slug, timezone) select $1, 'Site ' || n, 'site-' || n, 'Europe/Paris' from generate_series(1, $2::int) n`,
    [id, sites],
  )
  await db.query(
    `insert into services (tenant_id, name, code) select $1, 'Service ' || n, 'S' || n from generate_series(1, ${SERVICES}) n`,
    [id],
  )
  await db.query(
    `insert into queues (tenant_id, site_id, service_id, name) select $1, s.id, v.id, s.name || ' ' || v.name
     from sites s, services v where s.tenant_id = $1 and v.tenant_id = $1 order by s.id, v.id`,
    [id],
  )
  await db.query(
    `insert into agents (tenant_id, site_id, name) select $1, s.id, 'Agent ' || n from sites s, generate_series(1, 4) n where s.tenant_id = $1 order by s.id, n`,
    [id],
  )
  const [first] = await db.query<{ queue: number; agent: number }>(
    'select (select min(id) from queues where tenant_id = $1) as queue, (select min(id) from agents where tenant_id = $1) as agent',
    [id],
  )
  await db.query(`set session_replication_role = replica; set synchronous_commit = off; select setseed(0.5)`)
  for (let from = 0; from < tickets; from += CHUNK) {
    await db.query(
      `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, status,
         rank, agent_id, entered_at, called_at, last_called_at, started_at, ended_at, created_at, rating, rated_at)
       select $1, q.site_id, q.id, q.service_id, c.day, q.id, c.day, c.n, 'A' || c.n % 1000, c.channel,
         case when c.left < 0.04 then 'annulé' when c.left < 0.07 then 'absent' else 'terminé' end,
         (extract(epoch from c.at) * 1000000)::bigint, case when c.left >= 0.04 then $4 + 4 * ((q.id - $3) / ${SERVICES}) + c.n % 4 end, c.at,
         case when c.left >= 0.04 then c.at + c.wait end, case when c.left >= 0.04 then c.at + c.wait end,
         case when c.left >= 0.07 then c.at + c.wait + c.walk end,
         c.at + c.wait + case when c.left < 0.04 then interval '0' when c.left < 0.07 then interval '2 minutes' else c.walk + c.service end,
         c.at, case when c.left >= 0.07 and c.n % 10 = 0 then 1 + c.n % 5 end, case when c.left >= 0.07 and c.n % 10 = 0 then c.at + c.wait + c.walk + c.service end
       from (
         select n, day, (day + time '08:00' + make_interval(secs => 32400 * case when random() < 0.55 then random() ^ 1.6 * 0.5 else 0.5 + random() ^ 1.3 * 0.5 end))
             at time zone 'Europe/Paris' as at, random() as left,
           make_interval(secs => least(10800, 420 * -ln(1 - random()) * (0.5 + random()))) as wait, make_interval(secs => 10 + 40 * random()) as walk,
           make_interval(secs => least(7200, 60 + 240 * -ln(1 - random()))) as service,
           (array['kiosk', 'kiosk', 'reception', 'web', 'qr', 'appointment'])[1 + floor(random() * 6)::int] as channel, floor(random() * $5)::bigint as place
         from (select n, current_date - 1 - floor(random() * ${DAYS})::int as day from generate_series($2::int + 1, least($2::int + ${CHUNK}, $6::int)) n) d
         where extract(isodow from day) < 7 or random() < 0.2) c
       join queues q on q.tenant_id = $1 and q.id = $3 + c.place`,
      [id, from, first!.queue, first!.agent, sites * SERVICES, tickets],
    )
  }
  await db.query(
    `insert into ticket_legs (tenant_id, ticket_id, leg, queue_id, agent_id, entered_at, called_at, started_at, ended_at, ended_by)
     select tenant_id, id, 1, queue_id, agent_id, entered_at, called_at, started_at, ended_at, status from tickets where tenant_id = $1`,
    [id],
  )
  await db.query('reset session_replication_role; reset synchronous_commit')
  await db.query('vacuum analyze')
  const [made] = await db.query<{ tickets: number; from: string; to: string }>(
    `select count(*)::int as tickets, min(day)::text as from, max(day)::text as to from tickets where tenant_id = $1`,
    [id],
  )
  return { tenant: tenant!, ...made!, seconds: (performance.now() - started) / 1000 }
}

/** Adds up the whole year, a day at a time as the nights do. */
export async function addUp(db: Database, direct: Direct, { tenant, from, to, tickets }: Year): Promise<string> {
  const days: number[] = []
  for (let day = Temporal.PlainDate.from(from); day.until(to).days >= 0; day = day.add({ days: 1 })) {
    const started = performance.now()
    await db.tenant(tenant.id, (tx) => aggregateDays(tx, day.toString(), day.toString()), 'reports')
    days.push(performance.now() - started)
  }
  await direct.query('vacuum analyze queue_metrics, tenant_metrics')
  const sum = days.reduce((a, b) => a + b, 0)
  const sizes = await direct.query<{ name: string; rows: number; megabytes: number }>(
    `select relname as name, reltuples::int as rows, (pg_total_relation_size(oid) / 1048576)::int as megabytes from pg_class
     where relname in ('tickets', 'ticket_legs', 'queue_metrics', 'tenant_metrics') order by relname`,
  )
  const [median, worst] = [days.toSorted((a, b) => a - b)[days.length >> 1]!, Math.max(...days)]
  return [
    `added up: ${days.length} days in ${(sum / 1000).toFixed(1)} s, a day ${median.toFixed(0)} ms (median) to ${worst.toFixed(0)} ms, ${Math.round(tickets / (sum / 1000))} tickets a second`,
    ...sizes.map(
      ({ name, rows, megabytes }) =>
        `  ${name.padEnd(15)} ${String(rows).padStart(9)} rows ${String(megabytes).padStart(6)} MB`,
    ),
    '',
  ].join('\n')
}
