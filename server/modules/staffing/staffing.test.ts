import { expect, test } from 'vitest'
import { diceOf } from '../../../shared/staffing/dice.ts'
import { aLab, codeOf, type Branch } from '../tickets/test/branch.ts'
import { now } from '../../kernel/clock.ts'
import { take, takeTickets } from '../tickets/take.ts'
import { caller } from '../../test/runtime.ts'
import { operations } from './index.ts'
import { loggedDay } from './log.ts'
import { recordedCalls } from './simulate.ts'
import { replayDay, type ReplayConfig } from './replay.ts'

const lab = await aLab()
const staffing = caller(lab.runtime, operations)
const run = (b: Branch) => staffing(b.supervisor, b.tenant)
const today = async (b: Branch) =>
  (
    await lab.owner<{ day: string }>(
      `select to_char(now() at time zone timezone, 'YYYY-MM-DD') as day from sites where id = $1`,
      [b.sites[0]!.id],
    )
  )[0]!.day

/** How somebody comes. */
type Come = (input: Record<string, unknown>, dice: (sides: number) => number) => Promise<{ id: number }>

/** Half of the people have booked, for some seconds ago or some seconds from now. */
const booked =
  (b: Branch): Come =>
  async (input, dice) => {
    if (dice(2)) return b.take(input)
    const appointment_at = Temporal.Instant.fromEpochMilliseconds(now())
      .add({ seconds: dice(9) - 4 })
      .toString()
    const op: typeof take = {
      ...take,
      runMany: (ctx, calls) =>
        takeTickets(
          ctx,
          calls.map((call) => ({ ...call, appointment_at })),
        ),
    }
    const wanted = { queue_id: b.queues[0]!.id, ...input }
    const { output } = await lab.runtime.execute(op, {
      actor: b.supervisor,
      tenant: b.tenant,
      locale: 'en',
      input: wanted,
    })
    return output as { id: number }
  }

/** A morning by the live operations: people come, are called, leave, come back, are moved. Repeatable chance. */
async function liveMorning(b: Branch, seed: number, come: Come = (input) => b.take(input)) {
  let state = seed
  const dice = (sides: number) => (state = (state * 48_271) % 2_147_483_647) % sides
  const waiting: number[] = []
  const calls: number[] = []
  for (let i = 0; i < 90; i++) {
    const act = dice(10)
    if (act < 5) {
      const ticket = await come({ priority: dice(4), channel: dice(2) ? 'kiosk' : 'reception' }, dice)
      waiting.push(ticket.id)
    } else if (act < 9) {
      const ticket = await b.callNext(act % b.agents.length)
      if (!ticket) continue
      calls.push(ticket.id)
      waiting.splice(waiting.indexOf(ticket.id), 1)
      if (dice(6) === 0) {
        await b.run('tickets.return', { id: ticket.id, position: dice(2) ? 'arrival' : 'second' })
        waiting.push(ticket.id)
      } else {
        await b.run('tickets.start', { id: ticket.id })
        await b.run('tickets.complete', { id: ticket.id })
      }
    } else if (waiting.length) {
      const [id] = waiting.splice(dice(waiting.length), 1)
      await b.run('tickets.cancel', { id })
    }
  }
  return calls
}

test.each([
  ['fifo', {}],
  ['priority', {}],
  ['aging', { boost_seconds: 1 }],
  ['sla', { targets_seconds: [3, 2, 1] }],
  ['fair_share', { shares: { 0: 1, 1: 2, 2: 3 } }],
] as const)('simulate equals the live engine on the same events: %s', async (algorithm, algorithm_settings) => {
  const b = await lab.branch()
  await b.setQueue({ algorithm, algorithm_settings })
  const calls = await liveMorning(b, 7)
  const queueId = b.queues[0]!.id
  const events = await lab.db.tenant(b.tenant.id, async (tx) => loggedDay(tx, queueId, await today(b)))
  const config = { algorithm, algorithm_settings, rules: null, timezone: 'Europe/Paris' } as unknown as ReplayConfig
  const replayed = replayDay(events, config).calls
  expect(replayed.map(({ id }) => id)).toEqual(calls)
  expect(replayed.map(({ id, wait_seconds }) => ({ id, wait_seconds }))).toEqual(recordedCalls(events))
  const result = await run(b)('queues.simulate', { id: queueId, date: await today(b) })
  expect(result.identical).toBe(true)
  for (const { actual, simulated } of result.waits) expect(simulated).toEqual(actual)
  // Control: an engine that serves by another order is not equal.
  const other = algorithm === 'fifo' ? 'priority' : 'fifo'
  expect((await run(b)('queues.simulate', { id: queueId, date: await today(b), algorithm: other })).identical).toBe(
    false,
  )
})

/** Plays the branch's day again and expects what the log has; under another order it must not be equal. */
async function expectEqual(b: Branch, calls: number[], other: string) {
  const id = b.queues[0]!.id
  const date = await today(b)
  const events = await lab.db.tenant(b.tenant.id, async (tx) => loggedDay(tx, id, date))
  expect(recordedCalls(events).map((call) => call.id)).toEqual(calls)
  const played = await run(b)('queues.simulate', { id, date })
  expect(played.identical).toBe(true)
  for (const { actual, simulated } of played.waits) expect(simulated).toEqual(actual)
  expect((await run(b)('queues.simulate', { id, date, algorithm: other })).identical).toBe(false)
}

test('simulate equals the live engine with people who have booked, early and late', async () => {
  const b = await lab.branch()
  const algorithm_settings = { lead_seconds: 1, late_after_seconds: 2, late: 'penalty', penalty_seconds: 3 }
  await b.setQueue({ algorithm: 'appointment', algorithm_settings })
  const calls = await liveMorning(b, 7, booked(b))
  await expectEqual(b, calls, 'fifo')
})

test('simulate equals the live engine where one of two agents has the skill that some need', async () => {
  const b = await lab.branch({ agents: 2 })
  await b.setQueue({ algorithm: 'priority' })
  await lab.owner(`update agents set skills = '{notary}' where id = $1`, [b.agents[0]!.id])
  await b.run('queue-rules.create', {
    queue_id: b.queues[0]!.id,
    name: 'Notary',
    condition: { customer_labels: ['deed'] },
    effect: { required_skill: 'notary' },
  })
  await b.run('queues.publishRules', { id: b.queues[0]!.id })
  const calls = await liveMorning(b, 7, (input, dice) => b.take(dice(3) ? input : { ...input, labels: ['deed'] }))
  const [skilled] = await lab.owner<{ count: number }>(
    `select count(*)::int as count from tickets where tenant_id = $1 and required_skill = 'notary'`,
    [b.tenant.id],
  )
  expect(skilled!.count).toBeGreaterThan(5)
  await expectEqual(b, calls, 'fifo')
})

test('more counters wait less, also on a past day', async () => {
  const b = await lab.branch()
  await liveMorning(b, 11)
  const date = await today(b)
  const played = (counters: number) => run(b)('queues.simulate', { id: b.queues[0]!.id, date, counters })
  const [one, five] = [await played(1), await played(5)]
  expect(five.waits[0].simulated.mean_seconds).toBeLessThanOrEqual(one.waits[0].simulated.mean_seconds)
  expect(five.waits[0].simulated.count).toBeGreaterThan(0)
})

test('the calculator answers as the book says, and says when nothing helps', async () => {
  const b = await lab.branch()
  const mitan = await run(b)('staffing.calculate', {
    arrivals_per_hour: 720,
    service_seconds: 240,
    within_seconds: 15,
    share: 0.84,
  })
  expect(mitan.required).toBe(55)
  expect(mitan.rows.find(({ servers }: { servers: number }) => servers === 55).mean_wait_seconds).toBeCloseTo(8.18, 2)
  const never = { arrivals_per_hour: 1_000_000, service_seconds: 86_400 }
  expect(await run(b)('staffing.calculate', never)).toEqual({ required: null, rows: [] })
  // Millions who wait for weeks: the answer would take minutes, and everybody else with it.
  const flood = { arrivals_per_hour: 1_000_000, service_seconds: 86_400, patience_seconds: 1_000_000 }
  expect(await codeOf(run(b)('staffing.calculate', flood))).toBe('invalid_input')
  const most = { arrivals_per_hour: 36_000, service_seconds: 300, patience_seconds: 1000, servers: 0 }
  expect((await run(b)('staffing.calculate', most)).required).toBe(2400)
})

test('a history makes a requirement for each half hour', async () => {
  const b = await lab.branch()
  const { id, site_id, service_id } = b.queues[0]!
  await lab.owner(
    `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank, status,
       entered_at, created_at)
     select $1, $2, $3, $4, current_date, $3, current_date, 1000 * w + n, 'A' || n, 'web', n, 'terminé', at, at
     from generate_series(1, 4) w, generate_series(1, 24) n, lateral (
       select (current_date - 7 * w + time '10:00' + n * interval '1 minute') at time zone 'Europe/Paris' as at) a`,
    [b.tenant.id, site_id, id, service_id],
  )
  const date = (await lab.owner<{ day: string }>(`select to_char(current_date, 'YYYY-MM-DD') as day`))[0]!.day
  const { half_hours } = await run(b)('queues.staffingRequirements', { id, date })
  const busy = half_hours.find(({ from }: { from: string }) => from === '10:00')
  expect(busy.arrivals).toBeCloseTo(24, 0)
  expect(busy.required).toBeGreaterThanOrEqual(4)
  expect(half_hours.filter(({ required }: { required: number }) => required > 0)).toHaveLength(1)
})

test('a plan that takes long holds nobody up', async () => {
  const b = await lab.branch()
  const dice = diceOf(7)
  const shifts = Array.from({ length: 80 }, (_, i) => ({
    name: `s${i}`,
    periods: Array.from({ length: 60 }, (__, n) => n).filter((n) => n === i % 60 || dice() < 0.15),
    cost: 1 + Math.floor(dice() * 5),
  }))
  const required = Array.from({ length: 60 }, () => 1 + Math.floor(dice() * 9))
  let isOver = false
  let turns = 0
  const plan = codeOf(run(b)('staffing.shiftPlan', { required, shifts })).finally(() => (isOver = true))
  while (!isOver) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    turns++
  }
  // Found in time or not: meanwhile others had their turn. On the thread of all the solver leaves none.
  await plan
  expect(turns).toBeGreaterThan(20)
})

test('the cheapest shifts cover the need; control: the greedy plan costs more; what cannot be covered is said', async () => {
  const b = await lab.branch()
  const shifts = [
    { name: 'early', periods: [0, 1, 2], cost: 3 },
    { name: 'late', periods: [2, 3, 4], cost: 3 },
    { name: 'all', periods: [0, 1, 2, 3, 4], cost: 4 },
    { name: 'middle', periods: [1, 2, 3], cost: 3 },
  ]
  const required = [2, 3, 5, 3, 2]
  const plan = await run(b)('staffing.shiftPlan', { required, shifts })
  expect(plan.covered.every((agents: number, i: number) => agents >= required[i]!)).toBe(true)
  // Every plan of up to five of each, tried.
  let best = Infinity
  for (let n = 0; n < 6 ** 4; n++) {
    const counts = [n % 6, Math.floor(n / 6) % 6, Math.floor(n / 36) % 6, Math.floor(n / 216)]
    const covers = required.every(
      (need, p) => counts.reduce((sum, c, i) => sum + (shifts[i]!.periods.includes(p) ? c : 0), 0) >= need,
    )
    if (covers)
      best = Math.min(
        best,
        counts.reduce((sum, c, i) => sum + c * shifts[i]!.cost, 0),
      )
  }
  expect(plan.cost).toBe(best)
  expect(best).toBeLessThan(5 * 4)
  expect(
    await codeOf(run(b)('staffing.shiftPlan', { required: [1, 1], shifts: [{ name: 'a', periods: [0], cost: 1 }] })),
  ).toBe('no_plan')
  const most = [{ name: 'a', periods: [0], cost: 1, most: 1 }]
  expect(await codeOf(run(b)('staffing.shiftPlan', { required: [2], shifts: most }))).toBe('no_plan')
})

test('one more counter shortens the wait, and the sentence says so', async () => {
  const b = await lab.branch({ agents: 2 })
  for (let i = 0; i < 30; i++) await b.take()
  const id = b.queues[0]!.id
  const answer = await run(b)('queues.whatIf', { id, change: 1 })
  expect(answer.now.counters).toBe(2)
  expect(answer.changed.counters).toBe(3)
  expect(answer.changed.mean_seconds).toBeLessThan(answer.now.mean_seconds)
  expect(answer.text).toContain(String(Math.round(answer.changed.mean_seconds / 60)))
  expect((await run(b)('queues.whatIf', { id, change: -2 })).changed.mean_seconds).toBeNull()
})

test('agents whom another queue needs too are no whole counters: waits are longer, and the other queue’s line counts', async () => {
  const [alone, shared] = [await lab.branch({ agents: 2, queues: 2 }), await lab.branch({ agents: 2, queues: 2 })]
  await lab.owner('delete from agent_queues where tenant_id = $1 and queue_id = $2', [
    alone.tenant.id,
    alone.queues[1]!.id,
  ])
  const waits: number[] = []
  for (const b of [alone, shared]) {
    for (let i = 0; i < 20; i++) await b.take({ queue_id: b.queues[1]!.id })
    for (let i = 0; i < 10; i++) await b.take()
    const { now: present, changed } = await run(b)('queues.whatIf', { id: b.queues[0]!.id, change: 1 })
    expect([present.counters, changed.counters]).toEqual([2, 3])
    expect(changed.mean_seconds).toBeLessThan(present.mean_seconds)
    waits.push(present.mean_seconds)
  }
  expect(waits[1]! / waits[0]!).toBeGreaterThan(1.5)
  // Served strictly first, the other queue is no trouble.
  const [first, second] = shared.queues
  for (const { id } of shared.agents) await lab.owner(`update agents set call_mode = 'strict' where id = $1`, [id])
  await lab.owner(
    'update agent_queues set weight = case queue_id when $1 then 100 else 1 end where queue_id = any($2)',
    [first!.id, [first!.id, second!.id]],
  )
  const strict = await run(shared)('queues.whatIf', { id: first!.id })
  expect(strict.now.mean_seconds / waits[0]!).toBeCloseTo(1, 1)
})

test('the closing forecast counts who would not be served, and intake stops', async () => {
  const b = await lab.branch()
  for (let i = 0; i < 20; i++) await b.take()
  const id = b.queues[0]!.id
  expect(await run(b)('queues.closingForecast', { id })).toMatchObject({ closes_at: null, waiting: 20, unserved: 0 })
  // The doors close in ten minutes: two people of five minutes each, more or less.
  await lab.owner(
    `update sites set opening_hours = jsonb_build_object('weekly', '{}'::jsonb, 'exceptions', jsonb_build_array(jsonb_build_object(
       'date', to_char(now() at time zone timezone, 'YYYY-MM-DD'),
       'intervals', jsonb_build_array(jsonb_build_array('00:00', to_char(now() at time zone timezone + interval '10 minutes', 'HH24:MI'))))))
     where id = $1`,
    [b.sites[0]!.id],
  )
  const forecast = await run(b)('queues.closingForecast', { id })
  if (forecast.closes_at !== null) expect(forecast.unserved).toBeGreaterThan(10)
  expect(await run(b)('queues.stopIntake', { id })).toEqual({ id, status: 'paused' })
  expect(await codeOf(b.take())).not.toBe('ok')
  expect(await codeOf(run(b)('queues.stopIntake', { id }))).toBe('queue_inactive')
})

test('staffing is for managers, and a foreign queue is a missing one', async () => {
  const b = await lab.branch()
  const other = await lab.branch()
  const agent = staffing(b.agentActors[0]!, b.tenant)
  expect(await codeOf(agent('queues.whatIf', { id: b.queues[0]!.id }))).toBe('forbidden')
  const date = await today(b)
  for (const [op, input] of [
    ['queues.whatIf', {}],
    ['queues.closingForecast', {}],
    ['queues.stopIntake', {}],
    ['queues.simulate', { date }],
    ['queues.staffingRequirements', { date }],
  ] as const)
    expect(await codeOf(run(b)(op, { id: other.queues[0]!.id, ...input }))).toBe('not_found')
})
