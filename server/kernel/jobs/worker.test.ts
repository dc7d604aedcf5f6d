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

test('a worker that stops ends what it has begun and gives back what it has fetched; each job is done once', async () => {
  const COUNT = 60
  const begun: number[] = []
  const done: number[] = []
  const start = (paceMs: number) =>
    startWorker({
      connectionString: directUrl,
      concurrency: 2,
      jobs: [
        {
          name: 'test.slow',
          async run(_, { n }) {
            begun.push(Number(n))
            await sleep(paceMs)
            done.push(Number(n))
          },
        },
      ],
      context: { runtime: testRuntime(db), tenants: async () => [tenant] },
      log: () => {},
    })
  await db.tenant(tenant.id, async (tx) => {
    for (let n = 0; n < COUNT; n++) await enqueueJob(tx, tenant.id, 'test.slow', { n })
  })
  const left = async () => {
    const [row] = await owner<{ all: number; locked: number }>(
      `select count(*)::int as all, count(locked_at)::int as locked from graphile_worker._private_jobs j
       join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = 'test.slow'`,
    )
    return row!
  }
  const first = await start(100)
  await expect.poll(() => done.length).toBeGreaterThan(2)
  // The control: it holds far more than it works on, so a death would keep them from everybody for hours.
  expect((await left()).locked).toBeGreaterThan(10)
  await first.stop()
  expect(done).toEqual(begun)
  expect(done.length).toBeLessThan(COUNT)
  expect(await left()).toEqual({ all: COUNT - done.length, locked: 0 })
  const second = await start(0)
  await expect.poll(() => done.length).toBe(COUNT)
  await second.stop()
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: COUNT }, (_, n) => n))
  expect(await left()).toEqual({ all: 0, locked: 0 })
})
