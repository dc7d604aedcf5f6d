import Type, { type Static } from 'typebox'
import { conflict, notFound } from '../../kernel/errors.ts'
import { dayBefore } from '../../kernel/events/index.ts'
import { listPage, type Condition } from '../../kernel/list.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Page, PageInput, Time } from '../../kernel/schema.ts'
import { managed } from './endpoint.ts'
import { placeOf, placesBefore } from './event.ts'
import {
  Attempt,
  ATTEMPT_COLUMNS,
  Delivery,
  DELIVERY_COLUMNS,
  DELIVERY_STATUSES,
  EventPattern,
  Events,
} from './schema.ts'

const list = operation({
  ...managed,
  id: 'webhooks.deliveries',
  kind: 'query',
  summary: 'List what a webhook was or will be sent',
  description: 'Newest first, for thirty days.',
  http: { method: 'GET', path: '/webhooks/{id}/deliveries/' },
  input: Closed({
    id: Id,
    status: Type.Optional(Enum(DELIVERY_STATUSES)),
    type: Type.Optional(EventPattern),
    ...PageInput,
  }),
  output: Page(Delivery),
  example: { input: { id: 1, status: 'failed' } },
  async run({ tx }, { id, status, type, ...page }) {
    await tx.one('select from webhooks where id = $1', [id])
    const where: Condition[] = [{ text: 'd.webhook_id = $1', values: [id] }]
    if (status) where.push({ text: 'd.status = $1', values: [status] })
    if (type) where.push({ text: `$1 in (d.type, split_part(d.type, '.', 1) || '.*')`, values: [type] })
    return listPage<Delivery>(
      tx,
      `select ${DELIVERY_COLUMNS} from webhook_deliveries d`,
      { '-id': [{ column: 'id', expression: 'd.id', type: 'integer', descending: true }] },
      { ordering: '-id', ...page },
      where,
    )
  },
})

const DeliveryWithAttempts = Closed({ ...Delivery.properties, attempts: Type.Array(Attempt) })
const get = operation({
  ...managed,
  id: 'webhook-deliveries.get',
  kind: 'query',
  summary: 'Get one delivery with every attempt, as sent and as answered',
  http: { method: 'GET', path: '/webhook-deliveries/{id}/' },
  input: Closed({ id: Id }),
  output: DeliveryWithAttempts,
  example: { input: { id: 1 } },
  async run({ tx }, { id }) {
    const row = await tx.one<Delivery>(`select ${DELIVERY_COLUMNS} from webhook_deliveries d where d.id = $1`, [id])
    const attempts = await tx.query<Static<typeof Attempt>>(
      `select ${ATTEMPT_COLUMNS} from webhook_attempts where delivery_id = $1 order by attempt`,
      [id],
    )
    return { ...row, attempts }
  },
})

/** What was tried as often as it may begins its schedule anew. */
const AGAIN = `status = 'pending', step = 0, due_at = now()`

const redeliver = operation({
  ...managed,
  id: 'webhook-deliveries.redeliver',
  kind: 'mutation',
  summary: 'Send a delivery again',
  description: 'Under the same `webhook-id`, also when it was taken before.',
  http: { method: 'POST', path: '/webhook-deliveries/{id}/redeliver/', status: 202 },
  input: Closed({ id: Id }),
  output: Delivery,
  example: { input: { id: 1 } },
  async run({ tx }, { id }) {
    const found = await tx.one<{ is_active: boolean }>(
      `select w.is_active from webhook_deliveries d join webhooks w on w.tenant_id = d.tenant_id and w.id = d.webhook_id
       where d.id = $1`,
      [id],
    )
    if (!found.is_active) throw conflict('webhook_disabled')
    await tx.query(`update webhook_deliveries set ${AGAIN} where id = $1 and status <> 'sending'`, [id])
    return tx.one<Delivery>(`select ${DELIVERY_COLUMNS} from webhook_deliveries d where d.id = $1`, [id])
  },
})

const Sent = Closed({ count: Type.Integer({ description: 'Deliveries that are to be made' }) })
const resend = operation({
  ...managed,
  id: 'events.resend',
  kind: 'mutation',
  summary: 'Send an event again',
  description: 'To every webhook that is told of such events, or to one, whatever it asked to be told.',
  http: { method: 'POST', path: '/events/{event_id}/resend/', status: 202 },
  input: Closed({
    event_id: Type.String({ maxLength: 80, pattern: '^evt_\\w+$' }),
    webhook_id: Type.Optional(Id),
  }),
  output: Sent,
  example: { input: { event_id: 'evt_3_5f2b7c1d9e0a_1284' } },
  async run({ tx, actor }, { event_id, webhook_id = null }) {
    const place = placeOf(event_id)
    if (!place) throw notFound()
    const rows = await tx.query(
      `insert into webhook_deliveries (webhook_id, site_id, epoch, "offset", type, event_at)
       select w.id, e.site_id, s.epoch, e."offset", e.type, e.at
       from events e join streams s on s.tenant_id = e.tenant_id and s.site_id = e.site_id and s.epoch = $2
       join webhooks w on w.is_active and case when $4::bigint is not null then w.id = $4 else
         (w.site_id is null or w.site_id = e.site_id)
         and (w.events = '{}' or e.type = any(w.events) or split_part(e.type, '.', 1) || '.*' = any(w.events)) end
       where e.site_id = $1 and e."offset" = $3 and ($5::bigint[] is null or w.site_id = any($5))
       on conflict (tenant_id, webhook_id, site_id, epoch, "offset") do update set ${AGAIN}, event_at = excluded.event_at
       where webhook_deliveries.status <> 'sending' returning 1`,
      [place.site_id, place.epoch, place.offset, webhook_id, actor.siteIds ?? null],
    )
    if (rows.length === 0)
      await tx.one('select from events where site_id = $1 and "offset" = $2', [place.site_id, place.offset])
    return { count: rows.length }
  },
})

const AT_ONCE = 10_000
/** Whoever sends up to now sends all there is. */
const NEVER = 'infinity'
/**
 * Streams from a place to a place. Nothing is written when fewer events than there are between them were found since $7, or some
 * between them were not: a clock was set back.
 */
const REPLAY = `
  with places as materialized (
    select p.*, s.epoch from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as p(site_id, "offset", "last")
    join streams s on s.site_id = p.site_id),
  page as materialized (
    select e.*, p.epoch from places p
    cross join lateral (
      select x.site_id, x."offset", x.type, x.at from events x
      where x.site_id = p.site_id and x."offset" > p."offset" and x."offset" <= p."last" and x.at >= $7
      order by x."offset" limit ${AT_ONCE}) e
    order by e.at, e.site_id, e."offset" limit ${AT_ONCE}),
  page_is as (
    select $7 = '-infinity' or (select count(*) from page) >= (select least(${AT_ONCE}, coalesce(sum(greatest(0, "last" - "offset")), 0)) from places)
      and not exists (select from places p join page e on e.site_id = p.site_id group by p.site_id, p."offset"
        having max(e."offset") <> p."offset" + count(*)) as whole),
  wanted as (
    insert into webhook_deliveries (webhook_id, site_id, epoch, "offset", type, event_at)
    select w.id, p.site_id, p.epoch, p."offset", p.type, p.at from page p join webhooks w on w.id = $1 and (select whole from page_is)
      and (w.site_id is null or w.site_id = p.site_id) and p.type <> 'webhook.pinged'
      and (w.events = '{}' or p.type = any(w.events) or split_part(p.type, '.', 1) || '.*' = any(w.events))
      and ($5::text[] = '{}' or p.type = any($5) or split_part(p.type, '.', 1) || '.*' = any($5))
    order by p.at, p.site_id, p."offset"
    on conflict (tenant_id, webhook_id, site_id, epoch, "offset") do update set ${AGAIN}, event_at = excluded.event_at
    where webhook_deliveries.status in ('pending', 'failed') or $6 and webhook_deliveries.status = 'delivered' returning 1)
  select (select count(*)::int from wanted) as count, case when count(*) = ${AT_ONCE} then max(at) end as next_since,
    (select whole from page_is) as is_whole from page`

const replay = operation({
  ...managed,
  id: 'webhooks.replay',
  kind: 'mutation',
  summary: 'Send a webhook again what happened in a time',
  description:
    'What was not delivered or never sent, of what the webhook asks to be told; with `include_delivered` all of it. At most ten thousand events at once: `next_since` is where to go on, null at the end.',
  http: { method: 'POST', path: '/webhooks/{id}/replay/', status: 202 },
  input: Closed({
    id: Id,
    since: Time,
    until: Type.Optional(Time),
    types: Type.Optional(Events),
    include_delivered: Type.Optional(Type.Boolean({ default: false })),
  }),
  output: Closed({ ...Sent.properties, next_since: Nullable(Time) }),
  example: { input: { id: 1, since: '2026-11-20T08:00:00Z' } },
  async run({ tx }, { id, since, until = null, types = [], include_delivered = false }) {
    const webhook = await tx.one<{ is_active: boolean; site_id: number | null }>(
      'select is_active, site_id from webhooks where id = $1',
      [id],
    )
    if (!webhook.is_active) throw conflict('webhook_disabled')
    const siteIds = webhook.site_id === null ? null : [webhook.site_id]
    const begins = await placesBefore(tx, since, siteIds)
    const ends = new Map((await placesBefore(tx, until ?? NEVER, siteIds)).map((end) => [end.site_id, end.offset]))
    const send = (from: string) =>
      tx.one<{ count: number; next_since: string | null; is_whole: boolean }>(REPLAY, [
        id,
        begins.map(({ site_id }) => site_id),
        begins.map(({ offset }) => offset),
        begins.map(({ site_id }) => ends.get(site_id) ?? 0),
        types,
        include_delivered,
        from,
      ])
    const recent = await send(dayBefore(since))
    const { count, next_since } = recent.is_whole ? recent : await send('-infinity')
    return { count, next_since }
  },
})

export const deliveryOperations = [list, get, redeliver, resend, replay]
