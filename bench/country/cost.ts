import type { Direct } from '../../server/kernel/db/direct.ts'
import type { Verdict } from '../goals.ts'
import type { Line } from './lines.ts'

const MILLION = 1e6
const GIB = 2 ** 30
/** Of a branch: the measure of docs/scale.md. */
const TICKETS_A_DAY = 500
/** Beyond it waits grow out of proportion. */
const USABLE = 0.6
const CORES = 2
/** Tables that grow with every visit, whole tables in parts together. */
const GROWING = [
  'events',
  'tickets',
  'audit_entries',
  'ticket_legs',
  'ticket_estimates',
  'webhook_deliveries',
  'messages',
]

export interface Stock {
  wal: number
  bytes: Map<string, number>
}

/** What the database has written so far, and what lies where. */
export async function stockOf(query: Direct['query']): Promise<Stock> {
  const [{ wal }] = (await query<{ wal: number }>(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal`,
  )) as [{ wal: number }]
  const tables = await query<{ name: string; bytes: number }>(
    `select r.relname::text as name, sum(pg_total_relation_size(c.oid))::float8 as bytes
     from pg_class c left join pg_inherits i on i.inhrelid = c.oid join pg_class r on r.oid = coalesce(i.inhparent, c.oid)
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace group by 1`,
  )
  return { wal, bytes: new Map(tables.map(({ name, bytes }) => [name, bytes])) }
}

/** Share of the tickets of a whole day that are taken in its busiest hour. */
export function busiestShare(lines: readonly Line[]): number {
  const takes = lines.flatMap(({ steps }) => steps.filter(({ kind }) => kind === 'take').map(({ at }) => at))
  const hours = Map.groupBy(takes, (at) => Math.floor(at / 3600))
  return Math.max(...[...hours.values()].map(({ length }) => length)) / takes.length
}

export interface Spent {
  tickets: number
  /** CPU seconds. */
  program: number
  postgres: number
  bytesAsked: number
  bytesAnswered: number
  /** Of a whole day's tickets, those of its busiest hour. */
  share: number
}

/** What a million tickets cost, of what so many cost now, and how many branches two cores carry in their busiest hour. */
export function costOf(before: Stock, after: Stock, spent: Spent): Verdict[] {
  const { tickets, program, postgres, bytesAsked, bytesAnswered, share } = spent
  const ofMillion = (sum: number) => (sum / tickets) * MILLION
  const grown = (table: string) => (after.bytes.get(table) ?? 0) - (before.bytes.get(table) ?? 0)
  const disk = [...after.bytes.keys()].reduce((sum, table) => sum + grown(table), 0)
  const cpu = (program + postgres) / tickets
  return [
    { text: 'a million tickets: CPU of the program, s', measured: ofMillion(program) },
    { text: 'a million tickets: CPU of PostgreSQL, s', measured: ofMillion(postgres) },
    { text: 'a million tickets: log of the database (WAL), GiB', measured: ofMillion(after.wal - before.wal) / GIB },
    { text: 'a million tickets: disk, GiB', measured: ofMillion(disk) / GIB },
    ...GROWING.map((table) => ({ text: `  ${table}, bytes a ticket`, measured: grown(table) / tickets })),
    { text: 'a million tickets: asked over HTTP, GiB', measured: ofMillion(bytesAsked) / GIB },
    { text: 'a million tickets: answered over HTTP, GiB', measured: ofMillion(bytesAnswered) / GIB },
    { text: 'share of a day in its busiest hour', measured: share },
    {
      text: `sites of ${TICKETS_A_DAY} tickets a day on ${CORES} cores, ${USABLE * 100} % busy then`,
      measured: (CORES * USABLE * 3600) / (cpu * TICKETS_A_DAY * share),
    },
  ]
}
