import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { testDatabase } from '../../test/harness.ts'
import { aTenant } from '../../test/factories.ts'
import { openDatabase } from './index.ts'
import { distributionStatements, judge, planDistribution } from './distribution.ts'

const { owner, url, directUrl } = await testDatabase()

test('every table, key and function of ours fits an engine that spreads rows by organisation', async () => {
  const plan = await planDistribution(owner)
  expect(plan.problems).toEqual([])
  expect(plan.placements.length).toBeGreaterThan(80)
  const distributed = plan.placements.filter(({ as }) => as === 'distributed').map(({ table }) => table)
  expect(distributed).toEqual(expect.arrayContaining(['tickets', 'events', 'streams', 'queues', 'audit_entries']))
  expect(distributed).not.toContain('tenants')
  // Each is judged in docs/scale.md: a new one belongs there too.
  const judged = readFileSync(new URL('../../../docs/scale.md', import.meta.url), 'utf8')
  for (const name of plan.crossing) expect(judged).toContain(`\`${name}\``)
})

test('whoever is referred to is made first', async () => {
  const { placements } = await planDistribution(owner)
  const place = new Map(placements.map(({ table }, i) => [table, i]))
  expect(place.get('tenants')!).toBeLessThan(place.get('sites')!)
  expect(place.get('queues')!).toBeLessThan(place.get('tickets')!)
  const statements = distributionStatements({ placements, problems: [], crossing: [] })
  expect(statements).toContain(`select create_reference_table('tenants')`)
  expect(statements.filter((each) => each.includes('create_distributed_table'))[1]).toMatch(
    /'tenant_id', colocate_with => '\w+'\)$/,
  )
})

test('control: a key without the organisation, and one that leads to another, are seen', () => {
  const tables = [
    { name: 'a', columns: ['tenant_id', 'id'], first: 'tenant_id' },
    { name: 'b', columns: ['id', 'tenant_id', 'a_id'], first: 'id' },
    { name: 'c', columns: ['id', 'a_id'], first: 'id' },
  ]
  const keys = [{ table: 'b', name: 'b_pkey', kind: 'primary key', columns: ['id'] }]
  const foreign = [
    { table: 'b', name: 'b_a', columns: ['a_id'], target: 'a', target_columns: ['id'], emptied: [] },
    { table: 'c', name: 'c_a', columns: ['a_id'], target: 'a', target_columns: ['id'], emptied: [] },
    { table: 'a', name: 'a_c', columns: ['id'], target: 'c', target_columns: ['id'], emptied: ['tenant_id'] },
  ]
  const functions = [{ name: 'reads_all', definer: true, body: 'select id from a' }]
  const { problems, crossing } = judge({ tables, keys, foreign, functions })
  expect(problems).toHaveLength(5)
  expect(crossing).toEqual(['reads_all'])
})

test('with `distributed=true` statements of an organisation say whose rows they want, and answer the same', async () => {
  const spread = new URL(url)
  spread.searchParams.set('distributed', 'true')
  const [bank, other] = [await aTenant(owner, { sites: 2 }), await aTenant(owner)]
  const db = await openDatabase({ url: spread.href, directUrl })
  try {
    // The wall is down: what is left out now, the statement itself leaves out.
    await owner('alter table sites disable row level security')
    const sites = (tenantId: number) => db.reader(tenantId).query('select id from sites order by id')
    expect(await sites(bank.tenant.id)).toEqual(bank.sites)
    const of = (text: string) => db.tenant(other.tenant.id, (tx) => tx.query<{ id: number }>(text, ['Here']))
    expect(await of('update sites set name = $1 returning id')).toEqual(other.sites)
    expect(
      await of(`insert into sites (name, slug, timezone) values ($1, 'here', 'UTC') returning tenant_id as id`),
    ).toEqual([{ id: other.tenant.id }])
  } finally {
    await owner('alter table sites enable row level security')
    await db.close()
  }
})
