import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { testRuntime } from '../../test/runtime.ts'
import { enqueueJob } from './enqueue.ts'
import { startWorker } from './index.ts'

const { db, owner, directUrl } = await testDatabase()
const { tenant } = await aTenant(owner)

test('a job exists if and only if the change that asked for it committed, and runs once', async () => {
  const done: unknown[] = []
  const worker = await startWorker({
    connectionString: directUrl,
    jobs: [{ name: 'test.note', run: async (_, payload) => void done.push(payload) }],
    context: { runtime: testRuntime(db), tenants: async () => [tenant] },
    log: () => {},
  })
  await db.tenant(tenant.id, (tx) => enqueueJob(tx, tenant.id, 'test.note', { n: 1 }))
  await db
    .tenant(tenant.id, async (tx) => {
      await enqueueJob(tx, tenant.id, 'test.note', { n: 2 })
      throw new Error('changed my mind')
    })
    .catch(() => {})
  await db.tenant(tenant.id, (tx) => enqueueJob(tx, tenant.id, 'test.note', { n: 3 }))
  for (let i = 0; i < 500 && done.length < 2; i++) await sleep(20)
  await worker.stop()
  expect(done).toEqual([1, 3].map((n) => ({ n, tenant_id: tenant.id })))
})

test('enqueueing under a key replaces the job that waits', async () => {
  const later = '2100-01-01T00:00:00Z'
  for (const n of [1, 2]) {
    await db.tenant(tenant.id, (tx) =>
      enqueueJob(tx, tenant.id, 'test.later', { n }, { run_at: later, job_key: 'one' }),
    )
  }
  const [{ count } = {}] = await owner(`select count(*)::int from graphile_worker.jobs where key = 'one'`)
  expect(count).toBe(1)
})
