import { expect, test } from 'vitest'
import { estimateErrors, estimatePromises, estimatesInside } from '../../kernel/metrics.ts'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { randomizer } from '../../../test/random.ts'
import * as tickets from '../tickets/index.ts'
import { operations } from './index.ts'

const { db, owner } = await testDatabase()
const as = caller(testRuntime(db), [...operations, ...tickets.operations])

/** Half an hour off the hours of UTC, so that a figure by another clock falls into another hour. */
const TIMEZONE = 'Asia/Kolkata'
const DAYS = 40
interface Judged {
  at: string
  low: number
  median: number
  high: number
  waited: number | null
}

/** Estimates of many weeks, some of waits that have not ended. */
function someEstimates(now: string, count: number): Judged[] {
  const random = randomizer(17)
  return Array.from({ length: count }, () => {
    const low = Math.floor(random() * 600)
    const median = low + Math.floor(random() * 900)
    const seconds = Math.floor(random() * DAYS * 86_400)
    return {
      at: Temporal.Instant.from(now).subtract({ seconds }).toString(),
      low,
      median,
      high: median + Math.floor(random() * 900),
      waited: random() < 0.1 ? null : Math.floor(random() * 2400),
    }
  })
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const figuresOf = (rows: readonly (Judged & { waited: number })[]) => ({
  estimates: rows.length,
  mean_absolute_error_seconds: mean(rows.map(({ median, waited }) => Math.abs(median - waited))),
  bias_seconds: mean(rows.map(({ median, waited }) => median - waited)),
  mean_wait_seconds: mean(rows.map(({ waited }) => waited)),
  coverage: mean(rows.map(({ low, high, waited }) => Number(low <= waited && waited <= high))),
  within_promise: mean(rows.map(({ high, waited }) => Number(waited <= high))),
})
const near = (value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? expect.closeTo(value, 9) : value
const nearly = (figures: object) =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, near(value)]))

test('the published figures are those of the rows, in all, by hour and by day of the site’s clock', async () => {
  const bank = await aTenant(owner, { queues: 2, timezone: TIMEZONE })
  const run = as(bank.supervisor, bank.tenant)
  const [{ now }] = (await owner<{ now: string }>('select now() as now')) as [{ now: string }]
  const rows = someEstimates(now, 900)
  const [queue, other] = bank.queues
  await owner(
    `with given as (select row_number() over () as n, e.* from jsonb_to_recordset($5::jsonb) as e(at timestamptz, low int, median int, high int, waited int)),
     taken as (
       insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank, status,
         entered_at, created_at)
       select $1, $2, $3, $4, current_date, $3, current_date, n, 'A' || n, 'web', n, 'terminé', at, at from given returning id, serial)
     insert into ticket_estimates (tenant_id, ticket_id, queue_id, at, low_seconds, median_seconds, high_seconds, waited_seconds)
     select $1, t.id, case when g.n % 3 = 0 then $6 else $3 end, g.at, g.low, g.median, g.high, g.waited
     from given g join taken t on t.serial = g.n`,
    [bank.tenant.id, queue!.site_id, queue!.id, queue!.service_id, JSON.stringify(rows), other!.id],
  )
  for (const days of [28, 3, 366]) {
    const since = Temporal.Instant.from(now).subtract({ hours: days * 24 })
    const own = rows
      .filter((_, i) => (i + 1) % 3 !== 0)
      .filter((row): row is Judged & { waited: number } => row.waited !== null)
      .filter(({ at }) => Temporal.Instant.compare(Temporal.Instant.from(at), since) >= 0)
    const local = ({ at }: Judged) => Temporal.Instant.from(at).toZonedDateTimeISO(TIMEZONE)
    const byHour = Map.groupBy(own, (row) => local(row).hour)
    const byDay = Map.groupBy(own, (row) => local(row).toPlainDate().toString())
    const answer = await run('queues.estimateAccuracy', { id: queue!.id, days })
    expect(own.length).toBeGreaterThan(20)
    expect(answer).toEqual({
      ...nearly(figuresOf(own)),
      by_hour: [...byHour].toSorted(([a], [b]) => a - b).map(([hour, list]) => ({ hour, ...nearly(figuresOf(list)) })),
      by_day: [...byDay]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([day, list]) => ({ day, ...nearly(figuresOf(list)) })),
    })
  }
  const empty = await run('queues.estimateAccuracy', { id: (await aTenant(owner)).queues[0]!.id }).catch(
    (error: { code: string }) => error.code,
  )
  expect(empty).toBe('not_found')
})

test('without a wait that ended there are no figures', async () => {
  const bank = await aTenant(owner)
  expect(await as(bank.supervisor, bank.tenant)('queues.estimateAccuracy', { id: bank.queues[0]!.id })).toEqual({
    estimates: 0,
    mean_absolute_error_seconds: null,
    bias_seconds: null,
    mean_wait_seconds: null,
    coverage: null,
    within_promise: null,
    by_hour: [],
    by_day: [],
  })
})

test('/metrics counts the same waits as the rows', async () => {
  const bank = await aTenant(owner)
  const run = as(bank.admin, bank.tenant)
  const take = () => run('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'reception' })
  for (let i = 0; i < 6; i++) await take()
  await run('estimates.refresh')
  for (let i = 0; i < 5; i++) {
    const { ticket } = await run('tickets.callNext', { id: bank.agents[0]!.id })
    await run('tickets.start', { id: ticket.id })
    await run('tickets.complete', { id: ticket.id })
  }
  await run('estimates.refresh')
  const [rows] = await owner<{ count: number; error: number; inside: number; kept: number }>(
    `select count(*)::int, sum(abs(median_seconds - waited_seconds))::int as error,
       (count(*) filter (where waited_seconds between low_seconds and high_seconds))::int as inside,
       (count(*) filter (where waited_seconds <= high_seconds))::int as kept
     from ticket_estimates where tenant_id = $1 and waited_seconds is not null`,
    [bank.tenant.id],
  )
  const valuesOf = async (metric: {
    get(): Promise<{ values: { value: number; labels: object; metricName?: string }[] }>
  }) => (await metric.get()).values.filter(({ labels }) => (labels as { tenant?: string }).tenant === bank.tenant.slug)
  const errors = await valuesOf(estimateErrors)
  const of = (name: string) => errors.find(({ metricName }) => metricName === `estimate_error_seconds_${name}`)?.value
  expect(rows!.count).toBe(5)
  expect([of('count'), of('sum')]).toEqual([rows!.count, rows!.error])
  const counted = async (metric: typeof estimatesInside | typeof estimatePromises, label: object) =>
    (await valuesOf(metric as never)).find(({ labels }) =>
      JSON.stringify(labels).includes(JSON.stringify(label).slice(1, -1)),
    )?.value ?? 0
  expect(await counted(estimatesInside, { inside: 'true' })).toBe(rows!.inside)
  expect(await counted(estimatesInside, { inside: 'false' })).toBe(rows!.count - rows!.inside)
  expect(await counted(estimatePromises, { kept: 'true' })).toBe(rows!.kept)
  expect(await counted(estimatePromises, { kept: 'false' })).toBe(rows!.count - rows!.kept)
})
