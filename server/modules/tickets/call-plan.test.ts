import { expect, test } from 'vitest'
import { CANDIDATES } from './call-next.ts'
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
