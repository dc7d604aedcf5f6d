import type { Tx } from '../../../kernel/db/types.ts'
import { invalid } from '../../../kernel/errors.ts'
import { daysOf } from '../reports/period.ts'
import { factsOf } from './aggregate.ts'
import { COUNTS, EDGES, SUMS, stepPercentile, stepSums, type Sums } from './measures.ts'

/** Whole local days, both included, and where. */
export interface Wanted {
  from: string
  to: string
  site_id?: number | undefined
  queue_id?: number | undefined
  service_id?: number | undefined
  channel?: string | undefined
  /** Who had called last. */
  agent_id?: number | undefined
}
/** Where a figure can be split. */
export type By =
  | 'hour'
  | 'weekday'
  | 'date'
  | 'month'
  | 'service'
  | 'queue'
  | 'site'
  | 'channel'
  | 'agent'
  | 'counter'
  | 'booked'
/** What legs put together add up to; percentiles in seconds. */
export interface Cell extends Sums {
  /** Where it stands, by the names that were asked for. */
  keys: Partial<Record<By, string>>
  p50_wait_time: number | null
  p90_wait_time: number | null
  p50_service_time: number | null
  p90_service_time: number | null
}
export interface Cells {
  cells: Cell[]
  /** Percentiles are rounded up to their step: they come from counts by step. */
  is_rounded: boolean
}

const WEEKDAY = 'extract(isodow from date)::int::text'
const MONTH = `to_char(date, 'YYYY-MM')`
/** How a group is read from a row, and which rows have it. */
const GROUPS: Record<By, { column: string; dimension?: string }> = {
  hour: { column: 'key', dimension: 'hour' },
  channel: { column: 'key', dimension: 'channel' },
  agent: { column: 'key', dimension: 'agent' },
  booked: { column: 'key', dimension: 'booked' },
  // Never added up: only read from legs.
  counter: { column: 'counter' },
  weekday: { column: WEEKDAY },
  date: { column: 'date::text' },
  month: { column: MONTH },
  service: { column: 'service_id::text' },
  queue: { column: 'queue_id::text' },
  site: { column: 'site_id::text' },
}

/**
 * Figures of a period by each combination of `by` that occurs. Of the whole organisation they are read from
 * `tenant_metrics`, which is small; of a site or queue from `queue_metrics`, where percentiles are exact; by counter, or of one channel or
 * agent, from the legs themselves.
 * @throws AppError invalid_input where legs are asked for more than {@link MOST_DAYS_OF_LEGS} days
 */
export async function readCells(tx: Tx, wanted: Wanted, by: readonly By[]): Promise<Cells> {
  if (wanted.channel !== undefined || wanted.agent_id !== undefined || by.includes('counter'))
    return readLegs(tx, wanted, by)
  const dimensions = by.flatMap((each) => GROUPS[each].dimension ?? [])
  if (dimensions.length > 1) throw new Error(`metrics are not kept by ${dimensions.join(' and ')} together`)
  const isSmall = wanted.site_id !== undefined || wanted.queue_id !== undefined
  const needsQueues =
    isSmall ||
    by.includes('queue') ||
    by.includes('agent') ||
    (by.includes('site') && (by.length > 1 || wanted.service_id !== undefined))
  return needsQueues ? readQueues(tx, wanted, by, dimensions[0] ?? 'all') : readTenant(tx, wanted, by, dimensions[0])
}

const selected = (by: readonly By[], columnOf: (each: By) => string) =>
  by.map((each, i) => `${columnOf(each)} as k${i}`)
const groups = (by: readonly By[]) => by.map((_, i) => `k${i}`)
const keysOf = (by: readonly By[], row: Record<string, unknown>) =>
  Object.fromEntries(by.map((each, i) => [each, row[`k${i}`] as string]))
const sumsOf = (row: Record<string, unknown>): Sums =>
  Object.fromEntries([...COUNTS, 'max_wait_seconds'].map((name) => [name, row[name]])) as unknown as Sums

/**
 * Sites from $1 to $2: whole months from their sums, where there are any, and the days around them. A row has 190 steps to add, so
 * that a year of days of a large chain took a second.
 */
const SITES = `(
  with whole as materialized (
    select distinct m.date from tenant_metrics m
    where m.dimension = 'site_month' and m.date >= $1::date and m.date <= ($2::date + 1 - interval '1 month')::date)
  select m.* from tenant_metrics m where m.dimension = 'site_month' and m.date in (select date from whole)
  union all
  select m.* from tenant_metrics m where m.dimension = 'site' and m.date between $1 and $2
    and date_trunc('month', m.date)::date not in (select date from whole)) sites`

async function readTenant(tx: Tx, wanted: Wanted, by: readonly By[], dimension: string | undefined): Promise<Cells> {
  const isBySite = by.includes('site')
  const columns = selected(by, (each) => (each === 'site' ? 'key' : GROUPS[each].column))
  const values: unknown[] = [wanted.from, wanted.to, isBySite ? 'site' : (dimension ?? 'all')]
  const where = ['date between $1 and $2', isBySite ? 'true' : 'dimension = $3']
  if (isBySite) values.pop()
  if (wanted.service_id !== undefined) where.push(`service_id = $${values.push(wanted.service_id)}`)
  const grouping = by.length > 0 ? `group by ${groups(by)} order by ${groups(by)}` : 'having count(*) > 0'
  const rows = await tx.query<Record<string, unknown> & { waits: number[]; service_times: number[] }>(
    `select ${[...columns, SUMS, `${stepSums('wait_counts')} as waits`, `${stepSums('service_counts')} as service_times`].join(', ')}
     from ${isBySite ? SITES : 'tenant_metrics'} where ${where.join(' and ')} ${grouping}`,
    values,
  )
  const cells = rows.map((row) => {
    const sums = sumsOf(row)
    const longest = EDGES.at(-1)!
    return {
      keys: keysOf(by, row),
      ...sums,
      p50_wait_time: stepPercentile(row.waits, 0.5, sums.max_wait_seconds),
      p90_wait_time: stepPercentile(row.waits, 0.9, sums.max_wait_seconds),
      p50_service_time: stepPercentile(row.service_times, 0.5, longest),
      p90_service_time: stepPercentile(row.service_times, 0.9, longest),
    }
  })
  return { cells, is_rounded: true }
}

async function readQueues(tx: Tx, wanted: Wanted, by: readonly By[], dimension: string): Promise<Cells> {
  const values: unknown[] = [wanted.from, wanted.to, dimension]
  const where = ['date between $1 and $2', 'dimension = $3']
  for (const name of ['site_id', 'queue_id', 'service_id'] as const)
    if (wanted[name] !== undefined) where.push(`${name} = $${values.push(wanted[name])}`)
  const names = groups(by)
  const columns = selected(by, (each) => GROUPS[each].column)
  const list = (more: readonly string[]) => [...names, ...more].join(', ')
  const grouping = names.length > 0 ? `group by ${names}` : ''
  const together = (values: string, name: string) => `
    ${name} as (
      select ${list([
        `percentile_disc(0.5) within group (order by v) as ${name}50`,
        `percentile_disc(0.9) within group (order by v) as ${name}90`,
      ])} from own, unnest(own.${values}) v ${grouping})`
  const join = (name: string) =>
    names.length > 0
      ? `left join ${name} on ${names.map((k) => `${name}.${k} = s.${k}`).join(' and ')}`
      : `cross join ${name}`
  const rows = await tx.query<Record<string, unknown>>(
    `with own as materialized (
       select ${[...columns, ...COUNTS, 'max_wait_seconds', 'waits', 'service_times'].join(', ')} from queue_metrics
       where ${where.join(' and ')}),
     s as (select ${list([SUMS])} from own ${grouping || 'having count(*) > 0'}),
     ${together('waits', 'w')}, ${together('service_times', 'v')}
     select s.*, w50, w90, v50, v90 from s ${join('w')} ${join('v')} ${names.length > 0 ? `order by ${names.map((k) => `s.${k}`)}` : ''}`,
    values,
  )
  return { cells: rows.map((row) => exactCell(row, by)), is_rounded: false }
}

const exactCell = (row: Record<string, unknown>, by: readonly By[]): Cell => ({
  keys: keysOf(by, row),
  ...sumsOf(row),
  p50_wait_time: row['w50'] as number | null,
  p90_wait_time: row['w90'] as number | null,
  p50_service_time: row['v50'] as number | null,
  p90_service_time: row['v90'] as number | null,
})

/** A quarter: what is not added up is read leg by leg. */
const MOST_DAYS_OF_LEGS = 92

async function readLegs(tx: Tx, wanted: Wanted, by: readonly By[]): Promise<Cells> {
  if (daysOf(wanted) > MOST_DAYS_OF_LEGS) throw invalid('/to', 'range')
  const values: unknown[] = [wanted.from, wanted.to]
  const stays: string[] = []
  const legs: string[] = by.flatMap((each) => (each === 'agent' || each === 'counter' ? `${each} is not null` : []))
  if (wanted.site_id !== undefined) stays.push(`and t.site_id = $${values.push(wanted.site_id)}`)
  if (wanted.channel !== undefined) stays.push(`and t.channel = $${values.push(wanted.channel)}`)
  if (wanted.queue_id !== undefined) legs.push(`queue_id = $${values.push(wanted.queue_id)}`)
  if (wanted.service_id !== undefined) legs.push(`service_id = $${values.push(wanted.service_id)}`)
  if (wanted.agent_id !== undefined) {
    const agent = `$${values.push(wanted.agent_id)}::bigint`
    stays.push(`and (t.agent_id = ${agent} or exists (
      select from ticket_legs l where l.tenant_id = t.tenant_id and l.ticket_id = t.id and l.agent_id = ${agent}))`)
    legs.push(`agent = ${agent}::text`)
  }
  const names = groups(by)
  // What rows of metrics have under their key has a column of its own here.
  const columns = selected(by, (each) => (GROUPS[each].dimension ? each : GROUPS[each].column))
  const percentile = (share: number, of: string) => `percentile_disc(${share}) within group (order by ${of})`
  const rows = await tx.query<Record<string, unknown>>(
    `with ${factsOf(stays.join(' '))}
     select ${[
       ...columns,
       SUMS,
       `${percentile(0.5, 'max_wait_seconds')} as w50`,
       `${percentile(0.9, 'max_wait_seconds')} as w90`,
       `${percentile(0.5, 'service_time')} as v50`,
       `${percentile(0.9, 'service_time')} as v90`,
     ].join(', ')}
     from facts ${legs.length > 0 ? `where ${legs.join(' and ')}` : ''}
     ${names.length > 0 ? `group by ${names} order by ${names}` : 'having count(*) > 0'}`,
    values,
  )
  return { cells: rows.map((row) => exactCell(row, by)), is_rounded: false }
}
