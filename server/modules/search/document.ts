import type { Tx } from '../../kernel/db/types.ts'
import { fold } from './fold.ts'
import type { Kind } from './schema.ts'

/** What a search server is told of a ticket, customer or appointment: folded words and places, nothing that is shown. */
export interface Document {
  tenant_id: number
  kind: Kind
  id: number
  /** All own words; beginnings of them find it. */
  words: string[]
  /** Of names, addresses and keys, and each pair written as one: slips of the finger are allowed in these. */
  names: string[]
  digits: string
  number: string
  /** The number without its letters. */
  tail: string
  /** Of an appointment to come. */
  code: string
  day: string | null
  /** Where it is, or where the person has been; none for whoever has been nowhere. */
  sites: number[]
  queues: number[]
  is_nowhere: boolean
}
export interface Told {
  id: number
  /** Null when it is gone. */
  document: Document | null
}
/** Microseconds since 1970, from before anything was read; absent when nothing was asked for. */
interface Dated {
  version?: number
}

interface Row {
  id: number
  version: number
  text: string
  names: string
  digits: string
  number: string
  code: string
  day: string | null
  sites: number[]
  queues: number[]
}
const VERSION = '(extract(epoch from statement_timestamp()) * 1000000)::bigint as version'
const READS: Record<Kind, string> = {
  ticket: `
    select w.id, ${VERSION}, t.id is not null as is_there, concat_ws(' ', t.note, app.joined(t.labels)) as text, '' as names, '' as digits,
      coalesce(t.number, '') as number, '' as code, t.day, array_remove(array[t.site_id], null) as sites, array_remove(array[t.queue_id], null) as queues
    from unnest($1::bigint[]) w(id) left join tickets t on t.id = w.id`,
  customer: `
    select w.id, ${VERSION}, c.id is not null as is_there, concat_ws(' ', c.search_text, c.note) as text, coalesce(c.search_text, '') as names,
      coalesce(regexp_replace(c.phone, '\\D', '', 'g'), '') as digits, '' as number, '' as code, null::date as day,
      array(select distinct t.site_id from tickets t where t.customer_id = w.id) as sites,
      array(select distinct t.queue_id from tickets t where t.customer_id = w.id) as queues
    from unnest($1::bigint[]) w(id) left join customers c on c.id = w.id`,
  appointment: `
    select w.id, ${VERSION}, a.id is not null as is_there, coalesce(a.note, '') as text, '' as names, '' as digits, '' as number,
      case when a.status in ('held', 'pending', 'booked', 'checked_in') then a.code else '' end as code, a.day,
      array_remove(array[a.site_id], null) as sites, array_remove(array[a.queue_id], null) as queues
    from unnest($1::bigint[]) w(id) left join appointments a on a.id = w.id`,
}

const wordsOf = (text: string): string[] =>
  [...new Set(fold(text).split(' ').filter(Boolean))].map((word) => word.slice(0, 40))

/** As the rows are now; those that are gone are told of as gone. */
export async function readDocuments(
  tx: Tx,
  tenantId: number,
  kind: Kind,
  ids: readonly number[],
): Promise<Told[] & Dated> {
  const rows = await tx.query<Row & { is_there: boolean }>(READS[kind], [ids])
  const told: Told[] & Dated = rows.map((row) => ({
    id: row.id,
    document: row.is_there ? documentOf(tenantId, kind, row) : null,
  }))
  if (rows[0]) told.version = rows[0].version
  return told
}

function documentOf(tenantId: number, kind: Kind, row: Row): Document {
  const names = row.names.split(' ').filter(Boolean)
  const number = row.number.toLowerCase()
  return {
    tenant_id: tenantId,
    kind,
    id: row.id,
    words: wordsOf(row.text),
    names: [...new Set([...names, ...names.slice(1).map((word, i) => names[i]! + word)])],
    digits: row.digits,
    number,
    tail: number.replace(/^[^0-9]+/, ''),
    code: row.code,
    day: row.day,
    sites: row.sites,
    queues: row.queues,
    is_nowhere: kind === 'customer' && row.sites.length === 0,
  }
}
