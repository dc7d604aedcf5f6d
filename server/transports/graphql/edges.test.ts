import { expect, test } from 'vitest'
import type { Actor } from '../../kernel/access.ts'
import type { Database, Tx } from '../../kernel/db/types.ts'
import { startApp } from '../../test/app.ts'

const { app, db, owner, aTenant, as } = await startApp()
const t = await aTenant({ slug: 'bank', sites: 2, queues: 3, agents: 3, counters: 3 })
const other = await aTenant({ slug: 'other', queues: 1 })

/** Counts every statement that reads, at the one door to the database. */
let statements = 0
const open = db.reader.bind(db)
;(db as { reader: Database['reader'] }).reader = (tenantId, pool) => {
  const tx = open(tenantId, pool)
  const counted =
    <A extends readonly unknown[], R>(run: (...args: A) => R) =>
    (...args: A) => {
      statements++
      return run(...args)
    }
  return { query: counted(tx.query.bind(tx)), maybe: counted(tx.maybe.bind(tx)), one: counted(tx.one.bind(tx)) } as Tx
}

async function ask(query: string, actor: Actor | null = t.admin, headers: Record<string, string> = {}) {
  const answer = await app.inject({
    method: 'POST',
    url: '/graphql',
    headers: { ...(actor && as(actor)), ...headers },
    payload: { query },
  })
  return answer.json<{ data: any; errors?: { path: (string | number)[]; extensions: { code: string } }[] }>()
}

// Sixty tickets of sixty people in all queues, a third of them called by agents at counters.
const agents = t.agents.slice(0, 3)
await owner(
  `with people as (
     insert into customers (tenant_id, name) select $1, 'Person ' || n from generate_series(1, 60) n returning id)
   insert into tickets (tenant_id, site_id, queue_id, service_id, number, channel, status, rank, customer_id, agent_id, counter_id, called_at, day, series_queue_id, entered_at, series_day, serial, created_at)
   select $1, q.site_id, q.id, q.service_id, 'X' || lpad(n::text, 3, '0'), 'kiosk',
          case when n % 20 = 1 then 'appelé' else 'en_attente' end, n, p.id,
          case when n % 20 = 1 then ($2::bigint[])[n / 20 + 1] end, case when n % 20 = 1 then ($3::bigint[])[n / 20 + 1] end,
          case when n % 20 = 1 then now() end, current_date, q.id, now(), current_date, n, now()
   from (select id, row_number() over (order by id) as n from people) p
   join lateral (select * from queues where tenant_id = $1 order by id offset (n - 1) % 3 limit 1) q on true`,
  [t.tenant.id, agents.map(({ id }) => id), agents.map(({ counter_id }) => counter_id)],
)

const LEVELS = `id number queue { name site { name } service { code } } customer { name } agent { name user { email } counter { name } }
  counter { name } service { name }`
const cost = async (query: string) => {
  await ask(query)
  statements = 0
  const answer = await ask(query)
  expect(answer.errors).toBeUndefined()
  return { statements, data: answer.data }
}

test.each([
  ['one level and two', (n: number) => `{ tickets(ordering: created_at, first: ${n}) { nodes { ${LEVELS} } } }`],
  [
    'connections in connections',
    (n: number) => `{ queues(first: 3) { nodes { name tickets(first: ${n}) { nodes { ${LEVELS} } } } } }`,
  ],
  [
    'sites, queues, agents',
    (n: number) =>
      `{ sites(first: 2) { nodes { queues(first: ${Math.min(n, 20)}) { nodes { agents(first: 4) { nodes { user { name } queues { queue { name } } } } } } } } }`,
  ],
])('%s: the number of statements does not grow with the number of rows', async (_, query) => {
  const counts = []
  for (const n of [1, 10, 50]) counts.push((await cost(query(n))).statements)
  expect(counts[0]).toBeGreaterThan(3)
  expect(Math.max(...counts)).toBe(counts[0])
})

test('control: reading each link by itself grows', async () => {
  const naive = async (n: number) => {
    const { data } = await cost(`{ tickets(ordering: created_at, first: ${n}) { nodes { id queue_id } } }`)
    statements = 0
    for (const { queue_id } of data.tickets.nodes) await ask(`{ queue(id: ${queue_id}) { name } }`)
    return statements
  }
  const [one, ten] = [await naive(1), await naive(10)]
  expect(ten).toBe(10 * one)
})

test('links say what they say over REST', async () => {
  const { data } = await ask(
    `{ tickets(ordering: created_at, first: 60) { nodes { id queue_id queue { id status name } agent_id agent { id status } } } }`,
  )
  for (const node of data.tickets.nodes) {
    expect(node.queue.id).toBe(node.queue_id)
    expect(node.agent?.id ?? null).toBe(node.agent_id)
  }
  const rest = await app.inject({ url: `/api/v1/queues/${data.tickets.nodes[0].queue_id}/`, headers: as(t.admin) })
  expect(data.tickets.nodes[0].queue).toMatchObject({
    name: rest.json<{ name: string }>().name,
    status: rest.json<{ status: string }>().status,
  })
})

test('children have cursors of their own', async () => {
  const id = t.queues[0]!.id
  const page = async (rest: string) =>
    (
      await ask(
        `{ queue(id: ${id}) { tickets(first: 4 ${rest}) { nodes { number } pageInfo { endCursor hasNextPage } } } }`,
      )
    ).data.queue.tickets
  const seen: string[] = []
  let more = ''
  for (;;) {
    const { nodes, pageInfo } = await page(more)
    seen.push(...nodes.map(({ number }: { number: string }) => number))
    if (!pageInfo.hasNextPage) break
    more = `, after: "${pageInfo.endCursor}"`
  }
  expect(seen).toEqual(seen.toSorted())
  expect(new Set(seen).size).toBe(20)
  const called = (await page(', status: [called]')).nodes
  expect(called.length).toBeGreaterThan(0)
  expect(called.length).toBeLessThan(4)
  const bad = await ask(`{ queue(id: ${id}) { tickets(after: "nonsense") { nodes { id } } } }`)
  expect(bad.errors![0]!.extensions.code).toBe('invalid_input')
})

test('no link leads to another tenant', async () => {
  // Rows that no constraint lets in: a ticket of ours that points at theirs.
  const everything = JSON.stringify(
    await ask(
      `{ sites { nodes { name queues { nodes { name tickets(first: 50) { nodes { number customer { name } agent { name } } } } }
      agents { nodes { name } } counters { nodes { name } } } } customers(first: 100) { nodes { name tickets { nodes { id } } } } }`,
      other.admin,
    ),
  )
  expect(everything).not.toContain('Person')
  expect(everything).not.toContain('X0')
  for (const field of ['queue', 'site', 'agent', 'counter', 'service']) {
    const own = { queue: t.queues, site: t.sites, agent: t.agents, counter: t.counters, service: t.services }[
      field
    ]![0]!.id
    const { errors } = await ask(`{ ${field}(id: ${own}) { id } }`, other.admin)
    expect(errors![0]!.extensions.code).toBe('not_found')
  }
})

test('who is limited to a queue or a site sees no other through a link', async () => {
  const [own] = t.queues
  const limited: Actor = { ...t.agentActors[0]!, queueIds: [own!.id] }
  const site = t.sites[0]!.id
  const { data } = await ask(
    `{ site(id: ${site}) { queues { nodes { id tickets(first: 60) { nodes { queue_id } } } } } }`,
    limited,
  )
  expect(data.site.queues.nodes.map(({ id }: { id: string }) => Number(id))).toEqual([own!.id])
  const customers = await ask('{ customers(first: 60) { nodes { tickets { nodes { queue_id } } } } }', limited)
  const queues = customers.data.customers.nodes.flatMap(({ tickets }: any) =>
    tickets.nodes.map((ticket: any) => Number(ticket.queue_id)),
  )
  expect(new Set(queues)).toEqual(new Set([own!.id]))
  const elsewhere: Actor = { ...t.supervisor, siteIds: [t.sites[1]!.id] }
  const service = await ask(`{ service(id: ${t.services[0]!.id}) { queues { nodes { site_id } } } }`, elsewhere)
  expect(service.data.service.queues.nodes.map(({ site_id }: any) => Number(site_id))).toEqual([t.sites[1]!.id])
})

test('a link asks for the role and the scope of what it leads to', async () => {
  const people = await ask('{ agents(first: 1) { nodes { name user { email } } } }', t.agentActors[0]!)
  expect(people.errors![0]!.extensions.code).toBe('forbidden')
  expect(people.data.agents.nodes[0].user).toBeNull()
  const scopeless: Actor = { ...t.admin, scopes: new Set(['read:ticket']) }
  const tickets = await ask('{ tickets(first: 1) { nodes { number customer { name } queue { name } } } }', scopeless)
  expect(tickets.errors!.map(({ extensions }) => extensions.code)).toEqual(['forbidden', 'forbidden'])
  expect(tickets.data.tickets.nodes[0]).toMatchObject({ customer: null, queue: null })
  const screen = await ask('{ queues(first: 1) { nodes { name tickets { nodes { number } } } } }', t.display)
  expect(screen.errors![0]!.extensions.code).toBe('forbidden')
})

test('a visitor’s token opens the own ticket and no link', async () => {
  const taken = await ask(
    `mutation { takeTicket(input: { queue_id: ${t.queues[3]!.id}, channel: qr }) { public_token queue { name } site { name } } }`,
    null,
    { 'x-tenant': 'bank' },
  )
  expect(taken.errors!.map(({ path }) => path)).toEqual([
    ['takeTicket', 'queue'],
    ['takeTicket', 'site'],
  ])
  expect(taken.data.takeTicket).toMatchObject({ queue: null })
  expect(taken.errors![0]!.extensions.code).toBe('unauthorized')
})
