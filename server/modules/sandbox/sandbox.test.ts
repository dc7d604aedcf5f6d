import { expect, test } from 'vitest'
import { startJobs } from '../../app.ts'
import { createLogger } from '../../kernel/log.ts'
import type { Actor } from '../../kernel/access.ts'
import { startApp } from '../../test/app.ts'
import { whenOver } from '../../test/when-over.ts'
import { CLOCKS, movingStatements } from './clock-columns.ts'

const server = await startApp()
const t = await server.aTenant({ slug: 'play', queues: 1, agents: 1 })
const real = await server.aTenant({ slug: 'real', queues: 1, agents: 1 })
await server.owner('update tenants set is_sandbox = true where id = $1', [t.tenant.id])
const queueId = t.queues[0]!.id

const answer = async (actor: Actor, method: 'GET' | 'POST' | 'PATCH', path: string, body?: object) => {
  const slug = actor.tenantId === t.tenant.id ? 'play' : 'real'
  const response = await server.app.inject({
    method,
    url: `/api/v1/tenants/${slug}${path}`,
    headers: server.as(actor),
    ...(body && { payload: body }),
  })
  return { status: response.statusCode, body: response.body ? (response.json() as Record<string, any>) : {} }
}
const run = async (method: 'GET' | 'POST' | 'PATCH', path: string, body?: object, actor = t.admin) => {
  const { status, body: said } = await answer(actor, method, path, body)
  expect([path, status < 300 ? 'done' : said]).toEqual([path, 'done'])
  return said
}
const take = () => run('POST', '/tickets/', { queue_id: queueId, channel: 'api' })
const advance = (seconds: number) => run('POST', '/sandbox/advance/', { seconds })
const ticket = (id: number) => run('GET', `/tickets/${id}/`)
const DAY = 86_400
/** Seconds until midnight by the sandbox's clock. */
async function untilMidnight(): Promise<number> {
  const local = Temporal.Instant.from((await run('GET', '/sandbox/'))['now']).toZonedDateTimeISO(t.tenant.timezone)
  return Math.ceil(local.until(local.add({ days: 1 }).startOfDay()).total('seconds'))
}
// Half past midnight there, whatever the time is here: no day ends before it is to.
await advance((await untilMidnight()) + 1800)

test('every column of time of an organisation’s tables moves, or stays for a reason', async () => {
  const columns = await server.owner<{ table: string; column: string; type: string }>(
    `select c.table_name as table, c.column_name as column, c.data_type as type
     from information_schema.columns c
     join information_schema.columns own on own.table_name = c.table_name and own.table_schema = 'public' and own.column_name = 'tenant_id'
     join information_schema.tables t on t.table_name = c.table_name and t.table_schema = 'public' and t.table_type = 'BASE TABLE'
     where c.table_schema = 'public' and (c.data_type like 'timestamp%' or c.data_type = 'date')
       and not exists (select from pg_inherits i where i.inhrelid = format('public.%I', c.table_name)::regclass)`,
  )
  const there = columns.map(({ table, column }) => `${table}.${column}`).toSorted()
  const told = Object.entries(CLOCKS)
    .flatMap(([table, { moved = [], days = [], stays }]) =>
      [...moved, ...days, ...(stays?.[0] ?? [])].map((column) => `${table}.${column}`),
    )
    .toSorted()
  expect(told).toEqual(there)
  // Days are moved as days, instants as instants.
  const typeOf = new Map(columns.map(({ table, column, type }) => [`${table}.${column}`, type]))
  for (const [table, { moved = [], days = [] }] of Object.entries(CLOCKS)) {
    expect(moved.filter((column) => typeOf.get(`${table}.${column}`) === 'date')).toEqual([])
    expect(days.filter((column) => typeOf.get(`${table}.${column}`) !== 'date')).toEqual([])
  }
  // Ranks too, and a statement for whatever moves.
  expect(movingStatements(1, 1).filter(({ text }) => text.includes('rank'))).toHaveLength(1)
})

test('time passes in a sandbox only', async () => {
  for (const path of ['/sandbox/advance/', '/sandbox/reset/']) {
    const { status, body } = await answer(real.admin, 'POST', path, {
      ...(path.includes('advance') && { seconds: 60 }),
    })
    expect([status, body['code']]).toEqual([409, 'no_sandbox'])
  }
  expect((await answer(t.supervisor, 'POST', '/sandbox/advance/', { seconds: 60 })).status).toBe(403)
})

test('people have waited longer, in the same order; nobody else’s time moves', async () => {
  const other = (await answer(real.admin, 'POST', '/tickets/', { queue_id: real.queues[0]!.id, channel: 'api' })).body
  const first = await take()
  await advance(1800)
  const second = await take()
  const moved = await ticket(first['id'])
  expect(Date.parse(first['created_at']) - Date.parse(moved['created_at'])).toBe(1_800_000)
  expect(first['rank'] - moved['rank']).toBe(1_800_000_000)
  const { results } = await run('GET', `/tickets/?status=en_attente&ordering=rank`)
  expect(results.map(({ id }: { id: number }) => id)).toEqual([first['id'], second['id']])
  // What is answered from memory knows it, too.
  const board = await run('GET', `/queues/${queueId}/board/`)
  expect(board['waiting'][0]['created_at']).toBe(moved['created_at'])
  const stats = await run('GET', `/queues/${queueId}/stats/`)
  expect(stats['longest_wait_seconds']).toBeGreaterThanOrEqual(1800)
  const untouched = (await answer(real.admin, 'GET', `/tickets/${other['id']}/`)).body
  expect([untouched['created_at'], untouched['rank']]).toEqual([other['created_at'], other['rank']])
  const { results: events } = await run('GET', '/events/?types=sandbox.advanced')
  expect(events.map(({ data }: { data: object }) => data)).toContainEqual({
    seconds: 1800,
    ahead_seconds: expect.any(Number),
  })
})

test('a call runs out, and at midnight by the sandbox’s clock the day is over and numbers begin anew', async () => {
  const jobs = await startJobs(server, createLogger({ level: 'error', destination: process.stderr }))
  whenOver(() => jobs.stop())
  await run('PATCH', `/queues/${queueId}/`, { no_show_after_seconds: 600 })
  const waiting = await take()
  const { ticket: called } = await run('POST', `/agents/${t.agents[0]!.id}/call-next/`, {})
  await advance(700)
  await expect.poll(async () => (await ticket(called.id))['status']).toBe('absent')
  expect((await ticket(waiting['id']))['status']).toBe('en_attente')

  // To just before midnight by its clock; then over it.
  await advance((await untilMidnight()) - 60)
  const late = await take()
  await advance(120)
  await expect.poll(async () => (await ticket(late['id']))['status']).toBe('expiré')
  expect((await ticket(waiting['id']))['status']).toBe('expiré')
  expect((await take())['number']).toBe('A001')
  // Days follow one another, and no two rows are in each other's way.
  for (let day = 0; day < 3; day++) {
    await take()
    await advance(DAY)
  }
  const days = await server.owner<{ count: number }>(
    `select count(distinct day)::int as count from queue_days where tenant_id = $1`,
    [t.tenant.id],
  )
  expect(days).toEqual([{ count: 4 }])
  const ran = await server.owner(`select from nightly_runs where tenant_id = $1`, [t.tenant.id])
  expect(ran.length).toBeGreaterThan(0)
})

test('appointments come nearer without meeting one another', async () => {
  const site = t.sites[0]!.id
  const service = t.services[0]!.id
  await server.owner(
    `insert into appointments (tenant_id, site_id, queue_id, service_id, status, start_at, end_at, busy_from, busy_until, day, counter_id, channel, code)
     select $1, $2, $3, $4, 'booked', at, at + interval '10 minutes', at, at + interval '10 minutes',
       (at at time zone $6)::date, $5, 'api', lpad(n::text, 6, '0')
     from (select n, date_trunc('hour', now()) + interval '1 day' + n * interval '10 minutes' as at from generate_series(1, 30) n) s`,
    [t.tenant.id, site, queueId, service, t.counters[0]!.id, t.tenant.timezone],
  )
  const starts = () =>
    server.owner<{ start_at: string; is_right: boolean }>(
      `select start_at, day = (start_at at time zone $2)::date as is_right from appointments where tenant_id = $1 order by id`,
      [t.tenant.id, t.tenant.timezone],
    )
  const before = await starts()
  await advance(600)
  const after = await starts()
  expect(after.map(({ start_at }, i) => Date.parse(before[i]!.start_at) - Date.parse(start_at))).toEqual(
    Array.from({ length: 30 }, () => 600_000),
  )
  expect(after.every(({ is_right }) => is_right)).toBe(true)
})

test('a sandbox begins anew: nobody, no figures, the first number; the clock of everybody', async () => {
  await run('POST', '/customers/', { name: 'Samira', phone: '+33612345678' })
  await take()
  const { tickets } = await run('POST', '/sandbox/reset/', {})
  expect(tickets).toBeGreaterThan(0)
  expect(await run('GET', '/sandbox/')).toMatchObject({ is_sandbox: true, ahead_seconds: 0 })
  expect((await run('GET', '/tickets/'))['results']).toEqual([])
  expect((await run('GET', '/customers/'))['results']).toEqual([])
  expect((await run('GET', `/queues/${queueId}/board/`))['waiting']).toEqual([])
  expect((await take())['number']).toBe('A001')
  expect((await answer(real.admin, 'GET', '/tickets/')).body['results']).not.toEqual([])
})

test('an administrator makes one sandbox, and is the only one who may enter it', async () => {
  const made = await run('POST', '/sandbox/', {}, real.admin)
  expect(made).toMatchObject({ slug: 'real-sandbox' })
  expect((await answer(real.admin, 'POST', '/sandbox/', {})).body['code']).toBe('slug_taken')
  expect((await answer(t.admin, 'POST', '/sandbox/', {})).body['code']).toBe('is_sandbox')
  expect(await run('GET', '/sandbox/', undefined, real.admin)).toMatchObject({
    is_sandbox: false,
    sandbox: 'real-sandbox',
  })
  const members = await server.owner(`select user_id, role from memberships where tenant_id = $1`, [made['id']])
  expect(members).toEqual([{ user_id: real.admin.userId, role: 'admin' }])
  const inside: Actor = { ...real.admin, tenantId: made['id'] }
  const agents = await server.app.inject({ url: `/api/v1/tenants/real-sandbox/agents/`, headers: server.as(inside) })
  expect(agents.json().results.length).toBeGreaterThan(3)
  const [entry] = await server.owner(
    `select tenant_id from audit_entries where operation = 'sandbox.create' and principal = $1`,
    [real.admin.principal],
  )
  expect(entry).toEqual({ tenant_id: real.tenant.id })
})
