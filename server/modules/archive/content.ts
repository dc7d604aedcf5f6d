import type { Tx } from '../../kernel/db/types.ts'

/** Rows of one read: memory does not grow with what is archived. */
const PAGE = 2000

/** A line of a file: a row as its table has it, in JSON. */
type Line = Record<string, unknown>
/** What goes into one file, and how it comes back. */
export interface Content {
  /** Called again with what the last line answered as `after`, until it answers none. */
  page(tx: Tx, after: readonly number[]): Promise<{ lines: Line[]; after: readonly number[] }>
  /** Puts lines back where they were; those that are there stay as they are. */
  restore(tx: Tx, lines: readonly string[]): Promise<void>
}

/** What people typed and chose is no part of the past that is kept: as app.forget_words leaves it. */
const WITHOUT_WORDS = `
  case when jsonb_typeof(e.data -> 'ticket') = 'object'
    then jsonb_build_object('ticket', (e.data -> 'ticket') || '{"labels": [], "needs": [], "customer_id": null}') else '{}' end`
const EVENTS = `
  select e.site_id, e."offset",
    to_jsonb(e) || jsonb_build_object('data', (e.data - 'reason') || ${WITHOUT_WORDS}) as line from events e
  where e.at >= $1 and e.at < $2 and (e.site_id, e."offset") > ($3, $4) order by e.site_id, e."offset" limit ${PAGE}`

/** The log from one time to another. */
export const eventsOf = (begins: string, ends: string): Content => ({
  async page(tx, [site = -1, offset = 0]) {
    const rows = await tx.query<{ site_id: number; offset: number; line: Line }>(EVENTS, [begins, ends, site, offset])
    const last = rows.at(-1)
    return { lines: rows.map(({ line }) => line), after: last ? [last.site_id, last.offset] : [] }
  },
  async restore(tx, lines) {
    await tx.query(
      `insert into events select * from jsonb_populate_recordset(null::events, $1::jsonb) on conflict do nothing`,
      [`[${lines.join()}]`],
    )
  },
})

/** Whoever is not over yet, or still known by name, is not of the past. */
const TICKETS = `
  select t.id, to_jsonb(t) || jsonb_build_object('legs',
    (select coalesce(jsonb_agg(to_jsonb(l) order by l.leg), '[]') from ticket_legs l where l.ticket_id = t.id)) as line
  from tickets t where t.created_at >= $1 and t.created_at < $2 and t.id > $3 order by t.id limit ${PAGE}`
const RESTORE = [
  `insert into tickets select * from jsonb_populate_recordset(null::tickets, $1::jsonb) on conflict do nothing`,
  `insert into ticket_legs select l.* from jsonb_array_elements($1::jsonb) t
   cross join lateral jsonb_populate_recordset(null::ticket_legs, t -> 'legs') l on conflict do nothing`,
]

/** Visits that began from one time to another, with their legs. */
export const ticketsOf = (begins: string, ends: string): Content => ({
  async page(tx, [id = 0]) {
    const rows = await tx.query<{ id: number; line: Line }>(TICKETS, [begins, ends, id])
    return { lines: rows.map(({ line }) => line), after: rows.length > 0 ? [rows.at(-1)!.id] : [] }
  },
  async restore(tx, lines) {
    for (const text of RESTORE) await tx.query(text, [`[${lines.join()}]`])
  },
})

/** Of a name such as `tickets_2025_10`: the month in UTC. */
export function monthOf(name: string): [begins: string, ends: string] {
  const [, year, month] = /^tickets_(\d{4})_(\d{2})$/.exec(name)!
  const first = Temporal.PlainDate.from(`${year}-${month}-01`)
  return [`${first}T00:00:00Z`, `${first.add({ months: 1 })}T00:00:00Z`]
}
