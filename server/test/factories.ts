import { now } from '../kernel/clock.ts'
import { ROLE_SCOPES, systemActor, type Actor, type Role } from '../kernel/access.ts'
import type { Direct } from '../kernel/db/index.ts'
import type { Tenant } from '../kernel/operation.ts'

/** How many of each; of what a site has, the number per site. */
export interface TenantShape {
  slug?: string
  locale?: Tenant['locale']
  timezone?: string
  sites?: number
  /** Services of the tenant; each site has a queue for each. */
  queues?: number
  counters?: number
  /** Each at a counter of its own, serving all queues of the site. At most as many as counters. */
  agents?: number
  agentStatus?: 'offline' | 'available'
}

interface Row {
  id: number
}
export interface TenantFixture {
  tenant: Tenant
  sites: Row[]
  services: (Row & { code: string })[]
  /** Of the first site first, in the order of the services. */
  queues: (Row & { site_id: number; service_id: number })[]
  counters: (Row & { site_id: number })[]
  agents: (Row & { site_id: number; counter_id: number; user_id: number })[]
  admin: Actor
  supervisor: Actor
  /** Actor of each agent, in their order. */
  agentActors: Actor[]
  kiosk: Actor
  display: Actor
  apiKey: Actor
  anonymous: Actor
  system: Actor
}

let serial = 0

/** Puts a tenant with its places and people into the database, by SQL and in few statements. */
export async function aTenant(owner: Direct['query'], shape: TenantShape = {}): Promise<TenantFixture> {
  const { sites: siteCount = 1, queues: queueCount = 1, counters: perSite = 1, agents: agentCount = 1 } = shape
  const { locale = 'fr', timezone = 'Europe/Paris', agentStatus = 'available' } = shape
  const slug = shape.slug ?? `tenant-${++serial}`
  const one = async <T>(text: string, values: readonly unknown[]) => (await owner<T>(text, values))[0]!

  const tenant = await one<Tenant>(
    `insert into tenants (slug, name, locale, timezone) values ($1, initcap(replace($1, '-', ' ')), $2, $3)
     returning id, slug, name, locale, timezone, is_active, take_challenge`,
    [slug, locale, timezone],
  )
  const sites = await owner<Row>(
    `insert into sites (tenant_id, name, slug, timezone)
     select $1, 'Site ' || n, 'site-' || n, $2 from generate_series(1, $3::int) n returning id`,
    [tenant.id, timezone, siteCount],
  )
  const siteIds = sites.map(({ id }) => id)
  await owner('insert into streams (tenant_id, site_id) select $1, unnest($2::bigint[])', [tenant.id, [0, ...siteIds]])
  const services = await owner<TenantFixture['services'][number]>(
    `insert into services (tenant_id, name, code)
     select $1, 'Service ' || n, case when n <= 26 then chr(64 + n) else chr(64 + n / 26) || chr(65 + n % 26) end
     from generate_series(1, $2::int) n returning id, code`,
    [tenant.id, queueCount],
  )
  const queues = await owner<TenantFixture['queues'][number]>(
    `insert into queues (tenant_id, site_id, service_id, name, number_prefix)
     select $1, site_id, s.id, s.name, s.code
     from unnest($2::bigint[]) with ordinality as sites(site_id, n)
     cross join (select id, name, code from services where tenant_id = $1) s order by n, s.id
     returning id, site_id, service_id`,
    [tenant.id, siteIds],
  )
  const counters = await owner<TenantFixture['counters'][number]>(
    `insert into counters (tenant_id, site_id, name)
     select $1, site_id, 'Counter ' || c from unnest($2::bigint[]) with ordinality as sites(site_id, n),
       generate_series(1, $3::int) c order by n, c
     returning id, site_id`,
    [tenant.id, siteIds, Math.max(perSite, agentCount)],
  )
  const users = await owner<Row & { role: Role }>(
    `with people as (
       insert into users (email, name)
       select role || n || '@' || $2::text || '.example', initcap(role) || ' ' || n
       from (select 'admin' as role, 1 as n union all select 'supervisor', 1
             union all select 'agent', generate_series(1, $3::int)) wanted
       returning id, email)
     insert into memberships (tenant_id, user_id, role)
     select $1, id, regexp_replace(email, '\\d.*$', '') from people order by id returning user_id as id, role`,
    [tenant.id, slug, agentCount * siteCount],
  )
  const ofRole = (role: Role) => users.filter((user) => user.role === role)
  const seats = siteIds.flatMap((siteId) => counters.filter(({ site_id }) => site_id === siteId).slice(0, agentCount))
  const agents = await owner<TenantFixture['agents'][number]>(
    `insert into agents (tenant_id, user_id, site_id, counter_id, name, status)
     select $1, user_id, site_id, counter_id, 'Agent ' || n, $5
     from unnest($2::bigint[], $3::bigint[], $4::bigint[]) with ordinality as a(user_id, site_id, counter_id, n) order by n
     returning id, user_id, site_id, counter_id`,
    [
      tenant.id,
      ofRole('agent').map(({ id }) => id),
      seats.map((seat) => seat.site_id),
      seats.map(({ id }) => id),
      agentStatus,
    ],
  )
  await owner(
    `insert into agent_queues (tenant_id, agent_id, queue_id)
     select a.tenant_id, a.id, q.id from agents a join queues q on q.tenant_id = a.tenant_id and q.site_id = a.site_id
     where a.tenant_id = $1`,
    [tenant.id],
  )

  const actor = (role: Role, principal: string, userId: number | null = null): Actor => ({
    role,
    principal,
    tenantId: tenant.id,
    userId,
    scopes: new Set(ROLE_SCOPES[role]),
    sessionId: null,
    ticketId: null,
  })
  // Whoever has just signed in has proved who they are.
  const user = (role: Role, { id }: Row) => ({ ...actor(role, `user:${id}`, id), provenAt: Math.floor(now() / 1000) })
  return {
    tenant,
    sites,
    services,
    queues,
    counters,
    agents,
    admin: user('admin', ofRole('admin')[0]!),
    supervisor: user('supervisor', ofRole('supervisor')[0]!),
    agentActors: agents.map(({ user_id }) => user('agent', { id: user_id })),
    kiosk: actor('kiosk', 'device:1'),
    display: actor('display', 'device:2'),
    apiKey: actor('api_key', 'api_key:1'),
    anonymous: anonymousActor,
    system: systemActor(tenant.id),
  }
}

/** Nobody in particular, as every visitor arrives. */
export const anonymousActor: Actor = {
  role: 'anonymous',
  principal: 'anonymous',
  tenantId: null,
  userId: null,
  scopes: new Set(),
  sessionId: null,
  ticketId: null,
}
