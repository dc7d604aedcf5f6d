import { beforeAll, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import { spiedDatabase } from '../../../test/spied.ts'
import * as tickets from '../index.ts'
import { loadSite } from './sites.ts'

/** Tables that grow: no view may look through one of them. */
const LARGE = ['tickets', 'events', 'ticket_legs']
interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Plan[]
}

const { db: plain, owner } = await testDatabase()
const { db, statements } = spiedDatabase(plain)
const runtime = testRuntime(db)
const as = caller(runtime, tickets.operations)

let bank: TenantFixture
let displayId: number
let ticketId: number
beforeAll(async () => {
  bank = await aTenant(owner, { sites: 3, queues: 4, agents: 5 })
  const noise = await aTenant(owner, { sites: 3, queues: 4, agents: 5 })
  for (const { tenant, queues, agents } of [bank, noise]) {
    // A year of served people, some who wait and one at the first counter.
    await owner(
      `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank,
         status, agent_id, entered_at, called_at, started_at, ended_at, created_at)
       select $1, q.site_id, q.id, q.service_id, date '2025-01-01' + n / 10, q.id, date '2025-01-01' + n / 10, n, 'A' || n, 'web', n,
         case when n <= 3000 then 'terminé' when n = 3001 and q.id = $3 then 'en_service' else 'en_attente' end,
         case when n = 3001 and q.id = $3 then $4::bigint end,
         now() - interval '1 hour' - (3100 - n) * interval '2 hours', now(), now(), now(), now() - (3100 - n) * interval '2 hours'
       from queues q cross join generate_series(1, 3100) n where q.id = any($2)`,
      [tenant.id, queues.map(({ id }) => id), queues[0]!.id, agents[0]!.id],
    )
    await owner(
      `insert into ticket_legs (tenant_id, ticket_id, leg, queue_id, entered_at, called_at, started_at, ended_at, ended_by)
       select tenant_id, id, 1, queue_id, entered_at, entered_at, entered_at, created_at, 'terminé' from tickets
       where tenant_id = $1 and status = 'terminé'`,
      [tenant.id],
    )
    await owner(
      `insert into events (tenant_id, site_id, "offset", type, actor, queue_id, ticket_id, agent_id, data, at)
       select tenant_id, site_id, row_number() over (partition by site_id order by serial, id),
         (array['ticket.created', 'ticket.called', 'ticket.completed'])[1 + serial % 3], 'x', queue_id, id,
         case when serial % 3 > 0 then $2::bigint end,
         case when serial % 3 > 0 then jsonb_build_object('agent', jsonb_build_object('queue_ids', jsonb_build_array(queue_id)))
              else '{}' end, created_at
       from tickets where tenant_id = $1`,
      [tenant.id, agents[0]!.id],
    )
    await owner(
      `update streams s set last_offset = coalesce((select max("offset") from events e
         where e.tenant_id = s.tenant_id and e.site_id = s.site_id), 0) where tenant_id = $1`,
      [tenant.id],
    )
  }
  // Refreshed half a minute ago.
  await owner(`update queue_states st set measured_offset = (select max("offset") - 20 from events e where e.tenant_id = st.tenant_id
    and e.queue_id = st.queue_id)`)
  const [display] = await owner<{ id: number }>(
    `insert into displays (tenant_id, site_id, name) values ($1, $2, 'Hall') returning id`,
    [bank.tenant.id, bank.sites[0]!.id],
  )
  displayId = display!.id
  const [ticket] = await owner<{ id: number }>(
    `select max(id)::int as id from tickets where tenant_id = $1 and status = 'en_attente'`,
    [bank.tenant.id],
  )
  ticketId = ticket!.id
  await owner('vacuum analyze')
})

const run = (id: string, input: object = {}) => as(bank.admin, bank.tenant)(id, { ...input })
const VIEWS: [string, () => Promise<unknown>][] = [
  ['the site', () => loadSite(runtime.hub, bank.tenant.id, bank.sites[1]!.id)],
  ['the board of a queue', () => run('queues.board', { id: bank.queues[0]!.id })],
  ['a display', () => run('displays.board', { id: displayId })],
  ['the desk of an agent', () => run('agents.board', { id: bank.agents[0]!.id })],
  ['the figures of a queue', () => run('queues.stats', { id: bank.queues[0]!.id })],
  ['the pace of all queues', () => run('queues.refresh')],
  [
    'a visitor’s ticket',
    () => as({ ...bank.anonymous, role: 'visitor', tenantId: bank.tenant.id, ticketId }, bank.tenant)('tickets.mine'),
  ],
]

test.each(VIEWS)('%s is read through indexes', async (_, look) => {
  statements.length = 0
  await look()
  expect(statements.length).toBeGreaterThan(0)
  for (const { text, values } of statements.filter((each) => /^\s*(select|with)/i.test(each.text))) {
    const plan = await planOf(text, values)
    expect(scansOf(plan)).toEqual([])
  }
})

test('the scan of a large table would be noticed', async () => {
  expect(scansOf(await planOf(`select count(*) from tickets where rating_comment = 'x'`, []))).not.toEqual([])
})

/** How the application's role would run it; what it locks is let go at once. */
const planOf = (text: string, values: readonly unknown[]): Promise<Plan> =>
  plain.tenant(bank.tenant.id, async (tx) => {
    const row = await tx.one<{ 'QUERY PLAN': { Plan: Plan }[] }>(`explain (analyze, format json) ${text}`, values)
    return row['QUERY PLAN'][0]!.Plan
  })

/** Sequential scans of large tables, and index scans that read far more rows than any view shows. */
function scansOf(plan: Plan): string[] {
  // A part is of the table; one that is still empty is looked at as a whole.
  const table = (plan['Relation Name'] ?? '').replace(/^events_(?:\d{4}h[12]|beginning|elsewhere)$/, 'events')
  const rows = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
  const isScan = LARGE.includes(table) && ((plan['Node Type'] === 'Seq Scan' && rows > 0) || rows > 2000)
  return [...(isScan ? [`${plan['Node Type']} ${table}: ${rows} rows`] : []), ...(plan.Plans ?? []).flatMap(scansOf)]
}
