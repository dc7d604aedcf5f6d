import { expect, onTestFinished, test } from 'vitest'
import { startWorker } from '../../../kernel/jobs/index.ts'
import { aTenant } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import * as queues from '../../queues/index.ts'
import * as sites from '../../sites/index.ts'
import * as tickets from '../index.ts'

const { db, owner, directUrl } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(
  runtime,
  [sites, queues, tickets].flatMap(({ operations }) => operations),
)
const bank = await aTenant(owner, { queues: 1, counters: 1, agents: 1 })
const run = as(bank.admin, bank.tenant)
/** States as boards were told of them, in order. */
const told = async () =>
  (
    await owner<{ status: string }>(
      `select data -> 'queue' ->> 'status' as status from events
       where tenant_id = $1 and type in ('queue.status_changed', 'queue.updated') order by "offset"`,
      [bank.tenant.id],
    )
  ).map(({ status }) => status)

test('doors opened and closed by somebody’s hand are told at once: hours, site, service and queue', async () => {
  const worker = await startWorker({
    connectionString: directUrl,
    // Without those that come by the clock: what is told here, the change itself has told.
    jobs: tickets.jobs.filter(({ schedule }) => schedule === undefined),
    context: { runtime, tenants: async () => [bank.tenant] },
    log: () => {},
  })
  onTestFinished(() => worker.stop())
  const [site, service, queue] = [bank.sites[0]!, bank.services[0]!, bank.queues[0]!].map(({ id }) => id)
  const expected: string[] = []
  const changes: [string, Record<string, unknown>, string][] = [
    ['sites.update', { id: site, opening_hours: { weekly: {} } }, 'closed'],
    ['sites.update', { id: site, opening_hours: null }, 'open'],
    ['sites.update', { id: site, is_active: false }, 'closed'],
    ['sites.update', { id: site, is_active: true }, 'open'],
    ['services.update', { id: service, is_active: false }, 'closed'],
    ['services.update', { id: service, is_active: true }, 'open'],
    ['queues.update', { id: queue, is_active: false }, 'paused'],
    ['queues.update', { id: queue, is_active: true }, 'open'],
  ]
  for (const [operation, change, status] of changes) {
    await run(operation, change)
    expected.push(status)
    await expect.poll(told).toEqual(expected)
    expect(await run('queues.get', { id: queue! })).toMatchObject({ status })
  }
})

test('whoever leads the branch keeps the doors open longer today; those always open have nothing to extend', async () => {
  const lead = as(bank.supervisor, bank.tenant)
  const longer = { id: bank.sites[0]!.id, until: '24:00', reason: { en: 'Many visitors' } }
  await run('sites.update', { id: longer.id, opening_hours: null })
  const code = (work: Promise<unknown>) =>
    work.then(
      () => 'ok',
      (error: { code: string }) => error.code,
    )
  expect(await code(lead('sites.extendOpening', longer))).toBe('always_open')
  await run('sites.update', { id: longer.id, opening_hours: { weekly: {} } })
  expect(await run('queues.get', { id: bank.queues[0]!.id })).toMatchObject({ status: 'closed' })
  expect(await code(as(bank.agentActors[0]!, bank.tenant)('sites.extendOpening', longer))).toBe('forbidden')
  const site = await lead('sites.extendOpening', longer)
  expect(site.opening_hours.exceptions).toMatchObject([
    { intervals: [[expect.any(String), '24:00']], reason: longer.reason },
  ])
  expect(await run('queues.get', { id: bank.queues[0]!.id })).toMatchObject({ status: 'open' })
  const [event] = await owner<{ data: { site: unknown } }>(
    `select data from events where tenant_id = $1 and type = 'site.updated' order by "offset" desc limit 1`,
    [bank.tenant.id],
  )
  expect(event!.data.site).toEqual(site)
  await run('sites.update', { id: longer.id, opening_hours: null })
})

test('a change that says nothing of the doors asks for no work', async () => {
  const jobs = async () =>
    (await owner<{ count: number }>(`select count(*)::int as count from graphile_worker.jobs`))[0]!.count
  const before = await jobs()
  await run('sites.update', { id: bank.sites[0]!.id, name: 'Mairie annexe' })
  expect(await jobs()).toBe(before)
  await run('sites.update', { id: bank.sites[0]!.id, opening_hours: { weekly: {} } })
  await run('services.update', { id: bank.services[0]!.id, is_active: false })
  expect(await jobs()).toBe(1)
})
