import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Enum, Text } from '../../kernel/schema.ts'
import type { Found, Place } from './engine.ts'
import { find } from './find.ts'
import { parseQuery, scoreOf, type Query } from './query.ts'
import { ENGINES, Hit, KINDS, type Kind } from './schema.ts'

const DEFAULT_LIMIT = 20
/** So many candidates of a kind are compared for each that is shown. */
const CANDIDATES = 3
/** Visits of one person who was found. */
const VISITS = 5

type Row = Omit<Hit, 'score'> & { text: string }

/** Of who was found also the latest visits and appointments; the policy and the caller's places hold for each row. */
const TICKETS = `
  select 'ticket' as kind, t.id, t.number as title, coalesce(c.name, '') as detail, t.status, t.site_id, t.queue_id, t.customer_id,
    t.created_at as at, concat_ws(' ', t.number, c.search_text, t.note, app.joined(t.labels)) as text
  from (
    select t.id from tickets t where t.id = any($1)
    union
    select v.id from unnest($2::bigint[]) p(id) cross join lateral (
      select t.id from tickets t where t.customer_id = p.id and ($3::bigint[] is null or t.site_id = any($3))
        and ($4::bigint[] is null or t.queue_id = any($4))
      order by t.id desc limit ${VISITS}) v) wanted
  join tickets t on t.id = wanted.id
  left join customers c on c.id = t.customer_id and $5
  where ($3::bigint[] is null or t.site_id = any($3)) and ($4::bigint[] is null or t.queue_id = any($4))`
const APPOINTMENTS = `
  select 'appointment' as kind, a.id, coalesce(nullif(c.name, ''), a.code) as title, a.code as detail, a.status, a.site_id, a.queue_id,
    a.customer_id, a.start_at as at, concat_ws(' ', a.code, c.search_text, a.note) as text
  from (
    select a.id from appointments a where a.id = any($1)
    union
    select v.id from unnest($2::bigint[]) p(id) cross join lateral (
      select a.id from appointments a where a.customer_id = p.id and ($3::bigint[] is null or a.site_id = any($3))
        and ($4::bigint[] is null or a.queue_id = any($4))
      order by a.id desc limit ${VISITS}) v) wanted
  join appointments a on a.id = wanted.id
  left join customers c on c.id = a.customer_id and $5
  where ($3::bigint[] is null or a.site_id = any($3)) and ($4::bigint[] is null or a.queue_id = any($4))`
const CUSTOMERS = `
  select 'customer' as kind, c.id, coalesce(nullif(c.name, ''), c.phone, c.email, c.external_id, '') as title,
    concat_ws(' · ', c.phone, c.email) as detail, null as status, null as site_id, null as queue_id, c.id as customer_id,
    c.created_at as at, concat_ws(' ', c.search_text, c.note) as text
  from customers c where c.id = any($1) and app.is_seen(c.id, $2, $3)`

export const search = operation({
  id: 'search.query',
  kind: 'query',
  summary: 'Find tickets, customers and appointments',
  description:
    'Names, phones, e-mails and outside keys of customers, in any spelling: accents, Arabic signs and forms of letters, and a slip of the finger make no difference; the beginning of each word is enough. Numbers of tickets of the last fourteen days, codes of appointments to come, and words of notes and labels. Who is found comes with the latest visits and appointments. The likeliest first.',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/search/' },
  input: Closed({
    q: Text(100, { minLength: 1 }),
    kind: Type.Optional(Type.Array(Enum(KINDS), { minItems: 1, maxItems: KINDS.length, uniqueItems: true })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: DEFAULT_LIMIT })),
  }),
  output: Closed({ results: Type.Array(Hit), engine: Enum(ENGINES) }),
  example: { input: { q: 'samira had', kind: ['customer'] } },
  async run(ctx, { q, kind = KINDS, limit = DEFAULT_LIMIT }) {
    const query = parseQuery(q)
    if (!query) return { results: [], engine: 'postgresql' as const }
    const { siteIds: sites = null, queueIds: queues = null } = ctx.actor
    const place: Place = { sites, queues }
    const { found, engine } = await find(ctx, query, place, limit * CANDIDATES)
    const maySeePeople = ctx.actor.scopes.has('read:customer')
    if (!maySeePeople) found.customer = []
    const rows = await rowsOf(ctx, found, place, new Set(kind), maySeePeople)
    return { results: ranked(query, rows).slice(0, limit), engine }
  },
})

/** Whose token does not read customers learns of nobody's name from tickets and appointments either. */
async function rowsOf(
  { tx }: Context,
  found: Found,
  place: Place,
  kinds: ReadonlySet<Kind>,
  maySeePeople: boolean,
): Promise<Row[]> {
  const values = (own: readonly number[]) => [own, found.customer, place.sites, place.queues, maySeePeople]
  const rows: Row[] = []
  if (kinds.has('customer')) rows.push(...(await tx.query<Row>(CUSTOMERS, [found.customer, place.sites, place.queues])))
  if (kinds.has('ticket')) rows.push(...(await tx.query<Row>(TICKETS, values(found.ticket))))
  if (kinds.has('appointment')) rows.push(...(await tx.query<Row>(APPOINTMENTS, values(found.appointment))))
  return rows
}

const ORDER: Readonly<Record<Kind, number>> = { customer: 0, ticket: 1, appointment: 2 }
function ranked(query: Query, rows: readonly Row[]): Hit[] {
  return rows
    .map(({ text, ...row }): Hit => ({ ...row, score: scoreOf(query, text) }))
    .toSorted(
      (a, b) =>
        b.score - a.score || ORDER[a.kind] - ORDER[b.kind] || (a.at < b.at ? 1 : a.at > b.at ? -1 : b.id - a.id),
    )
}
