import Type, { type Static } from 'typebox'
import { ROLES, STAFF } from '../../kernel/access.ts'
import { AppError, conflict, invalid, notFound } from '../../kernel/errors.ts'
import { hashToken, newVisitorToken } from '../../kernel/ids.ts'
import { listPage, type OrderColumn } from '../../kernel/list.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Day, Enum, Id, Locale, Nullable, Page, PageInput, Text, Time } from '../../kernel/schema.ts'
import { identify, identifyByMail, Person } from '../customers/index.ts'
import { availability } from './availability.ts'
import { policyOf } from './change.ts'
import { offerSoon } from './offer-soon.ts'
import { CONFIRM_WAITER } from './job-names.ts'
import { PartySize } from './schema.ts'
import { freeDays, localClock } from './slots.ts'

/** A request covers at most so many days; of one person so many at once. */
const MOST_DAYS = 62
const MOST_OF_ONE = 5
/** How long a request waits to be confirmed. Nothing is kept for it meanwhile. */
export const CONFIRM_HOURS = 24
const Link = Text(100, { minLength: 20 })
const link = 'NobodyKnowsThisSecret0'

const Waiter = Closed({
  id: Id,
  site_id: Id,
  queue_id: Id,
  /** Local days of the site, both included. */
  from_day: Day,
  to_day: Day,
  party_size: Type.Integer(),
  language: Nullable(Locale),
  /**
   * `unconfirmed`: the link that was sent by e-mail puts it on the list; `expired`: nobody used that. `offered`: a place is
   * held; what became of it is told by `appointment_status`.
   */
  status: Enum(['unconfirmed', 'waiting', 'offered', 'left', 'over', 'expired']),
  appointment_status: Nullable(Type.String()),
  created_at: Time,
})
type Waiter = Static<typeof Waiter>
const IS_LATE = `w.status = 'unconfirmed' and w.created_at < now() - interval '${CONFIRM_HOURS} hours'`
const SELECT = `
  select w.id, w.site_id, w.queue_id, w.from_day, w.to_day, w.party_size, w.language,
    case when ${IS_LATE} then 'expired' else w.status end as status, w.created_at,
    (select a.status from appointments a where a.tenant_id = w.tenant_id and a.id = w.appointment_id) as appointment_status
  from appointment_waiters w`

const join = operation({
  id: 'waiting-list.join',
  kind: 'mutation',
  summary: 'Ask to be told when a place frees up',
  description:
    'A place that frees up on these days is held for the first who asked and told by e-mail; whoever does not confirm in time is taken off. `places_free` where there is one already. Whoever asks for themselves is `unconfirmed`, and offered nothing, until the link is used that is sent to the address.',
  scope: 'write:ticket',
  roles: [...STAFF, 'visitor', 'anonymous'],
  http: {
    method: 'POST',
    path: '/waiting-list/',
    status: 201,
    aliases: [{ path: '/api/v1/public/{tenant}/waiting-list/' }],
  },
  mayAskForWork: true,
  input: Closed({
    queue_id: Id,
    from_day: Day,
    to_day: Day,
    party_size: Type.Optional(PartySize),
    customer: Person,
    language: Type.Optional(Locale),
  }),
  output: Closed({ ...Waiter.properties, public_token: Type.String() }),
  example: {
    input: { queue_id: 1, from_day: '2026-12-01', to_day: '2026-12-14', customer: { email: 'samira@example.org' } },
  },
  constraints: { appointment_waiters_once: () => conflict('already_exists') },
  async run(ctx, input) {
    const days = Temporal.PlainDate.from(input.from_day).until(input.to_day).days
    if (days < 0 || days >= MOST_DAYS) throw invalid('/to_day', 'range')
    if (input.customer.email === undefined) throw invalid('/customer/email', 'required')
    const party_size = input.party_size ?? 1
    const { site_id, timezone } = await placeOf(ctx, input.queue_id)
    await policyOf(ctx.tx, input.queue_id)
    if (await isFree(ctx, { ...input, site_id, timezone, party_size })) throw conflict('places_free')
    const isStranger = ctx.actor.role === 'anonymous' || ctx.actor.role === 'visitor'
    const known = isStranger ? identifyByMail : identify
    const customerId = (await known(ctx.tx, ctx.tenant, input.customer))!
    await checkMost(ctx, customerId, isStranger ? 'unconfirmed' : 'waiting')
    const token = newVisitorToken(ctx.tenant.id)
    const { id } = await ctx.tx.one<{ id: number }>(
      `insert into appointment_waiters (site_id, queue_id, customer_id, from_day, to_day, party_size, language, token_hash, status)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id`,
      [
        site_id,
        input.queue_id,
        customerId,
        input.from_day,
        input.to_day,
        party_size,
        input.language ?? input.customer.locale ?? (isStranger ? ctx.locale : null),
        hashToken(token),
        isStranger ? 'unconfirmed' : 'waiting',
      ],
    )
    if (isStranger) await ctx.enqueue(CONFIRM_WAITER, { waiter_id: id, base: ctx.url('') })
    return { ...(await ctx.tx.one<Waiter>(`${SELECT} where w.id = $1`, [id])), public_token: token }
  },
})

/**
 * How often one person is on the list. Of those that strangers ask for only the unconfirmed count, until they are
 * confirmed: what a stranger is told must not hang on what the address waits for, and nobody is sent more links a day.
 */
async function checkMost(ctx: Context, customerId: number, status: 'unconfirmed' | 'waiting'): Promise<void> {
  const { count } = await ctx.tx.one<{ count: number }>(
    `select count(*)::int as count from appointment_waiters w
     where w.customer_id = $1 and w.status = $2 and (w.status = 'waiting' or w.created_at > now() - interval '${CONFIRM_HOURS} hours')`,
    [customerId, status],
  )
  if (count >= MOST_OF_ONE) throw conflict('too_many_appointments', { count: MOST_OF_ONE })
}

const placeOf = (ctx: Context, queueId: number) =>
  ctx.tx.one<{ site_id: number; timezone: string }>(
    `select q.site_id, s.timezone from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id where q.id = $1`,
    [queueId],
  )

interface Wish {
  site_id: number
  queue_id: number
  timezone: string
  from_day: string
  to_day: string
  party_size: number
}
/** Whether a stranger could book on these days. */
async function isFree(
  ctx: Context,
  { site_id, queue_id, timezone, from_day, to_day, party_size }: Wish,
): Promise<boolean> {
  const facts = await availability(ctx.tx, { site_id, queue_ids: [queue_id], from: from_day, to: to_day })
  const [queue] = facts.queues
  if (!queue) throw conflict('not_bookable')
  const free = [...freeDays(facts, queue, localClock(timezone)).values()].flat()
  return free.some(({ places }) => places >= party_size)
}

const byId: OrderColumn[] = [{ column: 'id', expression: 'w.id', type: 'integer', descending: false }]
const list = operation({
  id: 'waiting-list.list',
  kind: 'query',
  summary: 'List who waits for a place to free up',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/waiting-list/' },
  input: Closed({ ...PageInput, site: Type.Optional(Id), queue: Type.Optional(Id) }),
  output: Page(Waiter),
  example: { input: { site: 1 } },
  run(ctx, { site, queue, ...page }) {
    const { siteIds, queueIds } = ctx.actor
    return listPage<Waiter>(ctx.tx, SELECT, { id: byId }, { ordering: 'id', ...page }, [
      ...(site === undefined ? [] : [{ text: 'w.site_id = $1', values: [site] }]),
      ...(queue === undefined ? [] : [{ text: 'w.queue_id = $1', values: [queue] }]),
      ...(siteIds ? [{ text: 'w.site_id = any($1)', values: [siteIds] }] : []),
      ...(queueIds ? [{ text: 'w.queue_id = any($1)', values: [queueIds] }] : []),
    ])
  },
})

const Mine = Closed({
  ...Waiter.properties,
  /** This very link, the one that was sent by e-mail, confirms the request. */
  can_confirm: Type.Boolean(),
})
const shared = {
  scope: null,
  roles: ROLES,
  input: Closed({ link: Link }),
  output: Mine,
  example: { input: { link } },
} as const
async function mine({ tx }: Context, secret: string): Promise<Static<typeof Mine>> {
  const hash = hashToken(secret)
  const row = await tx.maybe<Waiter & { is_sent: boolean }>(
    `${SELECT.replace('select', 'select coalesce(w.confirm_hash = $1, false) as is_sent,')} where w.token_hash = $1
     union all ${SELECT.replace('select', 'select true as is_sent,')} where w.confirm_hash = $1 limit 1`,
    [hash],
  )
  if (!row) throw notFound()
  const { is_sent, ...waiter } = row
  return { ...waiter, can_confirm: is_sent && waiter.status === 'unconfirmed' }
}

const read = operation({
  ...shared,
  id: 'waiting-list.mine',
  kind: 'query',
  summary: 'My request on the waiting list, by its secret link',
  http: { method: 'GET', path: '/waiting-list/{link}/', base: 'public' },
  run: (ctx, input) => mine(ctx, input.link),
})

const confirm = operation({
  ...shared,
  id: 'waiting-list.confirm',
  kind: 'mutation',
  summary: 'Confirm my request: from now on I wait',
  description: 'Only the link that was sent by e-mail does, within a day.',
  http: { method: 'POST', path: '/waiting-list/{link}/confirm/', base: 'public' },
  constraints: { appointment_waiters_once: () => conflict('already_exists') },
  async run(ctx, input) {
    const { id, status, can_confirm } = await mine(ctx, input.link)
    if (status === 'expired') throw conflict('hold_expired')
    if (status === 'unconfirmed' && !can_confirm) throw new AppError('forbidden', 'confirm_by_email')
    const row = await ctx.tx.maybe<{ customer_id: number; site_id: number }>(
      `select customer_id, site_id from appointment_waiters w where w.id = $1 and w.status = 'unconfirmed' for update`,
      [id],
    )
    if (row) {
      await ctx.tx.query('select from customers where id = $1 for no key update', [row.customer_id])
      await checkMost(ctx, row.customer_id, 'waiting')
      await ctx.tx.query(`update appointment_waiters w set status = 'waiting' where w.id = $1`, [id])
      await offerSoon(ctx, row.site_id)
    }
    return mine(ctx, input.link)
  },
})

const leave = operation({
  ...shared,
  id: 'waiting-list.leave',
  kind: 'mutation',
  summary: 'Take me off the waiting list',
  description: 'A place that is offered already is given back by cancelling it.',
  http: { method: 'POST', path: '/waiting-list/{link}/leave/', base: 'public' },
  async run(ctx, input) {
    const { id } = await mine(ctx, input.link)
    await ctx.tx.query(
      `update appointment_waiters w set status = 'left' where w.id = $1 and w.status in ('unconfirmed', 'waiting')`,
      [id],
    )
    return mine(ctx, input.link)
  },
})

export const waitingListOperations: readonly Operation[] = [join, list, read, confirm, leave]
