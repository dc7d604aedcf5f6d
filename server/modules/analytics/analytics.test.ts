import { expect, test } from 'vitest'
import { operations as ticketOperations } from '../tickets/index.ts'
import { aLab, codeOf } from '../tickets/test/branch.ts'
import { caller } from '../../test/runtime.ts'
import { jobs, operations } from './index.ts'
import { COUNTS, EDGES, stepPercentile } from './rollup/measures.ts'
import { busyDays } from './test/busy-days.ts'
import { oracle, oracleLegs } from './test/oracle.ts'

const lab = await aLab()
const { owner, runtime } = lab
const b = await busyDays(lab)
const { from, to } = b
const manager = caller(runtime, operations)(b.supervisor, b.tenant)
const admin = caller(runtime, [...operations, ...ticketOperations])(b.admin, b.tenant)
await oracleLegs(owner, b.tenant.id)
await admin('analytics.aggregate', { from, to })

const CONDITIONS: Record<string, (key: string) => string> = {
  all: () => 'true',
  hour: (key) => `hour = ${key}`,
  channel: (key) => `channel = '${key}'`,
  agent: (key) => `agent_id = ${key}`,
  booked: (key) => `booked = ${key}`,
}
const rowsOf = () =>
  owner<Record<string, any>>(
    `select * from queue_metrics where tenant_id = $1 order by dimension, date, queue_id, key`,
    [b.tenant.id],
  )
const withoutTime = ({ aggregated_at: _, ...row }: Record<string, unknown>) => row

test('the days hold everything: each end, transfers, holds, open legs, zones, the hour that comes twice', async () => {
  const all = await oracle(owner, 'true')
  for (const name of COUNTS.filter((each) => each !== 'expired')) expect(all[name], name).not.toBe(0)
  const [spread] = await owner<{ zones: number; days: number }>(
    `select count(distinct timezone)::int as zones, count(distinct day)::int as days from oracle_legs`,
  )
  expect(spread).toMatchObject({ zones: 3 })
  expect(spread!.days).toBeGreaterThan(2)
})

test('every figure of every queue, day, hour, channel, agent, booked or not equals an independent reading of the legs', async () => {
  const rows = await rowsOf()
  expect(rows.length).toBeGreaterThan(100)
  for (const row of rows) {
    const where = `queue_id = ${row['queue_id']} and day = '${row['date']}' and ${CONDITIONS[row['dimension']]!(row['key'])}`
    const expected = await oracle(owner, where)
    for (const [name, value] of Object.entries(expected)) {
      const what = `${name} where ${where}`
      if (typeof value === 'number') expect(row[name], what).toBeCloseTo(value, 9)
      else expect(row[name], what).toBe(value)
    }
  }
  // Nothing is missing.
  const [legs] = await owner<Record<string, number>>(
    `select count(*)::int as all, count(agent_id)::int as agent from oracle_legs`,
  )
  const open = (dimension: string) =>
    rows
      .filter((row) => row['dimension'] === dimension)
      .reduce((sum, { served, no_shows, abandoned, expired, returned, transferred, unfinished }) => {
        return sum + served + no_shows + abandoned + expired + returned + transferred + unfinished
      }, 0)
  for (const dimension of ['all', 'hour', 'channel', 'booked']) expect(open(dimension)).toBe(legs!['all'])
  expect(open('agent')).toBe(legs!['agent'])
})

test('a day reckoned in UTC, the naive way, is another day', async () => {
  const rows = (await rowsOf()).filter(({ dimension }) => dimension === 'all')
  const differing: unknown[] = []
  for (const { queue_id, date, arrivals } of rows) {
    const naive = await oracle(owner, `queue_id = ${queue_id} and (created_at at time zone 'UTC')::date = '${date}'`)
    if (naive['arrivals'] !== arrivals) differing.push(date)
  }
  expect(differing.length).toBeGreaterThan(0)
})

test('peak hours are the three with the most people, earliest first among equals', async () => {
  for (const { queue_id, date, peak_hours } of (await rowsOf()).filter(({ dimension }) => dimension === 'all')) {
    const counted = await owner<{ hour: number }>(
      `select hour from oracle_legs where queue_id = $1 and day = $2 and came_from is distinct from queue_id
       group by hour order by count(*) desc, hour limit 3`,
      [queue_id, date],
    )
    expect(peak_hours).toEqual(counted.map(({ hour }) => hour))
  }
})

test('adding up again writes the same; the night does so by itself, and takes in what ended since', async () => {
  const before = (await rowsOf()).map(withoutTime)
  const tenantRows = () =>
    owner('select * from tenant_metrics where tenant_id = $1 order by dimension, date, service_id, key', [b.tenant.id])
  const whole = await tenantRows()
  await admin('analytics.aggregate', { from, to })
  expect((await rowsOf()).map(withoutTime)).toEqual(before)
  expect(await tenantRows()).toEqual(whole)
  // Lost, and written again by the job: days with open legs are looked at, and whatever period somebody asks for.
  const nightly = jobs.find(({ nightly }) => nightly)!
  expect(nightly.name).toMatch(/aggregate_daily_metrics$/)
  const context = { runtime, tenants: async () => [b.tenant] }
  await owner('delete from queue_metrics where tenant_id = $1', [b.tenant.id])
  await nightly.run(context, { tenant_id: b.tenant.id, from, to })
  expect((await rowsOf()).map(withoutTime)).toEqual(before)
  await owner(`update queue_metrics set arrivals = 99 where tenant_id = $1 and unfinished > 0`, [b.tenant.id])
  await nightly.run(context, { tenant_id: b.tenant.id, day: to })
  expect((await rowsOf()).map(withoutTime)).toEqual(before)
})

test('two at once on the same days write them once', async () => {
  const before = (await rowsOf()).map(withoutTime)
  await Promise.all([1, 2, 3].map(() => admin('analytics.aggregate', { from, to })))
  expect((await rowsOf()).map(withoutTime)).toEqual(before)
})

test('an act that is undone leaves no trace in the figures', async () => {
  const [{ id } = { id: 0 }] = await owner<{ id: number }>(
    `select id from tickets where tenant_id = $1 and status = 'en_attente' order by id desc limit 1`,
    [b.tenant.id],
  )
  const before = (await rowsOf()).map(withoutTime)
  await admin('tickets.cancel', { id })
  await admin('analytics.aggregate', { from, to })
  expect((await rowsOf()).map(withoutTime)).not.toEqual(before)
  await admin('tickets.undo', { id })
  await admin('analytics.aggregate', { from, to })
  expect((await rowsOf()).map(withoutTime)).toEqual(before)
})

test('the steps of durations are the same in the program and in the database, and percentiles are rounded up to them', async () => {
  const [{ edges } = { edges: [] }] = await owner<{ edges: number[] }>('select app.duration_edges() as edges')
  expect(edges).toEqual(EDGES)
  const rows = await owner<{ seconds: number; step: number }>(
    `select v as seconds, app.duration_step(v, app.duration_edges()) as step from generate_series(0, 30000, 7) v`,
  )
  for (const { seconds, step } of rows) {
    expect(seconds).toBeLessThanOrEqual(EDGES[step - 1] ?? Infinity)
    expect(seconds).toBeGreaterThan(EDGES[step - 2] ?? -1)
  }
  expect(stepPercentile([], 0.5, 0)).toBeNull()
})

/** The end of the step a duration is in. */
const roundedUp = (seconds: number | null, longest: number) =>
  seconds === null ? null : (EDGES.find((edge) => edge >= seconds) ?? longest)

test('reports of the whole organisation and of a site equal the legs, percentiles by step and exactly', async () => {
  const whole = await manager('analytics.hoursByService', { from, to })
  expect(whole.is_rounded).toBe(true)
  for (const cell of whole.cells) {
    const expected = await oracle(owner, `service_id = ${cell.service_id} and hour = ${cell.hour}`)
    expect(cell.total_customers).toBe(expected['total_customers'])
    expect(cell.average_wait_time).toEqual(expected['average_wait_time'])
    expect(cell.p50_wait_time).toBe(roundedUp(expected['p50_wait_time']!, expected['max_wait_seconds']!))
    expect(cell.p90_wait_time).toBe(roundedUp(expected['p90_wait_time']!, expected['max_wait_seconds']!))
    expect(cell.within_goal).toBe(expected['called'] === 0 ? null : expected['within_goal']! / expected['called']!)
  }
  expect(whole.cells.reduce((sum: number, cell: { arrivals: number }) => sum + cell.arrivals, 0)).toBe(
    (await oracle(owner, 'true'))['arrivals'],
  )

  const site_id = b.sites[1]!.id
  const heat = await manager('analytics.heatmap', { from, to, site_id })
  expect(heat.is_rounded).toBe(false)
  for (const cell of heat.cells) {
    const where = `site_id = ${site_id} and hour = ${cell.hour} and extract(isodow from day) = ${cell.weekday}`
    const expected = await oracle(owner, where)
    for (const name of [
      'arrivals',
      'called',
      'served',
      'p50_wait_time',
      'p90_wait_time',
      'average_service_time',
      'p90_service_time',
    ])
      expect(cell[name], `${name} where ${where}`).toEqual(expected[name])
  }
})

test.each(['hour', 'weekday', 'date', 'month', 'service', 'queue', 'site', 'channel', 'agent', 'booked'])(
  'apart by %s, of all and of one site, nothing is lost or counted twice',
  async (by) => {
    for (const place of [{}, { site_id: b.sites[0]!.id }, { service_id: b.services[0]!.id }]) {
      const { groups } = await manager('analytics.breakdown', { from, to, by, ...place })
      const [name, id] = Object.entries(place)[0] ?? ['true', 'true']
      const where = `${name} = ${id}${by === 'agent' ? ' and agent_id is not null' : ''}`
      const expected = await oracle(owner, where)
      for (const figure of ['arrivals', 'called', 'served', 'no_shows'] as const)
        expect(groups.reduce((sum: number, group: any) => sum + group[figure], 0)).toBe(expected[figure])
    }
  },
)

test('sites over a period are the same by whole months and by days', async () => {
  const month = Temporal.PlainDate.from(from).with({ day: 1 })
  const period = {
    from: month.subtract({ days: 3 }).toString(),
    to: month.add({ months: 2 }).add({ days: 3 }).toString(),
  }
  const bySite = () => admin('analytics.breakdown', { ...period, by: 'site' })
  const ofMonths = `from tenant_metrics where tenant_id = $1 and dimension = 'site_month'`
  const [{ n } = { n: 0 }] = await owner<{ n: number }>(`select count(*)::int as n ${ofMonths}`, [b.tenant.id])
  expect(n).toBeGreaterThan(0)
  const byMonths = await bySite()
  await owner(`delete ${ofMonths}`, [b.tenant.id])
  expect(byMonths.groups.length).toBeGreaterThan(0)
  expect(byMonths).toEqual(await bySite())
  await admin('analytics.aggregate', { from, to })
  expect(byMonths).toEqual(await bySite())
  // What is kept of a month counts: the detector sees one that is wrong.
  await owner(`update tenant_metrics set arrivals = arrivals + 1 where tenant_id = $1 and dimension = 'site_month'`, [
    b.tenant.id,
  ])
  expect(await bySite()).not.toEqual(byMonths)
  await admin('analytics.aggregate', { from, to })
})

test('overview, funnel, goals, accuracy and the agents’ report tell the same', async () => {
  const all = await oracle(owner, 'true')
  const { current, previous, by_day, peak_hours } = await manager('analytics.overview', { from, to })
  expect(current).toMatchObject({
    arrivals: all['arrivals'],
    served: all['served'],
    average_wait_time: all['average_wait_time'],
  })
  expect(previous.arrivals).toBe(0)
  expect(by_day.length).toBeGreaterThan(2)
  expect(peak_hours).toHaveLength(3)
  const funnel = await manager('analytics.funnel', { from, to })
  expect(funnel).toMatchObject({
    joined: all['total_customers'],
    called: all['called'],
    came: all['started'],
    rated: all['rated'],
  })
  const sla = await manager('analytics.sla', { from, to, by: 'hour' })
  expect(sla.share_of_called).toBe(all['within_goal']! / all['called']!)
  expect(sla.share_of_all).toBe(all['within_goal']! / (all['called']! + all['abandoned']! + all['expired']!))
  expect(sla.share_of_promises).toBe(all['within_promise']! / all['promised']!)
  const queues = new Map<number, Record<string, number>>()
  for (const { id } of b.queues) queues.set(id, (await oracle(owner, `queue_id = ${id}`)) as Record<string, number>)
  const missed = [...queues].filter(([, { called, within_goal }]) => called! > 0 && within_goal! * 100 < 80 * called!)
  expect(new Map(sla.missed.map((each: any) => [each.queue_id, [each.called, each.within_goal]]))).toEqual(
    new Map(missed.map(([id, { called, within_goal }]) => [id, [called, within_goal]])),
  )
  const accuracy = await manager('analytics.accuracy', { from, to, by: 'queue' })
  expect(accuracy.mean_absolute_error_seconds).toBe(all['promise_absolute_error_seconds']! / all['promised']!)
  expect(accuracy.coverage).toBe(all['inside_promise']! / all['promised']!)
  const { agents } = await manager('analytics.agents', { from, to })
  for (const agent of agents) {
    const own = await oracle(owner, `agent_id = ${agent.agent_id}`)
    for (const name of ['called', 'served', 'no_shows', 'service_seconds', 'p50_service_time'])
      expect(agent[name]).toBe(own[name])
  }
  const day = await manager('analytics.waitOverDay', { from, to, queue_id: b.queues[0]!.id })
  for (const { hour, p90_wait_time } of day.hours)
    expect(p90_wait_time).toBe(
      (await oracle(owner, `queue_id = ${b.queues[0]!.id} and hour = ${hour}`))['p90_wait_time'],
    )
})

test('of one channel, of one agent and by counter, every figure equals the legs too', async () => {
  const period = { from, to: Temporal.PlainDate.from(from).add({ days: 60 }).toString() }
  const agent_id = b.agents[0]!.id
  const site_id = b.sites[0]!.id
  const same = async (told: Record<string, unknown>, where: string) => {
    const expected = await oracle(owner, where)
    for (const name of ['total_customers', 'called', 'served', 'no_shows', 'p50_wait_time', 'p90_service_time'])
      expect(told[name], `${name} where ${where}`).toBe(expected[name])
    expect(told['average_wait_time'], where).toEqual(expected['average_wait_time'])
    return expected
  }
  for (const [given, where] of [
    [{ channel: 'kiosk' }, `channel = 'kiosk'`],
    [{ agent_id }, `agent_id = ${agent_id}`],
    [{ channel: 'web', site_id }, `channel = 'web' and site_id = ${site_id}`],
    [
      { channel: 'web', agent_id, queue_id: b.queues[0]!.id },
      `channel = 'web' and agent_id = ${agent_id} and queue_id = ${b.queues[0]!.id}`,
    ],
  ] as const) {
    const { current, is_rounded } = await manager('analytics.overview', { ...period, ...given })
    expect(is_rounded).toBe(false)
    const whole = await same(current, where)
    const { hours } = await manager('analytics.waitOverDay', { ...period, ...given })
    for (const { hour, ...told } of hours) await same(told, `${where} and hour = ${hour}`)
    const { cells } = await manager('analytics.heatmap', { ...period, ...given })
    const people = cells.reduce((sum: number, cell: { total_customers: number }) => sum + cell.total_customers, 0)
    expect(people).toBe(whole['total_customers'])
    const accuracy = await manager('analytics.accuracy', { ...period, ...given, by: 'service' })
    expect(accuracy.promised).toBe(whole['promised'])
  }
  const { groups } = await manager('analytics.breakdown', { ...period, by: 'counter' })
  const [{ counters } = { counters: 0 }] = await owner<{ counters: number }>(
    'select count(distinct counter_id)::int as counters from oracle_legs',
  )
  expect(groups).toHaveLength(counters)
  for (const { key, name, ...told } of groups) {
    await same(told, `counter_id = ${key}`)
    expect(name).toMatch(/\S/)
  }
  // The detector sees a leg that is missing.
  const all = await oracle(owner, `channel = 'kiosk'`)
  expect((await manager('analytics.overview', { ...period, channel: 'reception' })).current.called).not.toBe(
    all['called'],
  )
  const long = { from: '2020-01-01', to: '2020-12-31', channel: 'web' }
  expect(await codeOf(manager('analytics.overview', long))).toBe('invalid_input')
})

test('how busy agents were is what the log says, within the period alone', async () => {
  const site = b.sites[0]!
  // Days on which people were called: those of the whole, and one in the middle.
  const start = Temporal.PlainDate.from(from)
  const log = await owner<{ agent: number; status: string; at: string }>(
    `select (data -> 'agent' ->> 'id')::bigint as agent, data -> 'agent' ->> 'status' as status, at from events
     where tenant_id = $1 and site_id = $2 and agent_id is not null and data -> 'agent' ->> 'status' is not null order by "offset"`,
    [b.tenant.id, site.id],
  )
  const ms = (instant: string) => Temporal.Instant.from(instant).epochMilliseconds
  const dayStart = (day: Temporal.PlainDate) => day.toZonedDateTime('Europe/Paris').epochMilliseconds
  /** By the program, a line of the log at a time. */
  const spent = (agent: number, states: readonly string[], since: number, until: number) => {
    const own = log.filter((each) => each.agent === agent)
    const seconds = own.map(({ status, at }, i) => {
      const end = Math.min(until, own[i + 1] ? ms(own[i + 1]!.at) : until)
      return states.includes(status) ? Math.max(0, end - Math.max(since, ms(at))) / 1000 : 0
    })
    return Math.round(seconds.reduce((sum, each) => sum + each, 0))
  }
  for (const [first, days] of [
    [start, 5],
    [start.add({ days: 2 }), 1],
  ] as const) {
    const last = first.add({ days: days - 1 })
    const told = await manager('analytics.occupancy', { from: first.toString(), to: last.toString(), site_id: site.id })
    expect(told.agents.length).toBeGreaterThan(0)
    const [since, until] = [dayStart(first), dayStart(last.add({ days: 1 }))]
    for (const { agent_id, busy_seconds, available_seconds, away_seconds, occupancy } of told.agents) {
      expect(busy_seconds).toBe(spent(agent_id, ['calling', 'serving', 'wrap_up'], since, until))
      expect(available_seconds).toBe(spent(agent_id, ['available'], since, until))
      expect(away_seconds).toBe(spent(agent_id, ['break', 'back_office'], since, until))
      expect(occupancy).toBe(busy_seconds / (busy_seconds + available_seconds))
    }
    // What began the day before, or goes on the day after, counts elsewhere.
    const whole = told.agents.map((each: { agent_id: number }) =>
      spent(each.agent_id, ['calling', 'serving', 'wrap_up'], 0, until + 1e9),
    )
    if (days === 1) expect(told.busy_seconds).not.toBe(whole.reduce((sum: number, each: number) => sum + each, 0))
  }
})

test('metrics are listed by day, and page by page', async () => {
  const first = await manager('analytics.queueMetrics', { from, to, limit: 5 })
  expect(first.results).toHaveLength(5)
  expect(first.results[0]).toHaveProperty('average_wait_time')
  const seen = [...first.results]
  for (let page = first; page.next;) {
    page = await manager('analytics.queueMetrics', { from, to, limit: 5, cursor: page.next })
    seen.push(...page.results)
  }
  expect(seen).toHaveLength((await rowsOf()).filter(({ dimension }) => dimension === 'all').length)
})

test('cohorts are who came back, by the month of the first visit', async () => {
  const [customer] = await owner<{ id: number }>(
    `insert into customers (tenant_id, name) values ($1, 'Zoé') returning id`,
    [b.tenant.id],
  )
  await owner(
    `update tickets set customer_id = $2 where tenant_id = $1 and id in (select id from tickets where tenant_id = $1 order by id limit 3)`,
    [b.tenant.id, customer!.id],
  )
  const { cells } = await manager('analytics.cohort', { from, to })
  expect(cells.reduce((sum: number, { visits }: { visits: number }) => sum + visits, 0)).toBe(3)
  expect(cells[0]).toMatchObject({ months_after: 0, customers: 1 })
})

test('live counters are the boards’, with the offsets to follow from', async () => {
  const live = await manager('analytics.live', {})
  for (const line of live.lines) {
    const board = await caller(runtime, ticketOperations)(b.supervisor, b.tenant)('queues.board', { id: line.queue_id })
    expect(line.waiting).toBe(board.waiting_count)
    expect(line.held).toBe(board.held.length)
    expect(line.called + line.serving).toBe(board.called.length)
    const stream = live.streams.find(({ site_id }: { site_id: number }) => site_id === line.site_id)
    expect(stream.epoch).toBe(board.epoch)
    // A board stands at the last event that concerned it.
    expect(stream.offset).toBeGreaterThanOrEqual(board.offset)
  }
})

test('other organisations see nothing of it, and days whose tickets may be gone stay as they are', async () => {
  const other = await lab.branch()
  const theirs = await caller(runtime, operations)(other.supervisor, other.tenant)('analytics.overview', { from, to })
  expect(theirs.current.arrivals).toBe(0)
  expect(await codeOf(admin('analytics.aggregate', { from: '2020-01-01', to: '2020-01-02' }))).toBe('metrics_final')
  expect(await codeOf(admin('analytics.replay', { from: '2020-01-01', to }))).toBe('metrics_final')
  expect(await codeOf(admin('analytics.aggregate', { from: to, to: from }))).toBe('invalid_input')
  const { jobs: count } = await admin('analytics.replay', { from, to })
  expect(count).toBe(1)
})
