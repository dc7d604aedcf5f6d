import type { Direct } from '../../server/kernel/db/direct.ts'
import { TIMEZONE } from '../world.ts'
import type { Line } from './lines.ts'

/** A queue of the country and those who serve it. */
export interface Desk {
  slug: string
  tenantId: number
  siteId: number
  queueId: number
  agents: number[]
  line: Line
}

const SITES_A_TENANT = 20

/**
 * Organisations of twenty sites each; a site has so many lines of the day, the next site begins with the next one. Each
 * line is a queue with agents at counters of its own.
 */
export async function seedTowns(
  db: Direct,
  sites: number,
  lines: readonly Line[],
  linesPerSite: number,
): Promise<Desk[]> {
  const desks: Desk[] = []
  for (let done = 0; done < sites; done += SITES_A_TENANT)
    desks.push(...(await seedTown(db, `town-${done}`, Math.min(SITES_A_TENANT, sites - done), lines, linesPerSite)))
  await db.query('vacuum analyze')
  return desks
}

async function seedTown(
  db: Direct,
  slug: string,
  sites: number,
  lines: readonly Line[],
  linesPerSite: number,
): Promise<Desk[]> {
  const [tenant] = await db.query<{ id: number }>(
    'insert into tenants (slug, name, timezone) values ($1, $1, $2) returning id',
    [slug, TIMEZONE],
  )
  const tenantId = tenant!.id
  const rows = await db.query<{ site_id: number; queue_id: number; line: number; agents: number[] }>(
    `with s as (
       insert into sites (tenant_id, name, slug, timezone)
       select $1, 'Site ' || n, 'site-' || n, $2 from generate_series(1, $3) n returning id, substr(slug, 6)::int as n),
     stream as (insert into streams (tenant_id, site_id) select $1, id from s union all select $1, 0),
     v as (
       insert into services (tenant_id, name, code)
       select $1, 'Service ' || n, 'S' || n from generate_series(0, cardinality($4::int[]) - 1) n returning id, code),
     q as (
       insert into queues (tenant_id, site_id, service_id, name, number_last, one_ticket_per_device, confirm_arrival)
       select $1, s.id, v.id, v.code, 9999, false, true from s, v
       where mod(substr(v.code, 2)::int + s.n, cardinality($4::int[])) < $5 returning id, site_id, substr(name, 2)::int as line),
     c as (
       insert into counters (tenant_id, site_id, name)
       select $1, q.site_id, q.id || ' ' || n from q, generate_series(1, ($4::int[])[q.line + 1]) n
       returning id, site_id, split_part(name, ' ', 1)::bigint as queue_id),
     a as (
       insert into agents (tenant_id, site_id, name, status, counter_id)
       select $1, site_id, 'Agent', 'available', id from c returning id, counter_id),
     served as (
       insert into agent_queues (tenant_id, agent_id, queue_id)
       select $1, a.id, c.queue_id from a join c on c.id = a.counter_id returning agent_id, queue_id)
     select q.site_id, q.id as queue_id, q.line, array_agg(served.agent_id) as agents
     from q join served on served.queue_id = q.id group by 1, 2, 3 order by 2`,
    [tenantId, TIMEZONE, sites, lines.map(({ agents }) => agents), linesPerSite],
  )
  return rows.map(({ site_id, queue_id, line, agents }) => ({
    slug,
    tenantId,
    siteId: site_id,
    queueId: queue_id,
    agents,
    line: lines[line]!,
  }))
}
