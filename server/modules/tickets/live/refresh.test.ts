import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import * as queues from '../../queues/index.ts'
import * as sites from '../../sites/index.ts'
import * as tickets from '../index.ts'
import { nextPace } from './refresh.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(
  runtime,
  [sites, queues, tickets].flatMap(({ operations }) => operations),
)

let bank: TenantFixture
let run: ReturnType<typeof as>
beforeEach(async () => {
  bank = await aTenant(owner, { queues: 2, agents: 2 })
  run = as(bank.admin, bank.tenant)
})
const state = async (i = 0) =>
  (
    await owner<{ status: string; service_seconds: number; samples: number }>(
      'select status, service_seconds, samples from queue_states where queue_id = $1',
      [bank.queues[i]!.id],
    )
  )[0]!

/** Serves somebody for so long, as the database will remember it. */
async function serve(seconds: number, i = 0) {
  const { id } = await run('tickets.take', { queue_id: bank.queues[i]!.id, channel: 'reception' })
  await run('tickets.call', { id, agent_id: bank.agents[0]!.id })
  await run('tickets.start', { id })
  await owner('update tickets set started_at = now() - make_interval(secs => $2) where id = $1', [id, seconds])
  await run('tickets.complete', { id })
  return id as number
}

test('the pace starts with the configured duration and moves towards what is measured', async () => {
  expect((await state()).service_seconds).toBe(300)
  for (let i = 0; i < 5; i++) await serve(60)
  expect(await run('queues.refresh')).toEqual({ paces: 1, statuses: 0 })
  const first = await state()
  expect(first.samples).toBe(5)
  // Five configured services of 300 s and five measured ones of 60 s.
  expect(first.service_seconds).toBe(180)
  expect((await state(1)).service_seconds).toBe(300)
  expect(await run('queues.refresh')).toEqual({ paces: 0, statuses: 0 })
})

test('a changed duration of the service holds until something was measured', async () => {
  await run('services.update', { id: bank.services[0]!.id, expected_duration_seconds: 900 })
  await run('queues.refresh')
  expect((await state()).service_seconds).toBe(900)
  await serve(900)
  await run('queues.refresh')
  await run('services.update', { id: bank.services[0]!.id, expected_duration_seconds: 60 })
  await run('queues.refresh')
  expect((await state()).service_seconds).toBe(900)
})

test('a small change is measured but not announced', async () => {
  await serve(310)
  expect(await run('queues.refresh')).toEqual({ paces: 0, statuses: 0 })
  expect(await state()).toMatchObject({ samples: 1, service_seconds: 300 })
})

test('what was undone does not count', async () => {
  const id = await serve(3600)
  await run('tickets.undo', { id })
  await run('queues.refresh')
  expect(await state()).toMatchObject({ samples: 0, service_seconds: 300 })
})

test('the state follows capacity, hours and the forecast of closing', async () => {
  const queue = bank.queues[0]!
  await run('queues.update', { id: queue.id, max_capacity: 1 })
  await run('tickets.take', { queue_id: queue.id, channel: 'reception' })
  expect(await run('queues.refresh')).toEqual({ paces: 0, statuses: 1 })
  expect((await state()).status).toBe('full')
  await run('queues.update', { id: queue.id, max_capacity: null })
  expect((await state()).status).toBe('open')

  const zone = 'Europe/Paris'
  const [clock] = await owner<{ from: string; to: string }>(
    `select to_char(now() at time zone $1 - interval '2 hours', 'HH24:MI') as from,
            to_char(now() at time zone $1 + interval '20 minutes', 'HH24:MI') as to`,
    [zone],
  )
  const day: [string, string][] = [[clock!.from, clock!.to]]
  const weekly = { 1: day, 2: day, 3: day, 4: day, 5: day, 6: day, 7: day }
  await run('sites.update', { id: bank.sites[0]!.id, opening_hours: { weekly } })
  await run('queues.refresh')
  expect((await state()).status).toBe('open')
  for (let i = 0; i < 12; i++) await run('tickets.take', { queue_id: queue.id, channel: 'reception' })
  await run('queues.refresh')
  expect((await state()).status).toBe('closing')
  expect((await run('queues.get', { id: queue.id })).status).toBe('closing')
  await run('sites.update', { id: bank.sites[0]!.id, opening_hours: { weekly: {} } })
  await run('queues.refresh')
  expect((await state()).status).toBe('closed')
})

test('two refreshes at once take each service in once', async () => {
  for (let i = 0; i < 4; i++) await serve(60)
  const answers = await Promise.all([run('queues.refresh'), run('queues.refresh'), run('queues.refresh')])
  expect(answers.map(({ paces }) => paces).sort()).toEqual([0, 0, 1])
  expect((await state()).samples).toBe(4)
})

test('the pace stays between the durations it has seen and forgets old ones', () => {
  const seconds = fc.integer({ min: 1, max: 14_400 })
  fc.assert(
    fc.property(seconds, fc.array(seconds, { minLength: 1, maxLength: 60 }), (configured, durations) => {
      const start = { measured_seconds: configured, samples: 0 }
      const { measured_seconds, samples } = durations.reduce(nextPace, start)
      expect(samples).toBe(durations.length)
      expect(measured_seconds).toBeGreaterThanOrEqual(Math.min(configured, ...durations) - 1e-6)
      expect(measured_seconds).toBeLessThanOrEqual(Math.max(configured, ...durations) + 1e-6)
    }),
  )
  const changed = Array.from({ length: 100 }, () => 60).reduce(nextPace, { measured_seconds: 6000, samples: 1000 })
  expect(changed.measured_seconds).toBeLessThan(200)
  expect(nextPace({ measured_seconds: 300, samples: 0 }, 1e9).measured_seconds).toBeLessThan(14_400)
})
