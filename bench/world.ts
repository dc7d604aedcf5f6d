import type { Direct } from '../server/kernel/db/direct.ts'

/** Twenty sites of five queues, and one site whose only queue everybody wants. */
const SITES = 20
const QUEUES_A_SITE = 5
export const TIMEZONE = 'Europe/Paris'

/** Ids of what the benchmark works on. */
export interface World {
  tenantId: number
  slug: string
  /** The 100 queues, then the hot one; consecutive ids. */
  firstQueue: number
  queues: number
  hotQueue: number
  hotSite: number
  /** Agents ready to call, by turns one for each of the 100 queues; consecutive ids. */
  firstAgent: number
  agents: number
  userId: number
}

/** @param agents how many agents stand ready: a call-next sample ends when all have been given a ticket */
export async function seed(db: Direct, agents: number, sites = SITES): Promise<World> {
  const one = async <Row>(text: string, values: unknown[] = []) => (await db.query<Row>(text, values))[0]!
  const { id: tenantId } = await one<{ id: number }>(
    `insert into tenants (slug, name, timezone) values ('bench', 'Bench', $1) returning id`,
    [TIMEZONE],
  )
  const { id: userId } = await one<{ id: number }>(
    `insert into users (email, name) values ('bench@localhost', 'Bench') returning id`,
  )
  await db.query(`insert into memberships (tenant_id, user_id, role) values ($1, $2, 'admin')`, [tenantId, userId])
  const ranges = await one<{ hot_site: number; first_queue: number; hot_queue: number }>(
    `with s as (
       insert into sites (tenant_id, name, slug, timezone)
       select $1, 'Site ' || n, 'site-' || n, $2 from generate_series(1, ${sites + 1}) n returning id),
     v as (
       insert into services (tenant_id, name, code)
       select $1, 'Service ' || n, 'S' || n from generate_series(1, ${QUEUES_A_SITE}) n returning id),
     q as (
       insert into queues (tenant_id, site_id, service_id, name, number_last, one_ticket_per_device, confirm_arrival)
       select $1, s.id, v.id, 'Queue ' || s.id || '.' || v.id, 9999999, false, true
       from s, v where s.id < (select max(id) from s) or v.id = (select min(id) from v)
       order by s.id, v.id
       returning id)
     select (select max(id) from s) as hot_site, (select min(id) from q) as first_queue, (select max(id) from q) as hot_queue`,
    [tenantId, TIMEZONE],
  )
  await db.query(
    `insert into streams (tenant_id, site_id) select $1, id from sites where tenant_id = $1 union all select $1, 0`,
    [tenantId],
  )
  const queues = sites * QUEUES_A_SITE
  const firstAgent = await seedAgents(db, tenantId, ranges.first_queue, queues, agents)
  await db.query('vacuum analyze')
  return {
    tenantId,
    slug: 'bench',
    firstQueue: ranges.first_queue,
    queues,
    hotQueue: ranges.hot_queue,
    hotSite: ranges.hot_site,
    firstAgent,
    agents,
    userId,
  }
}

async function seedAgents(
  db: Direct,
  tenantId: number,
  firstQueue: number,
  queues: number,
  agents: number,
): Promise<number> {
  await db.query(
    `insert into counters (tenant_id, site_id, name)
     select $1, q.site_id, 'Counter ' || n from generate_series(0, $4::int - 1) n join queues q on q.tenant_id = $1 and q.id = $2 + n % $3::int
     order by n`,
    [tenantId, firstQueue, queues, agents],
  )
  const [range] = await db.query<{ first: number }>(
    `with c as (select id, site_id, row_number() over (order by id) as n from counters where tenant_id = $1),
     a as (
       insert into agents (tenant_id, site_id, name, status, counter_id)
       select $1, site_id, 'Agent ' || n, 'available', id from c order by n returning id)
     select min(id) as first from a`,
    [tenantId],
  )
  await db.query(
    `insert into agent_queues (tenant_id, agent_id, queue_id) select $1, $2 + n, $3 + n % $4::int from generate_series(0, $5::int - 1) n`,
    [tenantId, range!.first, firstQueue, queues, agents],
  )
  return range!.first
}

export const queueIds = ({ firstQueue, queues }: World): number[] =>
  Array.from({ length: queues }, (_, i) => firstQueue + i)

/** How many wait in each of some queues. */
export type Waiting = readonly { queueId: number; count: number }[]
export const equally = (ids: readonly number[], count: number): Waiting => ids.map((queueId) => ({ queueId, count }))

/**
 * Makes tickets wait the way takes would have left them; those there before are gone, with their history, and every agent
 * is free. No events: a process that has read these sites before knows nothing of it.
 */
export async function fillQueues(db: Direct, { tenantId }: World, waiting: Waiting): Promise<void> {
  await db.query('truncate tickets, ticket_legs, queue_days cascade')
  await db.query(
    `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel,
       language, rank, entered_at, created_at)
     select $1, q.site_id, q.id, q.service_id, today.day, q.id, today.day, n, 'A' || lpad(n::text, 7, '0'), 'kiosk', 'fr',
       (extract(epoch from arrival.at) * 1000000)::bigint, arrival.at, arrival.at
     from unnest($2::bigint[], $3::int[]) as wanted(queue_id, count)
     join queues q on q.tenant_id = $1 and q.id = wanted.queue_id
     cross join (select (now() at time zone '${TIMEZONE}')::date as day) today
     cross join lateral generate_series(1, wanted.count) n
     cross join lateral (select now() - (wanted.count - n) * interval '10 milliseconds' as at) arrival`,
    [tenantId, waiting.map(({ queueId }) => queueId), waiting.map(({ count }) => count)],
  )
  await db.query(
    `insert into queue_days (tenant_id, queue_id, day, issued, issued_before, last_arrival_at)
     select tenant_id, series_queue_id, series_day, max(serial), 0, max(created_at) from tickets group by 1, 2, 3`,
  )
  await db.query(`update agents set status = 'available' where status <> 'available'`)
  await db.query('vacuum analyze tickets, queue_days, agents')
  await db.query('checkpoint')
}
