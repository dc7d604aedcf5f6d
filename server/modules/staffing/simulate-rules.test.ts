import { expect, test } from 'vitest'
import { now } from '../../kernel/clock.ts'
import { caller } from '../../test/runtime.ts'
import { operations as appointmentOperations } from '../appointments/index.ts'
import { operations as queueOperations, type PublishedRule } from '../queues/index.ts'
import { operations as ticketOperations } from '../tickets/index.ts'
import { aLab, codeOf, type Branch } from '../tickets/test/branch.ts'
import { operations } from './index.ts'
import { loggedDay } from './log.ts'
import { replayDay, type ReplayConfig } from './replay.ts'

const lab = await aLab()
const as = caller(lab.runtime, [...operations, ...appointmentOperations, ...ticketOperations, ...queueOperations])
const run = (b: Branch) => as(b.supervisor, b.tenant)
const today = async (b: Branch) =>
  (
    await lab.owner<{ day: string }>(
      `select to_char(now() at time zone timezone, 'YYYY-MM-DD') as day from sites where id = $1`,
      [b.sites[0]!.id],
    )
  )[0]!.day

/** Two agents at the first of two queues, one of them a notary. */
async function office(): Promise<Branch> {
  const b = await lab.branch({ agents: 2, queues: 2 })
  await lab.owner('delete from agent_queues where tenant_id = $1 and queue_id = $2', [b.tenant.id, b.queues[1]!.id])
  await lab.owner(`update agents set skills = '{notary}' where id = $1`, [b.agents[0]!.id])
  await b.setQueue({ algorithm: 'priority' })
  return b
}
const LABELS = ['plain', 'deed', 'plain', 'vip', 'other', 'plain', 'spam', 'deed'] as const
/** The same people come and the same agents call, whatever the rules say. @returns who came and who was called, by number */
async function liveDay(b: Branch): Promise<{ ids: (number | null)[]; calls: number[] }> {
  const ids: (number | null)[] = []
  const calls: number[] = []
  const come = async () => {
    const input = { labels: [LABELS[ids.length % LABELS.length]!], channel: ids.length % 3 ? 'kiosk' : 'reception' }
    const ticket = await b.take(input).catch(() => null)
    ids.push(ticket?.id ?? null)
  }
  for (let i = 0; i < 14; i++) await come()
  for (let i = 0; i < 12; i++) {
    await come()
    const ticket = (await b.callNext(i % 2))!
    calls.push(ids.indexOf(ticket.id))
    await b.run('tickets.start', { id: ticket.id })
    await b.run('tickets.complete', { id: ticket.id })
  }
  return { ids, calls }
}
const RULES = {
  class: [{ condition: { customer_labels: ['vip'] }, effect: { priority: 5 } }],
  refuse: [{ condition: { customer_labels: ['spam'] }, effect: { refuse: { reason: { en: 'No.' } } } }],
  redirect: [{ condition: { customer_labels: ['other'] }, effect: { queue_id: 0 } }],
  skill: [{ condition: { customer_labels: ['deed'] }, effect: { required_skill: 'notary' } }],
  length: [{ condition: { queue_length_over: 8 }, effect: { refuse: { reason: { en: 'Full.' } } } }],
  all: [
    { condition: { customer_labels: ['vip'] }, effect: { priority: 5 } },
    { condition: { customer_labels: ['deed'] }, effect: { required_skill: 'notary' } },
    { condition: { customer_labels: ['other'] }, effect: { queue_id: 0 } },
    { condition: { queue_length_over: 8, channels: ['kiosk'] }, effect: { refuse: { reason: { en: 'Full.' } } } },
  ],
}
async function draft(b: Branch, rules: readonly { condition: object; effect: object }[]) {
  for (const [position, { condition, effect }] of rules.entries()) {
    const target = 'queue_id' in effect ? { queue_id: b.queues[1]!.id } : effect
    await b.run('queue-rules.create', { queue_id: b.queues[0]!.id, name: 'r', position, condition, effect: target })
  }
}
/** The day of a branch under the rules of its draft, by number of arrival. */
async function played(b: Branch, ids: readonly (number | null)[]) {
  const { id, service_id } = b.queues[0]!
  const { results } = await b.run('queue-rules.list', { queue: id, ordering: 'position' })
  const rules = results as PublishedRule[]
  const config: ReplayConfig = {
    algorithm: 'priority',
    algorithm_settings: {},
    rules,
    timezone: 'Europe/Paris',
    queue_id: id,
    service_id,
  }
  const events = await lab.db.tenant(b.tenant.id, async (tx) => loggedDay(tx, id, await today(b)))
  return replayDay(events, config).calls.map((call) => ids.indexOf(call.id))
}

test.each(Object.entries(RULES))(
  'rules tried on a past day call as the live engine does under them: %s',
  async (_, rules) => {
    const [tried, live] = [await office(), await office()]
    await draft(live, rules)
    await live.run('queues.publishRules', { id: live.queues[0]!.id })
    const without = await liveDay(tried)
    const under = await liveDay(live)
    await draft(tried, rules)
    expect(await played(tried, without.ids)).toEqual(under.calls)
    // Control: the rules make a difference.
    expect(without.calls).not.toEqual(under.calls)
    const id = tried.queues[0]!.id
    const answer = await run(tried)('queues.simulate', { id, date: await today(tried), rules: 'draft' })
    const elsewhere = await lab.owner('select from tickets where queue_id = $1', [live.queues[1]!.id])
    expect([answer.refused, answer.sent_elsewhere, answer.joined]).toEqual([
      under.ids.filter((one) => one === null).length,
      elsewhere.length,
      0,
    ])
    expect(answer.identical).toBe(false)
    // Played with the rules it was under, a day is that day.
    const own = live.queues[0]!.id
    const date = await today(live)
    for (const wanted of [{}, { rules: 'version', version: 1 }]) {
      const same = await run(live)('queues.simulate', { id: own, date, ...wanted })
      expect(same.identical).toBe(true)
      for (const { actual, simulated } of same.waits) expect(simulated).toEqual(actual)
    }
  },
)

test('without the rule that sent people away they come here, and are called as if it had never been', async () => {
  const [tried, live] = [await office(), await office()]
  await draft(tried, RULES.redirect)
  await tried.run('queues.publishRules', { id: tried.queues[0]!.id })
  const away = await liveDay(tried)
  const without = await liveDay(live)
  const { results } = await tried.run('queue-rules.list', { queue: tried.queues[0]!.id })
  await tried.run('queue-rules.delete', { id: results[0].id })
  expect(await played(tried, away.ids)).toEqual(without.calls)
  const id = tried.queues[0]!.id
  const answer = await run(tried)('queues.simulate', { id, date: await today(tried), rules: 'draft' })
  const elsewhere = await lab.owner('select from tickets where queue_id = $1', [tried.queues[1]!.id])
  expect([answer.joined, answer.sent_elsewhere]).toEqual([elsewhere.length, 0])
  expect(answer.joined).toBeGreaterThan(1)
  // With counters too, all who are kept here come.
  const counters = await run(tried)('queues.simulate', { id, date: await today(tried), rules: 'draft', counters: 3 })
  expect(counters.waits[0].simulated.count).toBe(away.ids.length)
})

test('a language that a screen was read in counts for rules as it does on the ticket', async () => {
  const b = await office()
  await draft(b, [{ condition: { languages: ['en'] }, effect: { priority: 7 } }])
  await b.run('queues.publishRules', { id: b.queues[0]!.id })
  const atKiosk = as(b.kiosk, b.tenant)
  const ticket = await atKiosk('tickets.take', { queue_id: b.queues[0]!.id, channel: 'kiosk' })
  expect(ticket).toMatchObject({ language: 'en', priority: 7 })
  const spoken = await atKiosk('tickets.take', { queue_id: b.queues[0]!.id, channel: 'kiosk', language: 'ar' })
  expect(spoken).toMatchObject({ language: 'ar', priority: 0 })
})

test('an appointment that moves while its holder waits gives another place, live and simulated', async () => {
  const b = await lab.branch()
  const queue_id = b.queues[0]!.id
  await b.setQueue({ algorithm: 'appointment', algorithm_settings: { lead_seconds: 0 } })
  const desk = run(b)
  const settings = { queue_id, lead_seconds: 0, capacity: 50, duration_seconds: 60, early_seconds: 86_400 }
  await desk('booking-settings.create', settings)
  const inMinutes = (minutes: number) =>
    Temporal.Instant.fromEpochMilliseconds(now()).add({ minutes }).toString({ smallestUnit: 'second' })
  const booked: { appointment: number; ticket: number }[] = []
  for (let i = 1; i <= 6; i++) {
    const { id } = await desk('appointments.book', { queue_id, start_at: inMinutes(10 * i) })
    booked.push({ appointment: id, ticket: (await desk('appointments.checkIn', { id })).ticket.id })
  }
  const calls: number[] = []
  const call = async () => {
    const { id } = (await b.callNext())!
    calls.push(id)
    await b.run('tickets.start', { id })
    await b.run('tickets.complete', { id })
  }
  const walkIn = await b.take()
  await call()
  const [first, second, , , fifth, sixth] = booked
  await desk('appointments.reschedule', { id: fifth!.appointment, start_at: inMinutes(5) })
  expect((await b.line()).slice(0, 2)).toEqual([fifth!.ticket, first!.ticket])
  expect(await b.events(fifth!.ticket)).toEqual(['ticket.created', 'ticket.moved'])
  await call()
  await desk('appointments.reschedule', { id: first!.appointment, start_at: inMinutes(90) })
  await call()
  expect(await b.line()).toEqual([booked[2]!.ticket, booked[3]!.ticket, sixth!.ticket, first!.ticket])
  while ((await b.line()).length) await call()
  expect(calls).toEqual(
    [walkIn, fifth, second, booked[2], booked[3], sixth, first].map((one: any) => one.ticket ?? one.id),
  )
  // Whoever is served already is not moved, and visitors do not move what they have come for.
  expect(await codeOf(desk('appointments.reschedule', { id: first!.appointment, start_at: inMinutes(20) }))).toBe(
    'illegal_transition',
  )
  const date = await today(b)
  const same = await desk('queues.simulate', { id: queue_id, date })
  expect(same.identical).toBe(true)
  for (const { actual, simulated } of same.waits) expect(simulated).toEqual(actual)
  expect((await desk('queues.simulate', { id: queue_id, date, algorithm: 'fifo' })).identical).toBe(false)
})
