import type { Tx } from '../../kernel/db/types.ts'
import { NUMBER_DAYS, type Find, type Found, type Place } from './engine.ts'
import type { Query } from './query.ts'

/**
 * By day, so that the index on (tenant, day, number) gives few rows. Digits alone stand behind any of the tenant's letters.
 * These comparisons are leakproof: the policy does not keep them from the index.
 */
const BY_NUMBER = `
  with beginnings as (
    select distinct case when $1 ~ '^[0-9]' then coalesce(q.number_prefix, '') || $1 else $1 end as beginning from queues q
    where $1 ~ '^[0-9]' or q.number_prefix <> '' and $1 like q.number_prefix || '%')
  select t.id from generate_series(0, ${NUMBER_DAYS}) n
  cross join beginnings b
  cross join lateral (
    select t.id, t.created_at, t.number from tickets t
    where t.day = current_date + 1 - n and t.number collate "C" >= b.beginning and t.number collate "C" < b.beginning || U&'\\+10FFFF'
      and ($2::bigint[] is null or t.site_id = any($2)) and ($3::bigint[] is null or t.queue_id = any($3))
    limit 200) t
  order by length(t.number), t.created_at desc, t.id desc limit $4`

const BY_CODE = `
  select a.id from appointments a
  where a.site_id = any(array(select s.id from sites s)) and a.code = $1 and a.status in ('held', 'pending', 'booked', 'checked_in')
    and ($2::bigint[] is null or a.site_id = any($2)) and ($3::bigint[] is null or a.queue_id = any($3))
  order by a.start_at limit $4`

/** Looks in the database: full text for beginnings of words, trigrams for what resembles. */
export const inPostgres: Find = async ({ tx }, query, place, most) => {
  const { words, slips, digits, number, code } = query
  const where = [place.sites, place.queues, most]
  const people = await tx.query<{ id: number }>('select id from app.search_customers($1, $2, $3, $4, $5, $6) id', [
    words,
    slips,
    digits,
    ...where,
  ])
  const notes = await tx.query<{ kind: 'ticket' | 'appointment'; id: number }>(
    'select kind, id from app.search_notes($1, $2, $3, $4)',
    [words, ...where],
  )
  const found: Found = { customer: people.map(({ id }) => id), ticket: [], appointment: [] }
  if (number !== null) found.ticket.push(...(await byNumber(tx, number, place, most)))
  if (code !== null) found.appointment.push(...(await idsOf(tx, BY_CODE, [code, ...where])))
  for (const { kind, id } of notes) if (!found[kind].includes(id)) found[kind].push(id)
  return found
}

const idsOf = async (tx: Tx, text: string, values: readonly unknown[]) =>
  (await tx.query<{ id: number }>(text, values)).map(({ id }) => id)

const byNumber = (tx: Tx, number: NonNullable<Query['number']>, { sites, queues }: Place, most: number) =>
  idsOf(tx, BY_NUMBER, [number, sites, queues, most])
