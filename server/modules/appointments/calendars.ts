import Type from 'typebox'
import { ROLES, STAFF } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { hashToken, newVisitorToken } from '../../kernel/ids.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Id, Name, Nullable, Text, Time } from '../../kernel/schema.ts'
import { calendarOf, ENTRIES, type Entry } from './calendar.ts'
import { openLink } from './links.ts'

const contentType = 'text/calendar; charset=utf-8'
const Link = Text(100, { minLength: 20 })
const link = 'NobodyKnowsThisSecret0'

async function oneEntry(ctx: Context, id: number): Promise<string> {
  const entry = await ctx.tx.maybe<Entry>(`${ENTRIES} where a.id = $1`, [id])
  if (!entry) throw notFound()
  return calendarOf(ctx, ctx.tenant.name, [entry])
}

const file = operation({
  id: 'appointments.calendar',
  kind: 'query',
  summary: 'An appointment as a calendar file',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/appointments/{id}/calendar/', contentType },
  input: Closed({ id: Id }),
  output: Type.String(),
  example: { input: { id: 1 } },
  run: (ctx, { id }) => oneEntry(ctx, id),
})

const ownFile = operation({
  id: 'appointments.calendarMine',
  kind: 'query',
  summary: 'My appointment as a calendar file',
  scope: null,
  roles: ROLES,
  http: { method: 'GET', path: '/appointments/{link}/calendar/', base: 'public', contentType },
  input: Closed({ link: Link }),
  output: Type.String(),
  example: { input: { link } },
  run: async (ctx, { link }) => oneEntry(ctx, (await openLink(ctx, link)).id),
})

const Feed = Closed({
  id: Id,
  name: Type.String(),
  site_id: Id,
  queue_id: Nullable(Id),
  agent_id: Nullable(Id),
  created_at: Time,
})
const COLUMNS = 'id, name, site_id, queue_id, agent_id, created_at'
const shared = { scope: 'write:ticket', roles: STAFF } as const

const open = operation({
  ...shared,
  id: 'calendar-feeds.create',
  kind: 'mutation',
  summary: 'Make a calendar feed of a site, a queue or an agent',
  description:
    'The address is shown once; calendar programs follow it without a credential. It names services and times, no people.',
  http: { method: 'POST', path: '/calendar-feeds/', status: 201 },
  answersSecret: true,
  input: Closed({ name: Name, site_id: Id, queue_id: Type.Optional(Id), agent_id: Type.Optional(Id) }),
  output: Closed({ ...Feed.properties, url: Type.String() }),
  example: { input: { name: 'Guichet 1', site_id: 1 } },
  async run(ctx, { name, site_id, queue_id = null, agent_id = null }) {
    const place = await ctx.tx.maybe(
      `select from sites s where s.id = $1 and ($2::bigint is null or exists (select from queues q where q.id = $2 and q.site_id = s.id))
         and ($3::bigint is null or exists (select from agents g where g.id = $3 and g.site_id = s.id))`,
      [site_id, queue_id, agent_id],
    )
    if (!place) throw notFound()
    const token = newVisitorToken(ctx.tenant.id)
    const row = await ctx.tx.one<{
      id: number
      name: string
      site_id: number
      queue_id: number | null
      agent_id: number | null
      created_at: string
    }>(
      `insert into calendar_feeds (name, site_id, queue_id, agent_id, token_hash) values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
      [name, site_id, queue_id, agent_id, hashToken(token)],
    )
    return { ...row, url: ctx.url(`/api/v1/public/${ctx.tenant.slug}/calendars/${token}/`) }
  },
})

const close = operation({
  ...shared,
  id: 'calendar-feeds.delete',
  kind: 'mutation',
  summary: 'Close a calendar feed',
  http: { method: 'DELETE', path: '/calendar-feeds/{id}/', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    await ctx.tx.one('delete from calendar_feeds where id = $1 returning id', [id])
    return null
  },
})

/** A month back and the longest horizon ahead; calendar programs keep what they have seen. */
const FEED_ENTRIES = `${ENTRIES}
  where a.site_id = $1 and ($2::bigint is null or a.queue_id = $2) and ($3::bigint is null or a.agent_id = $3)
    and a.status <> 'expired' and a.start_at > now() - interval '31 days' order by a.start_at, a.id limit 5000`

const follow = operation({
  id: 'calendar-feeds.read',
  kind: 'query',
  summary: 'A calendar feed, by its secret address',
  scope: null,
  roles: ROLES,
  http: { method: 'GET', path: '/calendars/{link}/', base: 'public', contentType },
  input: Closed({ link: Link }),
  output: Type.String(),
  example: { input: { link } },
  async run(ctx, { link }) {
    const feed = await ctx.tx.maybe<{
      name: string
      site_id: number
      queue_id: number | null
      agent_id: number | null
    }>(`select ${COLUMNS} from calendar_feeds where token_hash = $1`, [hashToken(link)])
    if (!feed) throw notFound()
    const entries = await ctx.tx.query<Entry>(FEED_ENTRIES, [feed.site_id, feed.queue_id, feed.agent_id])
    return calendarOf(ctx, feed.name, entries)
  },
})

export const calendarOperations: readonly Operation[] = [file, ownFile, open, close, follow]
