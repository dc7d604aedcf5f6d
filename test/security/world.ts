import { ROLE_SCOPES, type Actor, type Role } from '../../server/kernel/access.ts'
import type { Direct } from '../../server/kernel/db/index.ts'
import { aTenant, type TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import type { Client } from './client.ts'

/** One organisation with something in every corner, each text of which carries a word that stands nowhere else. */
export interface Furnished extends TenantFixture {
  slug: string
  canary: string
  /** Public tokens of live tickets. */
  visits: string[]
}
export interface World {
  owner: Direct['query']
  /** Tables with a `tenant_id`. */
  tables: string[]
  /** Those of them whose rows have a number called `id`. */
  numbered: Set<string>
  /** Whoever attacks, and whose rows must stay as they are and unseen. */
  own: Furnished
  other: Furnished
}

/** As long as any run. */
const LIFE_SECONDS = 3600
/** The other organisation's numbers are of one table each, and none that anybody meets by counting. */
const FAR = 700_001
let sessions = 0

/** A bearer token for a role of the organisation; each from a session of its own, so that ending one ends no other. */
export function tokenFor({ admin, supervisor, agentActors, kiosk, display, apiKey }: Furnished, role: Role): string {
  const known: Partial<Record<Role, Actor>> = {
    admin,
    supervisor,
    agent: agentActors[0]!,
    kiosk,
    display,
    api_key: apiKey,
  }
  const actor = known[role] ?? {
    ...admin,
    role,
    principal: `${role}:1`,
    ...(role === 'operator' && { tenantId: null }),
    scopes: new Set(ROLE_SCOPES[role]),
  }
  return tokenOf({ ...actor, sessionId: `session-${++sessions}` }, LIFE_SECONDS)
}

/** @throws Error when a corner stays empty: the run would prove less than it says */
export async function furnishedWorld(owner: Direct['query'], client: Client): Promise<World> {
  const columns = await owner<{ table: string; column: string; identity: boolean }>(
    `select c.table_name as table, c.column_name as column, c.is_identity = 'YES' as identity from information_schema.columns c
     join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
       and not (select r.relispartition from pg_class r where r.oid = format('public.%I', c.table_name)::regclass) order by 1`,
  )
  const having = (column: string) => columns.filter((each) => each.column === column).map(({ table }) => table)
  const own = await furnish(owner, client, 'own-office', 'kanari-own')
  const numbered = having('id').filter((table) => having('tenant_id').includes(table))
  const counted = columns.filter(
    ({ table, column, identity }) =>
      identity && column === 'id' && (table === 'tenants' || table === 'users' || numbered.includes(table)),
  )
  for (const [n, { table }] of counted.entries())
    await owner(`alter table ${table} alter column id restart with ${FAR * (n + 1)}`)
  const other = await furnish(owner, client, 'other-office', 'kanari-other-7f3q')
  return { owner, tables: having('tenant_id'), numbered: new Set([...numbered, 'users']), own, other }
}

async function furnish(owner: Direct['query'], client: Client, slug: string, canary: string): Promise<Furnished> {
  const fixture = await aTenant(owner, { slug, sites: 2, queues: 2, counters: 3, agents: 2 })
  const { tenant, queues, agents, sites } = fixture
  const furnished: Furnished = { ...fixture, slug, canary, visits: [] }
  const token = tokenFor(furnished, 'admin')
  const refusals: string[] = []
  async function make(method: string, path: string, input: object, by: string | undefined = token) {
    const full =
      path.startsWith('/t/') || path.startsWith('/public/') ? `/api/v1${path}` : `/api/v1/tenants/${slug}${path}`
    const { status, body } = await client.json(method, full, by, input)
    if (status >= 300) refusals.push(`${method} ${path}: ${status} ${body.slice(0, 200)}`)
    return (body.startsWith('{') ? JSON.parse(body) : {}) as Record<string, unknown> & { id: number }
  }
  await owner(`update tenants set take_challenge = 'never' where id = $1`, [tenant.id])
  const [queue, second] = [queues[0]!.id, queues[1]!.id]
  const site = sites[0]!.id
  const customer = { name: `${canary} Haddad`, email: `${canary}@example.org`, phone: '+33612345678' }
  const day = (days: number) => Temporal.Now.plainDateISO('UTC').add({ days }).toString()
  const at = (days: number, time: string) => `${day(days)}T${time}:00Z`

  for (const { id } of sites)
    await make('PATCH', `/sites/${id}/`, { name: `Place ${canary}`, address: `${canary} street` })
  for (const { id } of fixture.services) await make('PATCH', `/services/${id}/`, { name: `Service ${canary}` })
  for (const { id } of queues) await make('PATCH', `/queues/${id}/`, { name: `Line ${canary}` })
  for (const { id } of fixture.counters)
    await make('PATCH', `/counters/${id}/`, { name: `Desk ${id} ${canary}`, hint: canary })
  for (const { id } of agents) await make('PATCH', `/agents/${id}/`, { name: `Agent ${canary}` })
  const { id: known } = await make('POST', '/customers/', { ...customer, note: canary, external_id: canary })
  await make('POST', '/customers/', { name: `Second ${canary}` })
  await make('POST', '/queue-rules/', {
    queue_id: queue,
    name: canary,
    condition: { languages: ['ar'] },
    effect: { priority: 5 },
  })
  await make('POST', `/queues/${queue}/publish-rules/`, { note: canary })
  await make('POST', '/work-profiles/', { site_id: site, name: canary, queues: [{ queue_id: queue }] })
  for (const id of [queue, second])
    await make('POST', '/booking-settings/', { queue_id: id, lead_seconds: 0, capacity: 20, max_per_customer: 10 })
  await make('POST', '/agent-hours/', { agent_id: agents[0]!.id, hours: { weekly: {} } })
  await make('POST', '/displays/', { site_id: site, name: canary, queue_ids: [queue] })
  await make('POST', '/kiosks/', { site_id: site, name: canary, queue_ids: [queue] })
  await make('POST', '/templates/', { event: 'called', channel: 'sms', language: 'en', body: `{number} ${canary}` })
  await make('POST', '/notification-rules/', { queue_id: queue, event: 'called', channels: ['sms'] })
  await make('POST', '/scheduled-reports/', {
    name: canary,
    frequency: 'weekly',
    recipients: [`${canary}@example.org`],
  })
  const { id: webhook } = await make('POST', '/webhooks/', {
    url: `https://${canary}.example.org/hook`,
    description: canary,
    events: ['ticket.*'],
  })
  await make('POST', '/api-keys/', { name: canary, scopes: ['read:queue'] })
  await make('POST', '/invitations/', { email: `invited-${canary}@example.org`, role: 'agent' })
  await make('POST', '/media/', { kind: 'image', name: canary, alt: { fr: canary } })
  await make('POST', '/calendar-feeds/', { name: canary, site_id: site })
  await make('PUT', `/sites/${site}/quiet-hours/`, { starts: '21:00', ends: '08:00' })
  await make('PUT', '/message-prices/sms/', { price_micros: 45_000, currency: 'EUR' })
  await make('POST', '/exports/', { kind: 'tickets', format: 'csv', from: day(-1), to: day(0) })
  const content = Buffer.from(`name,phone\n${canary},+33612345699\n`).toString('base64')
  await make('POST', '/imports/', { kind: 'customers', format: 'csv', content })
  await make('POST', `/sites/${site}/alert/`, { kind: 'notice', text: { fr: canary } })
  await make('POST', '/appointments/', { queue_id: queue, start_at: at(2, '09:00'), customer_id: known, note: canary })
  await make('POST', '/appointments/series/', {
    queue_id: second,
    start_at: at(3, '10:00'),
    rule: 'FREQ=DAILY;COUNT=2',
    customer_id: known,
    note: canary,
  })

  // Tickets in every state, each with words of a visitor.
  let visitors = 0
  const take = async (of: number) => {
    const ticket = await make('POST', '/tickets/', {
      queue_id: of,
      channel: 'reception',
      customer: { name: `${canary} Visitor`, phone: `+3361234600${++visitors}` },
      note: canary,
      labels: [canary],
      fields: { who: canary },
    })
    if (typeof ticket['public_token'] === 'string') furnished.visits.push(ticket['public_token'])
    return ticket.id
  }
  const act = (id: number, name: string, input: object = {}) => make('POST', `/tickets/${id}/${name}/`, input)
  const served = await take(queue)
  await act(served, 'call', { agent_id: agents[0]!.id })
  await act(served, 'start')
  await act(served, 'complete')
  const visitor = furnished.visits.shift()!
  await make('POST', `/t/${visitor}/rate/`, { rating: 4, comment: canary }, '')
  const called = await take(queue)
  await act(called, 'call', { agent_id: agents[1]!.id })
  for (let i = 0; i < 4; i++) await take(i % 2 ? queue : second)
  await act(await take(second), 'cancel', { reason: canary })
  furnished.visits.pop()
  await make('POST', `/tickets/${called}/messages/`, { body: canary })
  await make('POST', `/t/${furnished.visits.at(-1)}/messages/`, { body: canary }, '')

  // What only other programs make, or a calendar without a free hour.
  const { id: tenantId } = tenant
  await owner(
    `insert into appointment_waiters (tenant_id, site_id, queue_id, customer_id, from_day, to_day, token_hash)
     values ($1, $2, $3, $4, $5, $5, sha256($6::bytea))`,
    [tenantId, site, queue, known, day(5), Buffer.from(canary)],
  )
  await owner(
    `insert into webhook_deliveries (tenant_id, webhook_id, site_id, epoch, "offset", type)
     values ($1, $2, $3, $4, 1, 'ticket.created')`,
    [tenantId, webhook, site, canary],
  )
  await owner(
    `insert into devices (tenant_id, kind, site_id, name) values ($1, 'kiosk', $2, $3), ($1, 'display', $2, $3)`,
    [tenantId, site, canary],
  )
  await owner(
    `insert into calendar_links (tenant_id, site_id, agent_id, url, username, password) values ($1, $2, $3, $4, $5, $5::text::bytea)`,
    [tenantId, site, agents[0]!.id, `https://${canary}.example.org/`, canary],
  )
  await owner(
    `insert into voice_clips (tenant_id, language, word, type, sha256, bytes)
     values ($1, 'fr', '7', 'audio/wav', sha256($2::bytea), $2::bytea)`,
    [tenantId, Buffer.from(canary)],
  )
  if (refusals.length > 0) throw new Error(`${slug} is not furnished:\n${refusals.join('\n')}`)
  return furnished
}

/** What the rows of an organisation are, by table; equal as long as none of them changed. */
export async function hashesOf({ owner, tables }: World, { tenant }: Furnished): Promise<Map<string, string>> {
  const rows = await owner<{ table: string; hash: string | null }>(
    tables
      .map(
        (table) =>
          `select '${table}' as table, md5(string_agg(t::text, chr(10) order by t::text)) as hash from ${table} t where tenant_id = $1`,
      )
      .join(' union all '),
    [tenant.id],
  )
  return new Map(rows.map(({ table, hash }) => [table, hash ?? '']))
}

/** Numbers that rows of an organisation have, by table: the thirty oldest. */
export async function idsOf({ owner, tables, numbered }: World, { tenant }: Furnished): Promise<Map<string, number[]>> {
  const rows = await owner<{ table: string; ids: number[] | null }>(
    [
      `select 'users' as table, array_agg(user_id::text) as ids from memberships where tenant_id = $1`,
      `select 'tenants', array[$1::bigint::text]`,
      ...tables
        .filter((table) => numbered.has(table))
        .map(
          (table) =>
            `select '${table}', (select array_agg(id) from (select id::text from ${table} where tenant_id = $1 order by ${table}.id limit 30) t)`,
        ),
    ].join(' union all '),
    [tenant.id],
  )
  return new Map(rows.map(({ table, ids }) => [table, (ids ?? []).map(Number).filter(Number.isSafeInteger)]))
}
