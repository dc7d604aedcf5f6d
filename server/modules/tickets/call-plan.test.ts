import { expect, test } from 'vitest'
import type { Database, WriteTx } from '../../kernel/db/types.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { CANDIDATES } from './call-next.ts'
import { operations } from './index.ts'
import { aLab, type Branch } from './test/branch.ts'

const lab = await aLab()

interface Plan {
  'Node Type': string
  'Index Name'?: string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Plan[]
}
const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)]

async function crowd(b: Branch, count: number) {
  await lab.owner(
    `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank,
       entered_at, created_at)
     select $1, q.site_id, q.id, q.service_id, current_date, q.id, current_date, n, 'A' || n, 'web', n, now(), now()
     from queues q cross join generate_series(1, $2::int) n where q.tenant_id = $1`,
    [b.tenant.id, count],
  )
  await lab.owner('analyze tickets')
}

/** Rows of tickets the claim looks at, and the indexes it uses. */
async function looksAt(b: Branch, text = CANDIDATES): Promise<{ rows: number; indexes: string[] }> {
  const [row] = await lab.db.tenant(b.tenant.id, async (tx) => {
    await tx.query('set local jit = off')
    return tx.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(`explain (analyze, format json) ${text}`, [
      b.agents.map(({ id }) => id),
    ])
  })
  const scans = nodes(row!['QUERY PLAN'][0]!.Plan).filter(
    (node) => node['Relation Name'] === 'tickets' && node['Node Type'] !== 'LockRows',
  )
  const rows = scans.reduce(
    (sum, node) => sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    0,
  )
  return { rows, indexes: scans.flatMap((node) => node['Index Name'] ?? []) }
}

test('a call looks at the head of each queue only, however many wait; control: a score computed on the fly looks at all', async () => {
  const b = await lab.branch({ agents: 2, queues: 3 })
  await crowd(b, 10)
  const few = await looksAt(b)
  await crowd(await lab.branch(), 1)
  await lab.owner('delete from tickets where tenant_id = $1', [b.tenant.id])
  await crowd(b, 20_000)
  const many = await looksAt(b)
  expect(many.indexes).toContain('tickets_waiting')
  expect(many.rows).toBeLessThanOrEqual(2 * 3)
  expect(many.rows).toBeLessThanOrEqual(few.rows)
  const onTheFly = CANDIDATES.replaceAll(
    'order by t.rank, t.id',
    'order by t.rank - extract(epoch from now() - t.created_at) * 60, t.id',
  )
  expect((await looksAt(b, onTheFly)).rows).toBeGreaterThan(10_000)
})

test('people an agent cannot serve are not read, 20 000 of them at the head; control: passing over them is', async () => {
  const b = await lab.branch({ agents: 3 })
  await crowd(b, 20_000)
  const kinds = `update tickets set required_skill = case when serial % 2 = 0 then 'notary' end,
    language = case when serial % 2 = 1 then 'ar' end where tenant_id = $1 and serial <= 19990`
  await lab.owner(kinds, [b.tenant.id])
  await lab.owner('analyze tickets')
  const set = (i: number, changes: string) => lab.owner(`update agents set ${changes} where id = $1`, [b.agents[i]!.id])
  await set(0, `languages = '{fr}'`)
  await set(1, `skills = '{cards}', languages = '{en}'`)
  const { rows } = await looksAt(b)
  expect(rows).toBeLessThan(100)
  const passingOver = CANDIDATES.replaceAll('end = skill', "end || '' = skill")
  expect((await looksAt(b, passingOver)).rows).toBeGreaterThan(9000)
  // The first two are given who comes after all of those, the third whom only it can serve.
  const called = await Promise.all(b.agents.map((_, i) => b.callNext(i)))
  const [first, second, third] = called.map((ticket) => Number(ticket!.number.slice(1)))
  expect([first, second].toSorted((x, y) => x! - y!)).toEqual([19_991, 19_992])
  expect(third).toBe(1)
})

/** A database whose transactions tell how often they waited for the server, and how many statements they sent. */
function counting(db: Database): { db: Database; counts: { waits: number; statements: number } } {
  const counts = { waits: 0, statements: 0 }
  let underway = 0
  const send = <T>(statements: number, work: () => Promise<T>): Promise<T> => {
    counts.statements += statements
    if (underway++ === 0) counts.waits++
    const answer = work()
    const end = () => void underway--
    answer.then(end, end)
    return answer
  }
  const counted = (tx: WriteTx): WriteTx => ({
    query: (text, values) => send(1, () => tx.query(text, values)),
    maybe: (text, values) => send(1, () => tx.maybe(text, values)),
    one: (text, values) => send(1, () => tx.one(text, values)),
    finish: (statements) => send(statements.length + 1, () => tx.finish(statements)),
  })
  const tenant: Database['tenant'] = (id, fn, pool) => db.tenant(id, (tx) => fn(counted(tx)), pool)
  return { db: Object.assign(Object.create(db) as Database, { tenant }), counts }
}

test('eight agents call with the statements of one, and none waits for another answer between writing and committing', async () => {
  const b = await lab.branch({ agents: 9 })
  for (let i = 0; i < 9; i++) await b.take()
  const { db, counts } = counting(lab.db)
  const run = caller(testRuntime(db), operations)(b.supervisor, b.tenant)
  const cost = async (agents: Branch['agents']) => {
    const before = { ...counts }
    await Promise.all(agents.map(({ id }) => run('tickets.callNext', { id })))
    return { waits: counts.waits - before.waits, statements: counts.statements - before.statements }
  }
  // Agents and heads of queues; the queue's configuration; agents, tickets, event, audit and the commit in one go.
  const most = { waits: 3, statements: 8 }
  expect(await cost(b.agents.slice(0, 1))).toEqual(most)
  const many = await cost(b.agents.slice(1))
  expect(many.waits).toBeLessThanOrEqual(most.waits)
  expect(many.statements).toBeLessThanOrEqual(most.statements)
  expect(await b.line()).toEqual([])
})
