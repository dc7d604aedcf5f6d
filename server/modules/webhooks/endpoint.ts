import Type from 'typebox'
import { ADMINS } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError, conflict, invalid } from '../../kernel/errors.ts'
import { listPage, type Condition } from '../../kernel/list.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Page, PageInput } from '../../kernel/schema.ts'
import { isKnownPattern } from './catalogue.ts'
import { SEND_NOTICE } from './job-names.ts'
import { Description, Events, Url, Webhook, WEBHOOK_COLUMNS, WithSecret } from './schema.ts'
import { newSecret, sealSecret } from './secret.ts'
import { mayAsk } from './settings.ts'

/** More would tell the same to the same people. */
const MAX_ENDPOINTS = 20
export const managed = { scope: 'admin:tenant', roles: ADMINS } as const
const byId = { method: 'GET', path: '/webhooks/{id}/' } as const

/** What the log and the trail say of an endpoint: its address may hold a token of the receiver's. */
const told = ({ id, events, site_id, is_active, disabled_reason }: Webhook) => ({
  webhook: { id, events, site_id, is_active, disabled_reason },
})
const emit = (ctx: Context, verb: string, row: Webhook) =>
  ctx.emit({ type: `webhook.${verb}`, site_id: 0, data: told(row) })

/** @throws AppError unless the address could ever be asked */
function addressOf(text: string): string {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.hash)
    throw invalid('/url', 'format')
  if (!mayAsk(url)) throw invalid('/url', 'not_allowed')
  return url.href
}

/** @throws AppError for what nothing could ever be told of */
function known(events: readonly string[]): readonly string[] {
  const unknown = events.findIndex((pattern) => !isKnownPattern(pattern))
  if (unknown >= 0) throw invalid(`/events/${unknown}`, 'event_type')
  return events
}

/** What happened before the first endpoint is nobody's news: the log is followed from here. */
const FOLLOW = `
  insert into webhook_cursors (site_id, epoch, "offset", at)
  select site_id, epoch, last_offset, clock_timestamp() from streams
  where not exists (select from webhooks where is_active)
  on conflict (tenant_id, site_id) do update set epoch = excluded.epoch, "offset" = excluded."offset", at = excluded.at`
const followFromHere = (tx: Tx) => tx.query(FOLLOW)

const list = operation({
  ...managed,
  id: 'webhooks.list',
  kind: 'query',
  summary: 'List webhooks',
  http: { method: 'GET', path: '/webhooks/' },
  input: Closed({ ...PageInput, site: Type.Optional(Id) }),
  output: Page(Webhook),
  example: { input: {} },
  run({ tx, actor }, { site, ...page }) {
    const where: Condition[] = []
    if (site !== undefined) where.push({ text: 'site_id = $1', values: [site] })
    if (actor.siteIds) where.push({ text: 'site_id = any($1)', values: [actor.siteIds] })
    return listPage<Webhook>(
      tx,
      `select ${WEBHOOK_COLUMNS} from webhooks`,
      { id: [{ column: 'id', type: 'integer' }] },
      { ordering: 'id', ...page },
      where,
    )
  },
})

const get = operation({
  ...managed,
  id: 'webhooks.get',
  kind: 'query',
  summary: 'Get one webhook',
  http: byId,
  input: Closed({ id: Id }),
  output: Webhook,
  example: { input: { id: 1 } },
  run: ({ tx }, { id }) => tx.one<Webhook>(`select ${WEBHOOK_COLUMNS} from webhooks where id = $1`, [id]),
  readMany: ({ tx }, ids) => tx.query<Webhook>(`select ${WEBHOOK_COLUMNS} from webhooks where id = any($1)`, [ids]),
})

const create = operation({
  ...managed,
  id: 'webhooks.create',
  kind: 'mutation',
  summary: 'Tell an address what happens',
  description:
    'Events from now on are sent to it, signed as Standard Webhooks say. The secret is shown in this answer and never again.',
  answersSecret: true,
  http: { method: 'POST', path: '/webhooks/', status: 201 },
  input: Closed({
    url: Url,
    description: Type.Optional(Description),
    events: Type.Optional(Events),
    site_id: Type.Optional(Id),
  }),
  output: WithSecret,
  example: { input: { url: 'https://example.org/hooks/queue', events: ['ticket.*'] } },
  async run(ctx, { description = '', events = [], site_id = null, ...input }) {
    const { tx, actor } = ctx
    // Whoever may see some queues of a site may not be told of its others.
    if (actor.queueIds) throw new AppError('forbidden', 'forbidden')
    const url = addressOf(input.url)
    if (site_id !== null) await tx.one('select from sites where id = $1', [site_id])
    const { count } = await tx.one<{ count: number }>('select count(*)::int as count from webhooks')
    if (count >= MAX_ENDPOINTS) throw conflict('too_many_webhooks', { most: MAX_ENDPOINTS })
    await followFromHere(tx)
    const secret = newSecret()
    const row = await tx.one<Webhook>(
      `insert into webhooks (url, description, events, site_id, secret) values ($1, $2, $3, $4, $5)
       returning ${WEBHOOK_COLUMNS}`,
      [url, description, known(events), site_id, sealSecret(secret)],
    )
    ctx.record({ before: null, after: told(row).webhook })
    emit(ctx, 'created', row)
    return { ...row, secret }
  },
})

const update = operation({
  ...managed,
  id: 'webhooks.update',
  kind: 'mutation',
  summary: 'Change a webhook',
  description:
    'One that was disabled goes on with what waits for it; what happened meanwhile is sent when `webhooks.replay` asks for it.',
  http: { method: 'PATCH', path: '/webhooks/{id}/' },
  input: Closed({
    id: Id,
    url: Type.Optional(Url),
    description: Type.Optional(Description),
    events: Type.Optional(Events),
    is_active: Type.Optional(Type.Boolean()),
  }),
  output: Webhook,
  example: { input: { id: 1, events: ['ticket.called', 'ticket.completed'] } },
  async run(ctx, { id, url, description, events, is_active }) {
    const { tx } = ctx
    const before = await tx.one<Webhook>(`select ${WEBHOOK_COLUMNS} from webhooks where id = $1 for no key update`, [
      id,
    ])
    const address = url === undefined ? before.url : addressOf(url)
    const isActive = is_active ?? before.is_active
    const isWoken = isActive && !before.is_active
    if (isWoken) await followFromHere(tx)
    const row = await tx.one<Webhook>(
      `update webhooks set url = $2, description = $3, events = $4, is_active = $5, updated_at = now(),
         disabled_reason = case when $5 then null else coalesce(disabled_reason, 'by_hand') end,
         since = case when $6 then clock_timestamp() else since end,
         failures = case when $6 or url <> $2 then 0 else failures end,
         failing_since = case when $6 or url <> $2 then null else failing_since end,
         paused_until = case when $6 or url <> $2 then null else paused_until end
       where id = $1 returning ${WEBHOOK_COLUMNS}`,
      [id, address, description ?? before.description, events ? known(events) : before.events, isActive, isWoken],
    )
    ctx.record({ before: told(before).webhook, after: told(row).webhook })
    emit(ctx, 'updated', row)
    return row
  },
})

const remove = operation({
  ...managed,
  id: 'webhooks.delete',
  kind: 'mutation',
  summary: 'Delete a webhook',
  description: 'With what waits for it and the record of what was sent.',
  http: { method: 'DELETE', path: '/webhooks/{id}/', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const row = await ctx.tx.one<Webhook>(`delete from webhooks where id = $1 returning ${WEBHOOK_COLUMNS}`, [id])
    ctx.record({ before: told(row).webhook, after: null })
    emit(ctx, 'deleted', row)
    return null
  },
})

const MAX_OVERLAP_HOURS = 168
const rotateSecret = operation({
  ...managed,
  id: 'webhooks.rotateSecret',
  kind: 'mutation',
  summary: 'Give a webhook another secret',
  description:
    'The former one signs beside it for `overlap_hours`, so that receivers can change without losing a message; 0 ends it at once.',
  answersSecret: true,
  http: { method: 'POST', path: '/webhooks/{id}/rotate-secret/' },
  input: Closed({
    id: Id,
    overlap_hours: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_OVERLAP_HOURS, default: 24 })),
  }),
  output: WithSecret,
  example: { input: { id: 1, overlap_hours: 24 } },
  async run(ctx, { id, overlap_hours = 24 }) {
    const secret = newSecret()
    const row = await ctx.tx.one<Webhook>(
      `update webhooks set former_secret = case when $3 > 0 then secret end, secret = $2, updated_at = now(),
         former_secret_until = case when $3 > 0 then now() + make_interval(hours => $3) end
       where id = $1 returning ${WEBHOOK_COLUMNS}`,
      [id, sealSecret(secret), overlap_hours],
    )
    ctx.record({ before: null, after: { former_secret_until: row.former_secret_until } })
    emit(ctx, 'secret_rotated', row)
    return { ...row, secret }
  },
})

const ping = operation({
  ...managed,
  id: 'webhooks.ping',
  kind: 'mutation',
  summary: 'Send a webhook a first message',
  description: '`webhook.pinged`, to this one alone, whatever it asked to be told.',
  http: { method: 'POST', path: '/webhooks/{id}/ping/', status: 202 },
  input: Closed({ id: Id }),
  output: Webhook,
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const row = await ctx.tx.one<Webhook>(`select ${WEBHOOK_COLUMNS} from webhooks where id = $1`, [id])
    if (!row.is_active) throw conflict('webhook_disabled')
    emit(ctx, 'pinged', row)
    return row
  },
})

/** What the sender does when a receiver is gone, or has failed for too long. */
export const disable = operation({
  ...managed,
  roles: ['system'],
  id: 'webhooks.disable',
  kind: 'mutation',
  summary: 'Send nothing more to an address that is gone or fails',
  description: 'Administrators are told by e-mail.',
  http: { method: 'POST', path: '/webhooks/{id}/disable/' },
  input: Closed({ id: Id, cause: Enum(['gone', 'failing']) }),
  output: Nullable(Webhook),
  example: { input: { id: 1, cause: 'gone' } },
  async run(ctx, { id, cause }) {
    const row = await ctx.tx.maybe<Webhook>(
      `update webhooks set is_active = false, disabled_reason = $2, updated_at = now() where id = $1 and is_active
       returning ${WEBHOOK_COLUMNS}`,
      [id, cause],
    )
    if (!row) return null
    ctx.record({ before: { is_active: true }, after: { is_active: false, disabled_reason: cause } })
    emit(ctx, 'disabled', row)
    await ctx.enqueue(SEND_NOTICE, { webhook_id: id })
    return row
  },
})

export const endpointOperations = [list, get, create, update, remove, rotateSecret, ping, disable]
