import { expect, test } from 'vitest'
import { aTenant } from '../test/factories.ts'
import { testDatabase } from '../test/harness.ts'
import { testRuntime } from '../test/runtime.ts'
import { jobs } from './expire-keys.ts'

test('stored answers go after a day, of all organisations and of work outside them, however many there are', async () => {
  const { db, owner } = await testDatabase()
  const [bank, closed] = [await aTenant(owner), await aTenant(owner)]
  await owner('update tenants set is_active = false where id = $1', [closed.tenant.id])
  const columns = `principal, operation, key, fingerprint, status, body, created_at`
  const rows = (n: number, age: string) =>
    `select 'user:1', 'tickets.take', '${age} ' || n, 'f', 201, '{}', now() - interval '${age}' from generate_series(1, ${n}) n`
  for (const { tenant } of [bank, closed])
    for (const [n, age] of [
      [6000, '24 hours 1 second'],
      [2, '23 hours 59 minutes'],
    ] as const)
      await owner(
        `insert into idempotency_keys (tenant_id, ${columns}) select ${tenant.id}, r.* from (${rows(n, age)}) r`,
      )
  await owner(`insert into platform_idempotency_keys (${columns}) ${rows(6000, '25 hours')}`)
  await owner(`insert into platform_idempotency_keys (${columns}) ${rows(3, '1 hour')}`)
  const left = () =>
    owner<{ key: string; n: number }>(
      `select split_part(key, ' ', 1) || ' ' || split_part(key, ' ', 2) as key, count(*)::int as n
       from (select key from idempotency_keys union all select key from platform_idempotency_keys) k group by 1 order by 1`,
    )
  expect(await left()).toHaveLength(4)
  const [job] = jobs
  const context = { runtime: testRuntime(db), tenants: async () => [] }
  await job!.run(context, {})
  const kept = [
    { key: '1 hour', n: 3 },
    { key: '23 hours', n: 4 },
  ]
  expect(await left()).toEqual(kept)
  await job!.run(context, {})
  expect(await left()).toEqual(kept)
})
