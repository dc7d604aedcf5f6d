import { beforeEach, expect, test } from 'vitest'
import type { Forecast } from '../../../shared/eta.ts'
import { estimateWait } from '../../../shared/eta.ts'
import { Predictor } from '../../../shared/prediction/predictor.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import * as queues from '../queues/index.ts'
import * as sites from '../sites/index.ts'
import * as tickets from '../tickets/index.ts'
import { take as fold } from './fold.ts'
import { announced } from './forecast.ts'
import * as estimates from './index.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(
  runtime,
  [sites, queues, tickets, estimates].flatMap(({ operations }) => operations),
)

let bank: TenantFixture
let run: ReturnType<typeof as>
beforeEach(async () => {
  bank = await aTenant(owner, { queues: 1, agents: 1 })
  run = as(bank.admin, bank.tenant)
})
const queueId = () => bank.queues[0]!.id
const take = async () => (await run('tickets.take', { queue_id: queueId(), channel: 'reception' })).id as number
async function serve() {
  const { ticket } = (await run('tickets.callNext', { id: bank.agents[0]!.id })) as { ticket: { id: number } }
  await run('tickets.start', { id: ticket.id })
  await run('tickets.complete', { id: ticket.id })
}
const forecast = async () =>
  (await owner<{ forecast: Forecast | null }>('select forecast from queue_states where queue_id = $1', [queueId()]))[0]!
    .forecast
const saved = async () =>
  (
    await owner<{ state: Uint8Array; offset: number }>(
      'select state, "offset" from site_predictors where tenant_id = $1',
      [bank.tenant.id],
    )
  )[0]

test('what is seen often enough is announced, to boards and newcomers alike; refreshing again changes nothing', async () => {
  for (let i = 0; i < 30; i++) await take()
  await run('estimates.refresh')
  expect(await forecast()).toBeNull()
  for (let i = 0; i < 24; i++) await serve()
  expect(await run('estimates.refresh')).toMatchObject({ forecasts: 1 })
  const { points, agents_open } = (await forecast())!
  expect(agents_open).toBe(1)
  const medians = points.map(([, , median]) => median)
  expect(medians).toEqual(medians.toSorted((a, b) => a - b))
  expect(points.every(([, low, median, high]) => 0 <= low && low <= median && median <= high)).toBe(true)
  const board = (await run('queues.board', { id: queueId() })) as unknown as {
    waiting: { eta_seconds: number }[]
    agents: { status: string }[]
  }
  const free = board.agents.filter(({ status }) => status === 'available').length
  expect(board.waiting[2]!.eta_seconds).toBe(
    estimateWait({ ahead: 2, agents_open: 1, agents_free: free, service_seconds: 300, forecast: await forecast() })
      .eta_seconds,
  )
  expect(await run('estimates.refresh')).toMatchObject({ forecasts: 0 })
})

test('what was learned is kept between two refreshes; a delay does not begin a new wait', async () => {
  for (let i = 0; i < 8; i++) await take()
  await run('estimates.refresh')
  const delayed = await take()
  await run('estimates.refresh')
  const told = () => owner('select at from ticket_estimates where ticket_id = $1', [delayed])
  const before = await told()
  expect(before).toHaveLength(1)
  await run('tickets.move', { id: delayed, after_id: null, reason: 'asked to' })
  await run('estimates.refresh')
  expect(await told()).toEqual(before)
  for (let i = 0; i < 5; i++) await serve()
  await run('estimates.refresh')
  const steps = (await saved())!
  expect(Predictor.load(steps.state)!.startsSeen(String(queueId()))).toBe(5)
  expect(steps.state.length).toBeLessThan(65_536)
})

test('the job refreshes every tenant', async () => {
  await take()
  const job = estimates.jobs.find(({ name }) => name === 'queues.calculate_all_etas')!
  await job.run({ runtime, tenants: async () => [(await aTenant(owner)).tenant, bank.tenant] }, {})
  expect((await saved())?.offset).toBeGreaterThan(0)
})

test('a predictor of another version is learned anew from the log', async () => {
  await take()
  await run('estimates.refresh')
  const before = (await saved())!
  const state = Buffer.from(before.state)
  const version = state.indexOf('"version":3')
  state.write('"version":0', version)
  await owner('update site_predictors set state = $2 where tenant_id = $1', [bank.tenant.id, state])
  await take()
  expect(await run('estimates.refresh')).toMatchObject({ events: before.offset + 1 })
})

test('accuracy compares what was told at arrival with what was waited', async () => {
  for (let i = 0; i < 6; i++) await take()
  await run('estimates.refresh')
  for (let i = 0; i < 4; i++) await serve()
  await run('estimates.refresh')
  const accuracy = await run('queues.estimateAccuracy', { id: queueId() })
  expect(accuracy).toMatchObject({ estimates: 4, by_hour: [{ estimates: 4 }], by_day: [{ estimates: 4 }] })
  expect(accuracy['mean_absolute_error_seconds']).toBeGreaterThanOrEqual(0)
  await expect(run('queues.estimateAccuracy', { id: 999_999 })).rejects.toMatchObject({ code: 'not_found' })
})

test('what is judged is the figure on the ticket', async () => {
  const taken = await run('tickets.take', { queue_id: queueId(), channel: 'reception' })
  const later = await run('tickets.take', { queue_id: queueId(), channel: 'reception' })
  await run('estimates.refresh')
  const promises = await owner(
    'select low_seconds, median_seconds, high_seconds from ticket_estimates where tenant_id = $1 order by ticket_id',
    [bank.tenant.id],
  )
  expect(promises).toEqual(
    [taken, later].map(({ eta_low_seconds, eta_seconds, eta_high_seconds }) => ({
      low_seconds: eta_low_seconds,
      median_seconds: eta_seconds,
      high_seconds: eta_high_seconds,
    })),
  )
})

test('a forecast that nobody refreshes any more is taken back; one that is refreshed stays', async () => {
  for (let i = 0; i < 30; i++) await take()
  for (let i = 0; i < 24; i++) await serve()
  await run('estimates.refresh')
  expect(await forecast()).not.toBeNull()
  expect(await run('estimates.withdrawStale')).toEqual({ withdrawn: 0 })
  const age = `update site_predictors set updated_at = now() - interval '3 minutes' where tenant_id = $1`
  await owner(age, [bank.tenant.id])
  await run('estimates.refresh')
  expect(await run('estimates.withdrawStale')).toEqual({ withdrawn: 0 })
  await owner(age, [bank.tenant.id])
  expect(await run('estimates.withdrawStale')).toEqual({ withdrawn: 1 })
  expect(await forecast()).toBeNull()
})

test('open counters are read from the log: agents come, stay while they serve, and go', () => {
  const predictor = new Predictor()
  const opened: [string, number | null][] = []
  predictor.setOpen = (key, open) => void opened.push([key, open])
  const event = (id: number, status: string, queue_ids: number[]) =>
    fold(
      predictor,
      {
        offset: 1,
        type: 'agent.status_changed',
        at: '2026-01-05T08:00:00Z',
        from_queue_id: null,
        data: { agent: { id, status, queue_ids } },
      },
      'Europe/Paris',
    )
  event(1, 'available', [7, 8])
  event(2, 'serving', [7])
  event(1, 'break', [7, 8])
  expect(opened).toEqual([
    ['7', 1],
    ['8', 1],
    ['7', 2],
    ['7', 1],
    ['8', 0],
  ])
})

test('a visitor reads why the estimate jumped', async () => {
  const { public_token } = await run('tickets.take', { queue_id: queueId(), channel: 'reception' })
  const actor = (await tickets.visitorOf(db, public_token as string))!
  const mine = () => as(actor, bank.tenant)('tickets.mine')
  expect(await mine()).toMatchObject({ estimate_reason: null })
  const told: Forecast = { agents_open: 1, reason: 'counter_closed', points: [[0, 60, 120, 240]] }
  await owner('update queue_states set forecast = $2 where queue_id = $1', [queueId(), JSON.stringify(told)])
  await take()
  expect(await mine()).toMatchObject({
    estimate_reason: { code: 'counter_closed', text: expect.stringMatching(/\.$/) },
  })
})

test('a jump has a reason, a small change is not announced', () => {
  const points: Forecast['points'] = [
    [0, 60, 120, 240],
    [1, 120, 300, 600],
    [2, 240, 600, 900],
    [3, 400, 900, 1500],
  ]
  const scaled = (by: number): Forecast['points'] =>
    points.map(([at, low, median, high]) => [at, low * by, median * by, high * by])
  const before: Forecast = { agents_open: 3, reason: null, points }
  expect(announced(before, { agents_open: 3, points: scaled(1.02) }, false)).toBeNull()
  expect(announced(before, { agents_open: 2, points: scaled(1.5) }, false)?.reason).toBe('counter_closed')
  expect(announced(before, { agents_open: 4, points: scaled(0.6) }, false)?.reason).toBe('counter_opened')
  expect(announced(before, { agents_open: 3, points: scaled(1.5) }, true)?.reason).toBe('priority_ahead')
  expect(announced(before, { agents_open: 3, points: scaled(1.5) }, false)?.reason).toBe('slower_than_usual')
  expect(announced(before, { agents_open: 3, points: scaled(0.6) }, false)?.reason).toBe('faster_than_usual')
  expect(announced(before, { agents_open: 3, points: scaled(1.1) }, false)?.reason).toBeNull()
})
