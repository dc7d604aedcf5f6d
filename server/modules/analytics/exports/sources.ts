import type { Tx } from '../../../kernel/db/types.ts'
import { COUNTS } from '../rollup/measures.ts'
import type { Column, Row } from './formats/column.ts'

/** Rows of one statement. */
const PAGE_ROWS = 2000

/** Of a period and a place; null = everywhere. */
export interface Scope {
  from: string
  to: string
  site_id: number | null
  queue_id: number | null
  service_id: number | null
}
/** A kind of export: its columns, and its rows by keyset, so that no snapshot stays open while a file is written. */
export interface Source {
  columns: readonly Column[]
  /** $1 … $5: the scope. */
  count: string
  /** $6, $7: the key of the row before. Nothing may stand around them: a COALESCE counts as leaky, and no index leads past a policy then. */
  page: string
}

const typed = (type: Column['type'], names: readonly string[]): Column[] => names.map((name) => ({ name, type }))
const place = (alias: string) =>
  `($3::bigint is null or ${alias}.site_id = $3) and ($4::bigint is null or ${alias}.queue_id = $4) and ($5::bigint is null or ${alias}.service_id = $5)`

const TICKETS = `
  t.day between $1 and $2 and t.created_at >= ($1::date - 2)::timestamp at time zone 'UTC'
  and t.created_at < ($2::date + 3)::timestamp at time zone 'UTC' and ${place('t')}`
const METRICS = `m.dimension = 'all' and m.date between $1 and $2 and ${place('m')}`

const METRIC_NUMBERS = ['average_wait_time', 'average_walk_time', 'average_service_time', 'average_held_time']
const METRIC_INTEGERS = [
  ...COUNTS,
  'max_wait_seconds',
  'p50_wait_time',
  'p90_wait_time',
  'p50_service_time',
  'p90_service_time',
  'goal_seconds',
]

/** Who somebody is, and what people wrote about them, stays where it is: an export has ids. */
export const SOURCES: Readonly<Record<'tickets' | 'queue_metrics', Source>> = {
  tickets: {
    columns: [
      { name: 'id', type: 'integer' },
      { name: 'day', type: 'date' },
      ...typed('text', [
        'number',
        'site',
        'queue',
        'service',
        'channel',
        'status',
        'language',
        'labels',
        'outcome',
        'agent',
        'counter',
      ]),
      ...typed('integer', [
        'site_id',
        'queue_id',
        'service_id',
        'agent_id',
        'counter_id',
        'customer_id',
        'priority',
        'rating',
        'legs',
      ]),
      ...typed('time', ['created_at', 'appointment_at', 'called_at', 'started_at', 'ended_at']),
      ...typed('integer', [
        'wait_seconds',
        'walk_seconds',
        'service_seconds',
        'held_seconds',
        'told_low_seconds',
        'told_median_seconds',
        'told_high_seconds',
      ]),
    ],
    count: `select count(*)::int as count from tickets t where ${TICKETS}`,
    page: `
      select p.*, l.wait_seconds, l.walk_seconds, l.service_seconds, l.held_seconds,
        e.low_seconds as told_low_seconds, e.median_seconds as told_median_seconds, e.high_seconds as told_high_seconds
      from (
        select t.tenant_id, t.id, t.day, t.number, s.name as site, q.name as queue, v.name as service, t.channel, t.status, t.language,
          array_to_string(t.labels, ', ') as labels, t.outcome, a.name as agent, c.name as counter, t.site_id, t.queue_id, t.service_id,
          t.agent_id, t.counter_id, t.customer_id, t.priority, t.rating, t.leg as legs, t.created_at, t.appointment_at, t.called_at,
          t.started_at, t.ended_at, array[t.created_at::text, t.id::text] as key
        from tickets t join sites s on s.tenant_id = t.tenant_id and s.id = t.site_id
        join queues q on q.tenant_id = t.tenant_id and q.id = t.queue_id
        join services v on v.tenant_id = t.tenant_id and v.id = t.service_id
        left join agents a on a.tenant_id = t.tenant_id and a.id = t.agent_id
        left join counters c on c.tenant_id = t.tenant_id and c.id = t.counter_id
        where ${TICKETS} and (t.created_at, t.id) > ($6::timestamptz, $7::bigint)
        order by t.created_at, t.id limit ${PAGE_ROWS}) p
      cross join lateral (
        select round(sum(extract(epoch from l.called_at - l.entered_at)))::int as wait_seconds,
          round(sum(extract(epoch from l.started_at - l.called_at)))::int as walk_seconds,
          round(sum(extract(epoch from l.ended_at - l.started_at) - l.held_seconds))::int as service_seconds,
          coalesce(sum(l.held_seconds), 0)::int as held_seconds
        from ticket_legs l where l.tenant_id = p.tenant_id and l.ticket_id = p.id) l
      left join ticket_estimates e on e.tenant_id = p.tenant_id and e.ticket_id = p.id
      order by p.created_at, p.id`,
  },
  queue_metrics: {
    columns: [
      { name: 'date', type: 'date' },
      ...typed('text', ['site', 'queue', 'service']),
      ...typed('integer', ['site_id', 'queue_id', 'service_id', ...METRIC_INTEGERS]),
      ...typed('number', METRIC_NUMBERS),
      { name: 'peak_hours', type: 'text' },
    ],
    count: `select count(*)::int as count from queue_metrics m where ${METRICS}`,
    page: `
      select m.date, s.name as site, q.name as queue, v.name as service, m.site_id, m.queue_id, m.service_id,
        ${[...METRIC_INTEGERS, ...METRIC_NUMBERS].map((name) => `m.${name}`).join(', ')}, array_to_string(m.peak_hours, ' ') as peak_hours,
        array[m.date::text, m.queue_id::text] as key
      from queue_metrics m join sites s on s.tenant_id = m.tenant_id and s.id = m.site_id
      join queues q on q.tenant_id = m.tenant_id and q.id = m.queue_id join services v on v.tenant_id = m.tenant_id and v.id = m.service_id
      where ${METRICS} and (m.date, m.queue_id) > ($6::date, $7::bigint)
      order by m.date, m.queue_id limit ${PAGE_ROWS}`,
  },
}

const valuesOf = ({ from, to, site_id, queue_id, service_id }: Scope) => [from, to, site_id, queue_id, service_id]

export async function countRows(tx: Tx, source: Source, scope: Scope): Promise<number> {
  return (await tx.one<{ count: number }>(source.count, valuesOf(scope))).count
}

/** All rows, a page at a time. */
export async function* pagesOf(tx: Tx, source: Source, scope: Scope): AsyncGenerator<Row[]> {
  for (let key = ['-infinity', '0']; ;) {
    const rows = await tx.query<Row & { key: string[] }>(source.page, [...valuesOf(scope), ...key])
    if (rows.length > 0) yield rows as unknown as Row[]
    if (rows.length < PAGE_ROWS) return
    ;({ key } = rows.at(-1)!)
  }
}
