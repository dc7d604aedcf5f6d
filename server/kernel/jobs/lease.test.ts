import { expect, test } from 'vitest'
import { isSoak } from '../../config.ts'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { testRuntime } from '../../test/runtime.ts'
import { enqueueJob } from './enqueue.ts'
import { startWorker, type Job } from './index.ts'

const { db, owner, directUrl } = await testDatabase()
const { tenant } = await aTenant(owner)
await owner('create table effects (n integer, by text)')
await owner('grant insert on effects to sq_app')
const start = (jobs: readonly Job[], concurrency = 1) =>
  startWorker({
    connectionString: directUrl,
    jobs,
    context: { runtime: testRuntime(db), tenants: async () => [tenant] },
    concurrency,
    log: () => {},
  })

test('who lost the lease while at work has no effect; who has it now has one', async () => {
  let resumed = Promise.withResolvers<void>()
  const ended: string[] = []
  let runs = 0
  const effect: Job = {
    name: 'test.effect',
    async run({ runtime, lease }, { isFenced }) {
      const by = runs++ === 0 ? 'zombie' : 'heir'
      // In the middle of its work the first is taken for dead.
      if (by === 'zombie') await resumed.promise
      await runtime.db
        .tenant(tenant.id, async (tx) => {
          await tx.query('insert into effects values (1, $1)', [by])
          if (isFenced) await lease!.settle(tx)
        })
        .finally(() => ended.push(by))
    },
  }
  async function race(isFenced: boolean) {
    runs = 0
    ended.length = 0
    resumed = Promise.withResolvers()
    await db.tenant(tenant.id, (tx) => enqueueJob(tx, tenant.id, 'test.effect', { isFenced }))
    const first = await start([effect])
    await expect.poll(() => runs).toBe(1)
    await owner(`update graphile_worker._private_jobs set locked_by = null, locked_at = null`)
    const second = await start([effect])
    await expect.poll(() => ended.length).toBe(1)
    resumed.resolve()
    await expect.poll(() => ended.length).toBe(2)
    await Promise.all([first.stop(), second.stop()])
    return (await owner<{ by: string }>('delete from effects returning by')).map(({ by }) => by).toSorted()
  }
  expect(await race(true)).toEqual(['heir'])
  expect(await race(false)).toEqual(['heir', 'zombie'])
  expect(await owner('select 1 from graphile_worker._private_jobs')).toEqual([])
})

test('a job that was settled is done, although its worker died before it could say so', async () => {
  let runs = 0
  const job: Job = {
    name: 'test.settled',
    async run({ runtime, lease }) {
      runs++
      await runtime.db.tenant(tenant.id, (tx) => lease!.settle(tx))
      throw new Error('the process ends here')
    },
  }
  await db.tenant(tenant.id, (tx) => enqueueJob(tx, tenant.id, 'test.settled', {}))
  const worker = await start([job])
  await expect.poll(() => runs).toBe(1)
  await worker.stop()
  expect(await owner('select 1 from graphile_worker._private_jobs')).toEqual([])
})

test('thousands of jobs of one organisation do not stand before the first of another', async () => {
  const { tenant: small } = await aTenant(owner)
  const enqueue = (id: number, count: number) =>
    owner(
      `select app.enqueue_job('test.turn', json_build_object('tenant_id', $1::bigint), null, null) from generate_series(1, $2::int)`,
      [id, count],
    )
  const many = isSoak() ? 10_000 : 2000
  await enqueue(tenant.id, many)
  await enqueue(small.id, 10)
  const before = async (order: string) => {
    const [row] = await owner<{ count: number }>(
      `select min(place)::int as count from (
         select payload ->> 'tenant_id' as tenant, row_number() over (order by ${order}) as place from graphile_worker._private_jobs) p
       where tenant = $1::text`,
      [small.id],
    )
    return row!.count - 1
  }
  expect(await before('run_at, id')).toBe(many)
  expect(await before('priority, run_at, id')).toBe(100)
  const done: unknown[] = []
  const worker = await start([{ name: 'test.turn', run: async (_, payload) => void done.push(payload['tenant_id']) }])
  await expect.poll(() => done.filter((id) => id === small.id).length).toBe(10)
  expect(done.lastIndexOf(small.id)).toBeLessThan(200)
  await worker.stop()
})
