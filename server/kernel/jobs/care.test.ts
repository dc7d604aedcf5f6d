import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { aTenant, anonymousActor } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { isSoak } from '../../config.ts'
import { ROLE_SCOPES } from '../access.ts'
import { enqueueJob } from './enqueue.ts'
import { operations, startWorker, type Job } from './index.ts'

const { db, owner, directUrl } = await testDatabase()
const { tenant } = await aTenant(owner)
const runtime = testRuntime(db)
const operator = caller(runtime, operations)(
  { ...anonymousActor, role: 'operator', principal: 'user:1', userId: 1, scopes: new Set(ROLE_SCOPES.operator) },
  null,
)
const work = (jobs: readonly Job[]) =>
  startWorker({
    connectionString: directUrl,
    jobs,
    context: { runtime, tenants: async () => [tenant] },
    concurrency: 1,
    log: () => {},
  })
async function until(holds: () => boolean | Promise<boolean>) {
  for (let i = 0; i < 500 && !(await holds()); i++) await sleep(20)
}

test('a job that failed as often as it may is found, tried again, or discarded', async () => {
  for (const n of [1, 2]) await db.tenant(tenant.id, (tx) => enqueueJob(tx, tenant.id, 'test.fails', { n }))
  expect((await operator('jobs.dead')).results).toEqual([])
  await owner(`update graphile_worker._private_jobs set attempts = max_attempts, last_error = 'no luck'`)
  const { results } = await operator('jobs.dead')
  expect(results).toMatchObject([
    { task: 'test.fails', payload: { n: 2, tenant_id: tenant.id }, last_error: 'no luck' },
    { payload: { n: 1 } },
  ])
  const [second, first] = results
  await operator('jobs.discard', { id: second.id })
  await operator('jobs.retry', { id: first.id })
  expect((await operator('jobs.dead')).results).toEqual([])
  await expect(operator('jobs.retry', { id: first.id })).rejects.toMatchObject({ code: 'not_found' })
  const done: unknown[] = []
  const worker = await work([{ name: 'test.fails', run: async (_, { n }) => void done.push(n) }])
  await until(() => done.length > 0)
  await worker.stop()
  expect(done).toEqual([1])
})

test('jobs that fail together come back within a quarter of e^attempts seconds, not together', async () => {
  const count = 40
  for (let n = 0; n < count; n++) await db.tenant(tenant.id, (tx) => enqueueJob(tx, tenant.id, 'test.fails', { n }))
  const clock = async () =>
    (await owner<{ at: number }>(`select extract(epoch from clock_timestamp())::float8 as at`))[0]!.at
  const failed = () =>
    owner<{ at: number }>(
      `select extract(epoch from run_at)::float8 as at from graphile_worker._private_jobs
       where attempts = 3 and locked_at is null and last_error is not null`,
    )
  /** When they come back after the third attempt (e³ is 20 seconds), and between which instants they failed. */
  const failTogether = async () => {
    await owner(`update graphile_worker._private_jobs set attempts = 2, run_at = now(), last_error = null`)
    const from = await clock()
    const worker = await work([{ name: 'test.fails', run: () => Promise.reject(new Error('no luck')) }])
    await until(async () => (await failed()).length === count)
    await worker.stop()
    return { from, to: await clock(), times: (await failed()).map(({ at }) => at) }
  }
  const { from, to, times } = await failTogether()
  expect(times).toHaveLength(count)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  expect(first).toBeGreaterThan(from + Math.exp(3) * 0.75)
  expect(last).toBeLessThan(to + Math.exp(3) * 1.25)
  expect(last - first).toBeGreaterThan(3)
  // The control: the library's own wait, after which they come back as they failed.
  await owner('alter table graphile_worker._private_jobs disable trigger smartqueue_jitter')
  const plain = await failTogether()
  await owner('alter table graphile_worker._private_jobs enable trigger smartqueue_jitter')
  for (const at of plain.times) {
    expect(at).toBeGreaterThanOrEqual(plain.from + Math.exp(3) - 0.01)
    expect(at).toBeLessThanOrEqual(plain.to + Math.exp(3) + 0.01)
  }
  await owner('delete from graphile_worker._private_jobs')
})

test('what a dead worker had locked is given back, what a living one has is not', async () => {
  await db.tenant(tenant.id, (tx) => enqueueJob(tx, tenant.id, 'test.locked', {}))
  const lock = (by: string) =>
    owner(`update graphile_worker._private_jobs set locked_by = $1, locked_at = now() - interval '25 seconds'`, [by])
  await owner(
    `insert into job_workers (id, beat_at) values ('alive', now() + interval '1 hour'), ('dead', now() - interval '25 seconds')`,
  )
  await lock('alive')
  const done: unknown[] = []
  const job: Job = { name: 'test.locked', run: async () => void done.push(1) }
  const first = await work([job])
  await until(async () => (await owner(`select 1 from job_workers where id = 'dead'`)).length === 0)
  await sleep(300)
  await first.stop()
  expect(done).toEqual([])
  await lock('dead')
  const second = await work([job])
  await until(() => done.length > 0)
  await second.stop()
  expect(done).toEqual([1])
  // Whoever stops in peace leaves nothing behind.
  const left = () => owner(`select id from job_workers`)
  await until(async () => (await left()).length === 1)
  expect(await left()).toEqual([{ id: 'alive' }])
})

// The job library's schedule knows minutes only, so this waits for the next one.
test.skipIf(!isSoak())('ten schedulers fire each slot once', { timeout: 120_000 }, async () => {
  const fired: string[] = []
  const job: Job = { name: 'test.slot', schedule: '* * * * *', run: async () => void fired.push('slot') }
  const workers = await Promise.all(Array.from({ length: 10 }, () => work([job])))
  for (let i = 0; i < 3500 && fired.length === 0; i++) await sleep(20)
  await sleep(3000)
  await Promise.all(workers.map((worker) => worker.stop()))
  expect(fired).toEqual(['slot'])
})
