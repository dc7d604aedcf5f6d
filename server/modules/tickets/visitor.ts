import Type, { type TInteger, type TObject, type TString, type TUnsafe } from 'typebox'
import { FORECAST_REASONS, type ForecastReason } from '../../../shared/eta.ts'
import type { TicketView } from '../../../shared/views.ts'
import { REPLIES } from '../../../shared/visit.ts'
import type { Actor } from '../../kernel/access.ts'
import type { Database } from '../../kernel/db/types.ts'
import { conflict, notFound } from '../../kernel/errors.ts'
import { translate } from '../../kernel/i18n.ts'
import { hashToken, tenantOfToken } from '../../kernel/ids.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Day, Enum, Nullable, Text, Time } from '../../kernel/schema.ts'
import { QueueStatus } from '../queues/index.ts'
import { cancelTicket } from './cancel.ts'
import { delayTicket, Postponement } from './delay.ts'
import { ticketView, TicketViewOutput } from './live/index.ts'
import { returnToQueue } from './return.ts'
import { Reason, Ticket } from './schema.ts'
import { plusSeconds } from './time.ts'
import { undoLast } from './undo.ts'
import { checkLetters } from './visit/check.ts'
import { feedback } from './visit/feedback.ts'
import { findTicket } from './visit/find.ts'
import { subscribe } from './visit/push.ts'
import { replyToCall } from './visit/reply.ts'
import { sitePage } from './visit/site-page.ts'

/** By the secret it was taken with, or by a further link. */
const HOLDER = `
  select id from tickets where token_hash = $1
  union all select ticket_id from ticket_links where token_hash = $1 limit 1`

/** The holder of a visitor's token, or undefined when it opens nothing. */
export async function visitorOf(db: Database, token: string): Promise<Actor | undefined> {
  const tenantId = tenantOfToken(token)
  if (tenantId === undefined) return undefined
  const ticket = await db.reader(tenantId).maybe<{ id: number }>(HOLDER, [hashToken(token)])
  return (
    ticket && {
      role: 'visitor',
      principal: `visitor:${ticket.id}`,
      tenantId,
      userId: null,
      scopes: new Set(),
      sessionId: null,
      ticketId: ticket.id,
    }
  )
}

function ownTicketId({ actor }: Context): number {
  if (actor.ticketId === null) throw notFound()
  return actor.ticketId
}

const MINE = `
  select q.name as queue_name, v.name as service_name, v.names as service_names, v.code as service_code,
         s.name as site_name, s.slug as site_slug, s.timezone, st.status as queue_status, t.token_hash,
         coalesce(c.hint, '') as counter_hint,
         case when t.status = 'appelé' then coalesce(t.last_called_at, t.called_at) end as called_last_at,
         q.no_show_after_seconds, case when t.status = 'en_attente' then st.forecast ->> 'reason' end as reason_code,
         (select count(distinct a.counter_id) from agent_queues g
          join agents a on a.tenant_id = g.tenant_id and a.id = g.agent_id
          where g.queue_id = t.queue_id and a.status in ('available', 'calling', 'serving', 'wrap_up'))::int as agents_open,
         (select l.queue_id from ticket_legs l where l.ticket_id = t.id and l.queue_id <> t.queue_id
          order by l.leg desc limit 1) is not null as is_transferred,
         (select array_agg(label) from unnest(t.labels) label where label = any($3)) as replies,
         case when t.status = 'absent' then t.ended_at end as missed_at, q.grace_seconds,
         case when t.undo ->> 'verb' = 'cancel' and t.undo ->> 'principal' = $2 then t.undo_until end as undo_until,
         greatest(q.delay_budget - t.delay_count, 0) as delays_left, t.rating,
         o.status as offer_status, o.day as offer_day, o.place as offer_place, o.expires_at as offer_expires_at,
         (select a.start_at from appointments a where a.tenant_id = o.tenant_id and a.id = o.appointment_id) as offer_start_at,
         exists (select from booking_settings b where b.queue_id = t.queue_id and b.is_active) as takes_appointments
  from tickets t
  join queues q on q.tenant_id = t.tenant_id and q.id = t.queue_id
  join services v on v.tenant_id = t.tenant_id and v.id = t.service_id
  join sites s on s.tenant_id = t.tenant_id and s.id = t.site_id
  join queue_states st on st.tenant_id = t.tenant_id and st.queue_id = t.queue_id
  left join counters c on c.tenant_id = t.tenant_id and c.id = t.counter_id
  left join tomorrow_offers o on o.tenant_id = t.tenant_id and o.ticket_id = t.id
  where t.id = $1`
const Mine = Closed({
  ...(
    TicketViewOutput as unknown as TObject<{ epoch: TString; offset: TInteger; ticket: TUnsafe<TicketView['ticket']> }>
  ).properties,
  queue_name: Type.String(),
  service_name: Type.String(),
  /** By language. */
  service_names: Type.Record(Type.String(), Type.String()),
  /** Letter of the line. */
  service_code: Type.String(),
  tenant_name: Type.String(),
  tenant_slug: Type.String(),
  site_name: Type.String(),
  site_slug: Type.String(),
  timezone: Type.String(),
  queue_status: QueueStatus,
  /** Why the estimate jumped when it was last made, with its text in the caller's language; null when it did not. */
  estimate_reason: Nullable(Closed({ code: Enum(FORECAST_REASONS), text: Type.String() })),
  /** Counters that serve the queue now. */
  agents_open: Type.Integer(),
  /** Where the counter is that calls. */
  counter_hint: Type.String(),
  /** Until when the counter waits for somebody called; null when it does not end by itself. */
  called_until: Nullable(Time),
  /** Another line had the ticket before. */
  is_transferred: Type.Boolean(),
  /** What I answered when called. */
  reply: Nullable(Enum(REPLIES)),
  /** With the number it opens this page from paper. */
  check: Type.String(),
  /** Until when a missed turn can be taken up again. */
  grace_until: Nullable(Time),
  /** Until when leaving can be taken back. */
  undo_until: Nullable(Time),
  delays_left: Type.Integer(),
  rating: Nullable(Type.Integer()),
  /** A place on the next open day, when I am offered one because I may not be served today; null when I am not. */
  tomorrow: Nullable(
    Closed({
      status: Enum(['offered', 'accepted', 'declined', 'expired', 'withdrawn', 'taken_up', 'lapsed']),
      /** Local day of the site. */
      day: Day,
      /** Until when I may answer. */
      expires_at: Time,
      /** Accepting books an appointment where one is free; else it gives the place. */
      takes_appointments: Type.Boolean(),
      appointment_at: Nullable(Time),
      /** My number among those with a place. */
      place: Type.Integer(),
    }),
  ),
})
type Mine = Type.Static<typeof Mine>
/** What only serves to compute the answer. */
interface MineRow extends Mine {
  reason_code: ForecastReason | null
  missed_at: string | null
  grace_seconds: number
  called_last_at: string | null
  no_show_after_seconds: number | null
  token_hash: Buffer | null
  replies: Mine['reply'][] | null
  offer_status: NonNullable<Mine['tomorrow']>['status'] | null
  offer_day: string
  offer_place: number
  offer_expires_at: string
  offer_start_at: string | null
  takes_appointments: boolean
}

const mine = operation({
  id: 'tickets.mine',
  kind: 'query',
  summary: 'My ticket',
  scope: null,
  roles: ['visitor'],
  http: { method: 'GET', path: '/t/{token}/', base: 'root' },
  input: Closed({}),
  output: Mine,
  example: { input: {} },
  kept: { placeOf: ({ ticket }) => ({ siteId: ticket.site_id, queueId: ticket.queue_id }) },
  async run(ctx) {
    const id = ownTicketId(ctx)
    const view = await ticketView(ctx, id)
    const row = await ctx.tx.one<MineRow>(MINE, [id, ctx.actor.principal, REPLIES])
    const {
      missed_at,
      grace_seconds,
      called_last_at,
      no_show_after_seconds,
      token_hash,
      replies,
      reason_code,
      offer_status,
      offer_day,
      offer_place,
      offer_expires_at,
      offer_start_at,
      takes_appointments,
      ...facts
    } = row
    return {
      ...view,
      ...facts,
      tenant_name: ctx.tenant.name,
      tenant_slug: ctx.tenant.slug,
      estimate_reason: reason_code && {
        code: reason_code,
        text: translate(ctx.locale, `estimates.reasons.${reason_code}`, {}, ctx.tenant.locale),
      },
      grace_until: missed_at && plusSeconds(missed_at, grace_seconds),
      called_until: called_last_at && no_show_after_seconds ? plusSeconds(called_last_at, no_show_after_seconds) : null,
      reply: replies?.at(-1) ?? null,
      check: token_hash ? checkLetters(token_hash) : '',
      tomorrow: offer_status && {
        status: offer_status,
        day: offer_day,
        expires_at: offer_expires_at,
        takes_appointments,
        appointment_at: offer_start_at,
        place: offer_place,
      },
    }
  },
})

/** The visitor sees of the own ticket what concerns the visitor. */
const hidden = ['rank', 'customer_id', 'agent_id', 'note', 'labels', 'outcome'] as const
const OwnTicket = Closed(
  Object.fromEntries(
    Object.entries(Ticket.properties).filter(([name]) => !hidden.includes(name as (typeof hidden)[number])),
  ) as Omit<typeof Ticket.properties, (typeof hidden)[number]>,
)
const act = <P extends Parameters<typeof Closed>[0]>(
  id: string,
  verb: string,
  summary: string,
  properties: P,
  example: Type.Static<ReturnType<typeof Closed<P>>>,
  run: (ctx: Context, input: Type.Static<ReturnType<typeof Closed<P>>>) => Promise<Ticket>,
): Operation =>
  operation({
    id,
    kind: 'mutation',
    summary,
    scope: null,
    roles: ['visitor'],
    http: { method: 'POST', path: `/t/{token}/${verb}/`, base: 'root' },
    input: Closed(properties),
    output: OwnTicket,
    example: { input: example },
    constraints: {
      tickets_one_per_device: () => conflict('duplicate_ticket', { number: '' }),
      tickets_one_per_customer: () => conflict('duplicate_ticket', { number: '' }),
    },
    run,
  })

/** "I'm here": a missed turn is taken up again, at the second place, within the grace time. */
const here = act('tickets.here', 'here', 'I am here: take up a missed turn', {}, {}, (ctx) =>
  returnToQueue(ctx, ownTicketId(ctx)),
)
const postpone = act(
  'tickets.postpone',
  'delay',
  'Let others pass, or ask for time',
  Postponement,
  { places: 1 },
  (ctx, input) => delayTicket(ctx, { id: ownTicketId(ctx), ...input }),
)
const leave = act(
  'tickets.leave',
  'cancel',
  'Leave the queue',
  { reason: Type.Optional(Reason) },
  {},
  (ctx, { reason }) => cancelTicket(ctx, ownTicketId(ctx), reason),
)
const stay = act('tickets.stay', 'undo', 'Take back that I left', {}, {}, (ctx) =>
  undoLast(ctx, ownTicketId(ctx), ['cancel']),
)

const rate = operation({
  id: 'tickets.rate',
  kind: 'mutation',
  summary: 'Rate the service',
  scope: null,
  roles: ['visitor'],
  http: { method: 'POST', path: '/t/{token}/rate/', base: 'root', status: 204 },
  input: Closed({ rating: Type.Integer({ minimum: 1, maximum: 5 }), comment: Type.Optional(Text(1000)) }),
  output: Type.Null(),
  example: { input: { rating: 5 } },
  async run(ctx, { rating, comment = '' }) {
    const id = ownTicketId(ctx)
    const rated = await ctx.tx.maybe<{ site_id: number; queue_id: number }>(
      `update tickets set rating = $2, rating_comment = $3, rated_at = now() where id = $1 and status = 'terminé' returning site_id, queue_id`,
      [id, rating, comment],
    )
    if (!rated) throw conflict('not_served_yet')
    ctx.emit({ type: 'ticket.rated', ...rated, ticket_id: id, data: { rating } })
    return null
  },
})

/** The visit remains as a number in the statistics; what could tell whose it was goes, and with it every link. */
const ERASE = `
  with links as (delete from ticket_links where ticket_id = $1),
       phones as (delete from push_subscriptions where ticket_id = $1)
  update tickets set customer_id = null, sole_customer_id = null, device_key = null, token_hash = null, note = '',
    fields = '{}', needs = '{}', labels = '{}', language = null, rating_comment = '', undo = null, undo_until = null
  where id = $1 and status in ('terminé', 'annulé', 'expiré', 'absent') returning site_id, queue_id`
const erase = operation({
  id: 'tickets.erase',
  kind: 'mutation',
  summary: 'Delete my data',
  description: 'When the visit is over. The page is gone afterwards; the number stays in the statistics.',
  scope: null,
  roles: ['visitor'],
  http: { method: 'POST', path: '/t/{token}/erase/', base: 'root', status: 204 },
  input: Closed({}),
  output: Type.Null(),
  example: { input: {} },
  async run(ctx) {
    const id = ownTicketId(ctx)
    const erased = await ctx.tx.maybe<{ site_id: number; queue_id: number }>(ERASE, [id])
    if (!erased) throw conflict('illegal_transition')
    ctx.emit({ type: 'ticket.erased', ...erased, ticket_id: id, data: {} })
    return null
  },
})

const reply = act(
  'tickets.reply',
  'reply',
  'Answer a call: on my way, a moment please, cannot come',
  { reply: Enum(REPLIES) },
  { reply: 'on_my_way' },
  (ctx, input) => replyToCall(ctx, ownTicketId(ctx), input.reply),
)

export const visitorOperations: readonly Operation[] = [
  mine,
  here,
  postpone,
  leave,
  stay,
  reply,
  rate,
  erase,
  feedback,
  sitePage,
  findTicket,
  subscribe,
]
