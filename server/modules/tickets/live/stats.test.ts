import { beforeEach, expect, test } from 'vitest'
import { estimateWait } from '../../../../shared/eta.ts'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import * as agents from '../../agents/index.ts'
import * as tickets from '../index.ts'

const { db, owner } = await testDatabase()
const as = caller(testRuntime(db), [...agents.operations, ...tickets.operations])

let bank: TenantFixture
let run: ReturnType<typeof as>
beforeEach(async () => {
  bank = await aTenant(owner, { queues: 2, agents: 2 })
  run = as(bank.admin, bank.tenant)
})
const take = async () =>
  (await run('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'reception' })).id as number
const stats = () => run('queues.stats', { id: bank.queues[0]!.id })

test('a queue where nothing happened yet', async () => {
  expect(await stats()).toEqual({
    waiting: 0,
    longest_wait_seconds: null,
    mean_wait_seconds: null,
    p90_wait_seconds: null,
    mean_service_seconds: null,
    p90_service_seconds: null,
    served_today: 0,
    arrivals_per_hour: 0,
    agents_open: 2,
    eta: { low_seconds: 0, median_seconds: 0, high_seconds: 0, reason: null },
  })
})

test('waits end with the call, services with the completion; holds and other days do not count', async () => {
  /** Waited and served so many seconds, a while ago. */
  const serve = async (waited: number, served: number, held: number, daysAgo: number) => {
    const id = await take()
    await run('tickets.call', { id, agent_id: bank.agents[0]!.id })
    await run('tickets.start', { id })
    await owner(
      `update tickets set entered_at = now() - make_interval(secs => $2::int + $3::int), called_at = now() - make_interval(secs => $3::int),
         started_at = now() - make_interval(secs => $3::int), held_seconds = $4 where id = $1`,
      [id, waited, served + held, held],
    )
    await run('tickets.complete', { id })
    await owner(
      `update ticket_legs set entered_at = entered_at - $2::int * interval '1 day', called_at = called_at - $2::int * interval '1 day',
         started_at = started_at - $2::int * interval '1 day', ended_at = ended_at - $2::int * interval '1 day' where ticket_id = $1`,
      [id, daysAgo],
    )
  }
  await serve(100, 60, 30, 0)
  await serve(300, 120, 0, 0)
  await serve(9000, 9000, 0, 1)
  const [, oldest] = [await take(), await take()]
  await owner(`update tickets set entered_at = now() - interval '7 minutes' where id = $1`, [oldest])
  await run('agents.setStatus', { id: bank.agents[1]!.id, status: 'break' })
  const figures = await stats()
  expect(figures).toMatchObject({ waiting: 2, served_today: 2, agents_open: 1, arrivals_per_hour: 5 })
  expect(figures.longest_wait_seconds).toBeGreaterThanOrEqual(420)
  expect(figures.longest_wait_seconds).toBeLessThan(440)
  expect(figures).toMatchObject({ mean_wait_seconds: 200, p90_wait_seconds: 280 })
  expect(figures).toMatchObject({ mean_service_seconds: 90, p90_service_seconds: 114 })
  const eta = estimateWait({ ahead: 2, agents_open: 1, agents_free: 1, service_seconds: 300 })
  expect(figures.eta).toEqual({
    low_seconds: eta.eta_low_seconds,
    median_seconds: eta.eta_seconds,
    high_seconds: eta.eta_high_seconds,
    reason: null,
  })
})

test('a foreign queue is a missing queue', async () => {
  const clinic = await aTenant(owner)
  for (const id of [clinic.queues[0]!.id, 999_999_999]) {
    for (const operation of ['queues.stats', 'queues.board']) {
      await expect(run(operation, { id })).rejects.toMatchObject({ code: 'not_found' })
    }
  }
  await expect(run('agents.board', { id: clinic.agents[0]!.id })).rejects.toMatchObject({ code: 'not_found' })
})
