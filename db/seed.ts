import type { Database, Tx } from '../server/kernel/db/index.ts'
import type { Tenant } from '../server/kernel/operation.ts'
import { hashPassword } from '../server/modules/authentication/index.ts'
import { lineLook } from '../server/modules/sites/index.ts'
import { createTenant } from '../server/modules/tenants/index.ts'
import { DEMO_TENANTS, type DemoTenantPlan } from './demo/tenants.ts'

/** Of every demo login. It is public: never seed where anybody but you can sign in. */
export const DEMO_PASSWORD = 'smartqueue-demo'

interface Row {
  id: number
  name: string
}
/** What the demo made, or found from last time: everything that links and logins are printed from. */
export interface DemoTenant {
  tenant: Pick<Tenant, 'id' | 'slug' | 'name'>
  sites: (Row & { slug: string })[]
  queues: (Row & { site_id: number; number_prefix: string })[]
  displays: (Row & { site_id: number; link_version: number })[]
  agents: (Row & { site_id: number; email: string })[]
  admin: string
  supervisor: string
}

/** Puts the demo's organisations into the database. What is there already stays as it is, so it can run at every start. */
export async function seedDemo(db: Database): Promise<DemoTenant[]> {
  const seeded: DemoTenant[] = []
  for (const plan of DEMO_TENANTS) seeded.push(await seedOrganisation(db, plan))
  return seeded
}

/** One organisation with its places and people. What is there already stays as it is. */
export async function seedOrganisation(db: Database, plan: DemoTenantPlan, isSandbox = false): Promise<DemoTenant> {
  const passwordHash = await hashPassword(DEMO_PASSWORD)
  const tenant = await db.platform(async (tx) => {
    // Two processes that start at once must not both create it.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('smartqueue demo', 0))`)
    const { slug, name, locale, timezone } = plan
    const known = await tx.maybe<DemoTenant['tenant']>('select id, slug, name from tenants where slug = $1', [slug])
    return known ?? (await createTenant(tx, { slug, name, locale, timezone, is_sandbox: isSandbox }))
  })
  return db.tenant(tenant.id, (tx) => fillOrganisation(tx, tenant, plan, passwordHash))
}

/** Places, services and agents of a plan. @param passwordHash of every login; null: nobody can sign in, agents are nobody's */
export async function fillOrganisation(
  tx: Tx,
  tenant: DemoTenant['tenant'],
  plan: DemoTenantPlan,
  passwordHash: string | null,
): Promise<DemoTenant> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('smartqueue demo', 0))`)
  const services = await addServices(tx, plan)
  const admin = `admin@${plan.slug}.example`
  const supervisor = `supervisor@${plan.slug}.example`
  if (passwordHash !== null) {
    await addUser(tx, admin, 'Alex Admin', 'admin', passwordHash)
    await addUser(tx, supervisor, 'Sacha Supervisor', 'supervisor', passwordHash)
  }
  let serial = 0
  for (const site of plan.sites) {
    const siteId = await addSite(tx, plan, site)
    const lines = services.filter(({ code }) => !site.serves || site.serves.includes(code))
    await tx.query(
      `insert into queues (site_id, service_id, name, number_prefix)
       select $1, id, name, code from services where id = any($2) on conflict do nothing`,
      [siteId, lines.map(({ id }) => id)],
    )
    // One more than agents: the free one is for whoever tries the demo.
    await tx.query(
      `insert into counters (site_id, name) select $1, $2 || ' ' || n from generate_series(1, $3::int) n on conflict do nothing`,
      [siteId, plan.counter, site.agents.length + 1],
    )
    for (const [n, [name, serves]] of site.agents.entries()) {
      const email = `agent${++serial}@${plan.slug}.example`
      const userId = passwordHash === null ? null : await addUser(tx, email, name, 'agent', passwordHash)
      await addAgent(tx, { siteId, userId, name, counter: `${plan.counter} ${n + 1}`, serves })
    }
    for (const { name, languages } of site.displays) {
      await tx.query(
        `insert into displays (site_id, name, settings) select $1, $2::text, $3::jsonb
         where not exists (select from displays where site_id = $1 and name = $2::text)`,
        [siteId, name, JSON.stringify({ languages, voice: true, chime: true })],
      )
    }
  }
  return {
    tenant: { id: tenant.id, slug: tenant.slug, name: tenant.name },
    sites: await tx.query('select id, name, slug from sites order by id'),
    queues: await tx.query('select id, name, site_id, number_prefix from queues order by site_id, number_prefix'),
    displays: await tx.query('select id, name, site_id, link_version from displays order by id'),
    agents: await tx.query(
      'select a.id, a.name, a.site_id, u.email from agents a join users u on u.id = a.user_id order by a.id',
    ),
    admin,
    supervisor,
  }
}

async function addServices(tx: Tx, plan: DemoTenantPlan): Promise<{ id: number; code: string }[]> {
  const rows = plan.services.map(([code, fr, en, ar, minutes]) => {
    const names = { fr, en, ar }
    return { code, name: names[plan.locale], names, ...lineLook(code), expected_duration_seconds: minutes * 60 }
  })
  await tx.query(
    `insert into services (code, name, names, colour, shape, expected_duration_seconds)
     select * from jsonb_to_recordset($1::jsonb)
       as s(code text, name text, names jsonb, colour text, shape text, expected_duration_seconds int)
     on conflict do nothing`,
    [JSON.stringify(rows)],
  )
  return tx.query('select id, code from services')
}

async function addSite(tx: Tx, plan: DemoTenantPlan, site: DemoTenantPlan['sites'][number]): Promise<number> {
  await tx.query(
    `insert into sites (slug, name, address, latitude, longitude, timezone) values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing`,
    [site.slug, site.name, site.address, site.latitude, site.longitude, plan.timezone],
  )
  const { id } = await tx.one<{ id: number }>('select id from sites where slug = $1', [site.slug])
  await tx.query('insert into streams (site_id) values ($1) on conflict do nothing', [id])
  return id
}

async function addUser(tx: Tx, email: string, name: string, role: string, passwordHash: string): Promise<number> {
  await tx.query('insert into users (email, name, password_hash) values ($1, $2, $3) on conflict do nothing', [
    email,
    name,
    passwordHash,
  ])
  const { id } = await tx.one<{ id: number }>('select id from users where email = $1', [email])
  await tx.query('insert into memberships (user_id, role) values ($1, $2) on conflict do nothing', [id, role])
  return id
}

interface AgentPlan {
  siteId: number
  userId: number | null
  name: string
  counter: string
  serves: string
}
async function addAgent(tx: Tx, { siteId, userId, name, counter, serves }: AgentPlan): Promise<void> {
  const added = await tx.maybe<{ id: number }>(
    `insert into agents (site_id, user_id, name, counter_id)
     select $1, $2, $3, (select id from counters where site_id = $1 and name = $4)
     on conflict (tenant_id, site_id, user_id) do nothing returning id`,
    [siteId, userId, name, counter],
  )
  if (!added) return
  await tx.query(
    `insert into agent_queues (agent_id, queue_id)
     select $1, q.id from queues q join services s on s.id = q.service_id where q.site_id = $2 and s.code = any($3)`,
    [added.id, siteId, serves.split('')],
  )
}
