import { beforeAll, describe, expect, test, vi } from 'vitest'
import { estimateWait } from '../../../../shared/eta.ts'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { Hub } from '../../../kernel/events/index.ts'
import { Runtime } from '../../../kernel/execute.ts'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import { spiedDatabase } from '../../../test/spied.ts'
import * as agents from '../../agents/index.ts'
import * as queues from '../../queues/index.ts'
import * as tickets from '../index.ts'
import { figuresOf, newcomerFigures, ticketFigures } from './figures.ts'
import { loadSite } from './sites.ts'
import { headOffset } from './sql.ts'

const { db: plain, owner } = await testDatabase()
const { db, statements } = spiedDatabase(plain)
const runtime = testRuntime(db)
const operations = [...queues.operations, ...agents.operations, ...tickets.operations]
const as = caller(runtime, operations)

const LONG = 100_000
let crowd: TenantFixture
let bank: TenantFixture
const queueOf = (fixture: TenantFixture, i = 0) => fixture.queues[i]!
const reads = ({ tenant }: TenantFixture, hub = runtime.hub) => ({ tx: db.reader(tenant.id), tenant, hub })
beforeAll(async () => {
  crowd = await aTenant(owner, { queues: 2, agents: 3 })
  bank = await aTenant(owner, { queues: 2, agents: 2 })
  await owner(
    `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel,
       rank, entered_at, created_at)
     select $1, $2, $3, $4, current_date, $3, '2000-01-01', n, 'A' || n, 'web', n * 10, now(), now()
     from generate_series(1, ${LONG}) n`,
    [crowd.tenant.id, crowd.sites[0]!.id, queueOf(crowd).id, queueOf(crowd).service_id],
  )
  await owner('analyze tickets')
  await loadSite(runtime.hub, crowd.tenant.id, crowd.sites[0]!.id)
})

describe('position', () => {
  const placed = (n: number) => ({
    id: 0,
    site_id: crowd.sites[0]!.id,
    queue_id: queueOf(crowd).id,
    rank: n * 10,
    status: TicketStatus.waiting,
  })

  test('of 100 000 waiting needs no statement at all', async () => {
    statements.length = 0
    for (const n of [1, 2, 777, 50_000, LONG]) {
      expect(await ticketFigures(reads(crowd), placed(n))).toEqual({
        position: n,
        ahead: n - 1,
        ...estimateWait({ ahead: n - 1, agents_open: 3, agents_free: 3, service_seconds: 300 }),
      })
    }
    expect(statements).toEqual([])
    // The counter counts: in a transaction of a process that has not read the site, the database is asked.
    const hub = new Hub(db)
    const transaction = { ...reads(crowd, hub).tx, finish: async () => [] }
    expect(await ticketFigures({ ...reads(crowd, hub), tx: transaction }, placed(777))).toMatchObject({ position: 777 })
    expect(statements).not.toEqual([])
    await hub.stop()
  })

  test('is null, with every estimate, for who does not wait', async () => {
    for (const status of Object.values(TicketStatus).filter((each) => each !== TicketStatus.waiting)) {
      const figures = await ticketFigures(reads(crowd), { ...placed(5), status })
      expect(Object.values(figures)).toEqual([null, null, null, null, null])
    }
  })

  test('of those who came this moment counts their mates', async () => {
    const [row] = await owner<{ max: number }>('select max(id)::int as max from tickets')
    const group = [3, 1, 2].map((n) => ({ ...placed(LONG), id: row!.max + n }))
    const other = { ...placed(1), id: row!.max + 4, queue_id: queueOf(crowd, 1).id }
    const figures = await figuresOf(reads(crowd), [...group, other])
    expect(figures.map(({ position }) => position)).toEqual([LONG + 3, LONG + 1, LONG + 2, 1])
  })

  test('inside a transaction of a site not read yet is counted by the database, once', async () => {
    const hub = new Hub(db)
    const cold = new Runtime({ db: plain, hub, url: (path) => path, renderError: () => '' })
    const take = () =>
      caller(cold, operations)(crowd.admin, crowd.tenant)('tickets.take', {
        queue_id: queueOf(crowd).id,
        channel: 'web',
      })
    const first = await take()
    expect(first).toMatchObject({ ahead: LONG, position: LONG + 1 })
    await loadSite(hub, crowd.tenant.id, crowd.sites[0]!.id)
    expect(await take()).toMatchObject({ ahead: LONG + 1 })
    await hub.stop()
  })

  test('counts whom a transaction on its way lets in, until that is known or came to nothing', async () => {
    const [tenant, site] = [crowd.tenant, crowd.sites[0]!.id]
    await loadSite(runtime.hub, tenant.id, site)
    const place = (id: number) =>
      runtime.db.tenant(tenant.id, async (tx) => {
        const placed = { id, site_id: site, queue_id: queueOf(crowd).id, rank: id, status: TicketStatus.waiting }
        return (await figuresOf({ tx, tenant, hub: runtime.hub }, [placed]))[0]!.position!
      })
    const far = 8_000_000_000_000_000
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const first = await place(far)
      expect([await place(far + 2), await place(far + 1), await place(far)]).toEqual([first + 1, first + 1, first])
      vi.advanceTimersByTime(1001)
      expect(await place(far + 3)).toBe(first)
    } finally {
      vi.useRealTimers()
    }
  })

  test('comes with the answer of take, for many at once', async () => {
    const run = as(bank.admin, bank.tenant)
    await loadSite(runtime.hub, bank.tenant.id, bank.sites[0]!.id)
    const taken = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        run('tickets.take', { queue_id: queueOf(bank, i % 2).id, channel: 'kiosk' }),
      ),
    )
    for (const queue of bank.queues) {
      const own = taken.filter(({ queue_id }) => queue_id === queue.id)
      const inOrder = own.toSorted((a, b) => a.number.localeCompare(b.number))
      expect(inOrder.map(({ position }) => position)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    }
    expect(await newcomerFigures(reads(bank), queueOf(bank).id)).toMatchObject({ position: 21, ahead: 20 })
  })
})

describe('the projection', () => {
  test('follows what another process commits, and refuses to be behind a row it is asked about', async () => {
    const other = new Hub(db)
    const elsewhere = new Runtime({ db: plain, hub: other, url: (path) => path, renderError: () => '' })
    const here = await loadSite(runtime.hub, bank.tenant.id, bank.sites[0]!.id)
    const before = here.waitingCount(queueOf(bank).id)
    await caller(elsewhere, operations)(bank.admin, bank.tenant)('tickets.take', {
      queue_id: queueOf(bank).id,
      channel: 'web',
    })
    const [head] = await owner<{ last: number }>('select last_offset::int as last from streams where site_id = $1', [
      bank.sites[0]!.id,
    ])
    expect(here.offset).toBeLessThan(head!.last)
    const current = await loadSite(runtime.hub, bank.tenant.id, bank.sites[0]!.id, head!.last)
    expect(current.offset).toBe(head!.last)
    expect(current.waitingCount(queueOf(bank).id)).toBe(before + 1)
    await other.stop()
  })

  test('starts anew after a restore', async () => {
    const live = await loadSite(runtime.hub, bank.tenant.id, bank.sites[0]!.id)
    await owner(`update streams set epoch = 'restored' where site_id = $1`, [bank.sites[0]!.id])
    await owner(`update tickets set status = 'expiré' where tenant_id = $1`, [bank.tenant.id])
    await (await runtime.hub.tail(bank.tenant.id, bank.sites[0]!.id)).refresh()
    const fresh = await loadSite(runtime.hub, bank.tenant.id, bank.sites[0]!.id)
    expect(fresh).not.toBe(live)
    expect(fresh.epoch).toBe('restored')
    expect(fresh.waitingCount(queueOf(bank).id)).toBe(0)
  })

  test('is of one tenant: another’s site is not there', async () => {
    await expect(loadSite(runtime.hub, bank.tenant.id, crowd.sites[0]!.id)).rejects.toThrow('no such stream')
    const foreign = {
      id: 1,
      site_id: crowd.sites[0]!.id,
      queue_id: queueOf(crowd).id,
      rank: LONG * 10,
      status: TicketStatus.waiting,
    }
    await expect(ticketFigures(reads(bank), foreign)).rejects.toThrow('no such stream')
    await expect(newcomerFigures(reads(bank), queueOf(crowd).id)).rejects.toMatchObject({ code: 'not_found' })
  })
})

test('the head of a feed is a few steps in indexes, however long the log', async () => {
  const { tenant, sites } = bank
  await owner(
    `insert into events (tenant_id, site_id, "offset", type, actor, queue_id, ticket_id, agent_id, data)
     select $1, $2, 1000000 + n, case when n = 29000 then 'agent.updated' else 'ticket.created' end, 'x',
       case when n <> 29000 then $3::bigint end, n, case when n = 29000 or n % 40 = 0 then 1 end,
       case when n % 40 = 0 then jsonb_build_object('agent', jsonb_build_object('queue_ids', jsonb_build_array($3::bigint))) else '{}' end
     from generate_series(1, 30000) n`,
    [tenant.id, sites[0]!.id, queueOf(bank).id],
  )
  await owner('analyze events')
  const reader = plain.reader(tenant.id)
  const blocks = async (query: string, values: unknown[]) => {
    const [row] = await reader.query<{ 'QUERY PLAN': { Plan: Record<string, number> }[] }>(
      `explain (analyze, buffers, format json) ${query}`,
      values,
    )
    const plan = row!['QUERY PLAN'][0]!.Plan
    return plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!
  }
  const text = `select ${headOffset('$1::bigint', '$2::bigint[]')} as head`
  for (const [queueId, head] of [
    [queueOf(bank).id, 1_030_000],
    [queueOf(bank, 1).id, 1_029_000],
  ] as const) {
    const values = [sites[0]!.id, [queueId]]
    expect((await reader.one<{ head: number }>(text, values)).head).toBe(head)
    expect(await blocks(text, values)).toBeLessThan(100)
  }
  // Without the indexes of queues the whole log is looked through for a queue where little happens.
  const naive = `select max(e."offset") from events e where e.site_id = $1 and (e.queue_id + 0 = $2 or e.from_queue_id + 0 = $2)`
  expect(await blocks(naive, [sites[0]!.id, queueOf(bank, 1).id])).toBeGreaterThan(150)
})
