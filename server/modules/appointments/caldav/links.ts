import Type, { type Static } from 'typebox'
import { ADMINS } from '../../../kernel/access.ts'
import { AppError, conflict, invalid, notFound } from '../../../kernel/errors.ts'
import { listPage } from '../../../kernel/list.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Page, PageInput, Text, Time } from '../../../kernel/schema.ts'
import { seal } from '../../authentication/index.ts'
import { SYNC_CALENDAR } from '../job-names.ts'
import { CalendarError, calendarAt } from './dav.ts'
import { syncKey } from './soon.ts'

const Link = Closed({
  id: Id,
  site_id: Id,
  queue_id: Nullable(Id),
  agent_id: Nullable(Id),
  url: Type.String(),
  username: Type.String(),
  status: Enum(['active', 'failing']),
  /** Why the last attempt failed: a code of the errors' catalogue. */
  last_error: Nullable(Type.String()),
  synced_at: Nullable(Time),
  created_at: Time,
})
type Link = Static<typeof Link>
const COLUMNS =
  'l.id, l.site_id, l.queue_id, l.agent_id, l.url, l.username, l.status, l.last_error, l.synced_at, l.created_at'
const shared = { scope: 'write:ticket', roles: [...ADMINS, 'agent'] } as const

/** The transaction waits meanwhile, so it waits shortly and few do. */
const VERIFY_MS = 5000
const MOST_AT_ONCE = 2
let verifying = 0

/** Agents see their own. */
const OWN = 'l.agent_id in (select g.id from agents g where g.user_id = $1)'
const PLACE = `
  select s.id as site_id, g.user_id from sites s
  left join queues q on q.site_id = s.id and q.id = $2
  left join agents g on g.site_id = s.id and g.id = $3
  where ($1::bigint is null or s.id = $1) and ($2::bigint is null or q.id is not null)
    and ($3::bigint is null or g.id is not null)`

const connect = operation({
  ...shared,
  id: 'calendars.connect',
  kind: 'mutation',
  summary: 'Keep appointments and a CalDAV calendar alike',
  description:
    'Of an agent, a queue or a site, both ways. The password is tried at once and never shown again. Agents connect their own.',
  http: { method: 'POST', path: '/calendars/', status: 201 },
  input: Closed({
    agent_id: Type.Optional(Id),
    queue_id: Type.Optional(Id),
    site_id: Type.Optional(Id),
    url: Text(1000, { minLength: 8 }),
    username: Text(200, { minLength: 1 }),
    password: Text(500, { minLength: 1 }),
  }),
  output: Link,
  example: {
    input: {
      agent_id: 1,
      url: 'https://calendar.example.org/samira/appointments/',
      username: 'samira',
      password: 'of the calendar',
    },
  },
  constraints: { calendar_links_once: () => conflict('already_exists') },
  async run(ctx, { agent_id = null, queue_id = null, site_id = null, username, password, ...input }) {
    const { actor, tx } = ctx
    if (actor.role === 'agent' && agent_id === null) throw new AppError('forbidden', 'forbidden')
    if (agent_id === null && queue_id === null && site_id === null) throw invalid('/site_id', 'required')
    const place = await tx.maybe<{ site_id: number; user_id: number | null }>(PLACE, [site_id, queue_id, agent_id])
    if (!place) throw notFound()
    if (actor.role === 'agent' && (actor.userId === null || place.user_id !== actor.userId))
      throw new AppError('forbidden', 'forbidden')
    const url = addressOf(ctx, input.url)
    await verify(ctx, { url, username, password })
    const row = await tx.one<Link>(
      `insert into calendar_links as l (site_id, queue_id, agent_id, url, username, password)
       values ($1, $2, $3, $4, $5, $6) returning ${COLUMNS}`,
      [place.site_id, queue_id, agent_id, url, username, seal('calendar', password)],
    )
    ctx.record({ before: null, after: row, isPersonal: true })
    ctx.emit({ type: 'calendar.connected', site_id: row.site_id, data: toldOf(row) })
    await ctx.enqueue(SYNC_CALENDAR, { link_id: row.id }, { job_key: syncKey(ctx.tenant.id, row.id) })
    return row
  },
})

const toldOf = ({ id, queue_id, agent_id }: Link) => ({ calendar: { id, queue_id, agent_id } })
const isDevelopment = ({ url }: Context) => url('/').startsWith('http:')

function addressOf(ctx: Context, text: string): string {
  const url = URL.parse(text)
  const isAllowed = url && (url.protocol === 'https:' || (url.protocol === 'http:' && isDevelopment(ctx)))
  if (!isAllowed || url.username || url.password || url.search || url.hash) throw invalid('/url', 'format')
  return url.href.endsWith('/') ? url.href : `${url.href}/`
}

async function verify(ctx: Context, account: { url: string; username: string; password: string }): Promise<void> {
  if (verifying >= MOST_AT_ONCE) throw new AppError('unavailable', 'calendar_unreachable', { retryAfterSeconds: 5 })
  verifying++
  try {
    await calendarAt(account, isDevelopment(ctx), VERIFY_MS).verify()
  } catch (cause) {
    if (cause instanceof CalendarError) throw new AppError('unprocessable', cause.code, { cause })
    throw cause
  } finally {
    verifying--
  }
}

const list = operation({
  ...shared,
  id: 'calendars.list',
  kind: 'query',
  summary: 'List calendars that are kept alike',
  http: { method: 'GET', path: '/calendars/' },
  input: Closed({ ...PageInput, site: Type.Optional(Id) }),
  output: Page(Link),
  example: { input: {} },
  run: ({ tx, actor }, { site, ...request }) =>
    listPage<Link>(
      tx,
      `select ${COLUMNS} from calendar_links l`,
      { id: [{ column: 'id', expression: 'l.id', type: 'integer' }] },
      { ordering: 'id', ...request },
      [
        ...(site === undefined ? [] : [{ text: 'l.site_id = $1', values: [site] }]),
        ...(actor.role === 'agent' ? [{ text: OWN, values: [actor.userId] }] : []),
        ...(actor.siteIds ? [{ text: 'l.site_id = any($1)', values: [actor.siteIds] }] : []),
        ...(actor.queueIds ? [{ text: 'l.queue_id = any($1)', values: [actor.queueIds] }] : []),
      ],
    ),
})

const disconnect = operation({
  ...shared,
  id: 'calendars.disconnect',
  kind: 'mutation',
  summary: 'No longer keep a calendar alike',
  description: 'What stands in the calendar stays there.',
  http: { method: 'DELETE', path: '/calendars/{id}/', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const isOwn = ctx.actor.role === 'agent' ? ` and ${OWN.replace('$1', '$2')}` : ''
    const row = await ctx.tx.one<Link>(`delete from calendar_links l where l.id = $1${isOwn} returning ${COLUMNS}`, [
      id,
      ...(isOwn ? [ctx.actor.userId] : []),
    ])
    ctx.record({ before: row, after: null, isPersonal: true })
    ctx.emit({ type: 'calendar.disconnected', site_id: row.site_id, data: toldOf(row) })
    return null
  },
})

export const linkOperations = [connect, list, disconnect]
