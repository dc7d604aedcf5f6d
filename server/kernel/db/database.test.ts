import { expect, test } from 'vitest'
import { testDatabase } from '../../test/harness.ts'

const { db, owner } = await testDatabase()

async function aTenant(): Promise<number> {
  const rows = await owner<{ id: number }>(
    `insert into tenants (slug, name) values ('t' || (select count(*) from tenants), 'T') returning id`,
  )
  return rows[0]!.id
}

test('a transaction sees and keeps the rows of its tenant only', async () => {
  const [a, b] = [await aTenant(), await aTenant()]
  await db.tenant(a, (tx) => tx.query('insert into streams (site_id) values ($1)', [7]))
  expect(await db.reader(a).query('select tenant_id, site_id from streams')).toEqual([{ tenant_id: a, site_id: 7 }])
  expect(await db.reader(b).query('select 1 from streams')).toEqual([])
  expect(await db.platform((tx) => tx.query('select 1 from streams'))).toEqual([])
})
