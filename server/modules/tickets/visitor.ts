import Type, { type TInteger, type TObject, type TString, type TUnsafe } from 'typebox'
import type { TicketView } from '../../../shared/views.ts'
import type { Actor } from '../../kernel/access.ts'
import type { Database } from '../../kernel/db/types.ts'
import { conflict, notFound } from '../../kernel/errors.ts'
import { hashToken, tenantOfToken } from '../../kernel/ids.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Nullable, Text, Time } from '../../kernel/schema.ts'
import { cancelTicket } from './cancel.ts'
import { delayTicket, Postponement } from './delay.ts'
import { ticketView, TicketViewOutput } from './live/index.ts'
import { returnToQueue } from './return.ts'
import { Reason, Ticket } from './schema.ts'
import { plusSeconds } from './time.ts'
import { undoLast } from './undo.ts'

/** The holder of a visitor's token, or undefined when it opens nothing. */
export async function visitorOf(db: Database, token: string): Promise<Actor | undefined> {
  const tenantId = tenantOfToken(token)
  if (tenantId === undefined) return undefined
  const ticket = await db
    .reader(tenantId)
    .maybe<{ id: number }>('select id from tickets where token_hash = $1', [hashToken(token)])
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
  select q.name as queue_name, v.name as service_name, v.names as service_names, s.name as site_name, s.timezone,
         case when t.status = 'absent' then t.ended_at end as missed_at, q.grace_seconds,
         case when t.undo ->> 'verb' = 'cancel' and t.undo ->> 'principal' = $2 then t.undo_until end as undo_until,
         greatest(q.delay_budget - t.delay_count, 0) as delays_left, t.rating
  from tickets t
  join queues q on q.tenant_id = t.tenant_id and q.id = t.queue_id
  join services v on v.tenant_id = t.tenant_id and v.id = t.service_id
  join sites s on s.tenant_id = t.tenant_id and s.id = t.site_id
  where t.id = $1`
const Mine = Closed({
  ...(
    TicketViewOutput as unknown as TObject<{ epoch: TString; offset: TInteger; ticket: TUnsafe<TicketView['ticket']> }>
  ).properties,
  queue_name: Type.String(),
  service_name: Type.String(),
  /** By language. */
  service_names: Type.Record(Type.String(), Type.String()),
  site_name: Type.String(),
  timezone: Type.String(),
  /** Until when a missed turn can be taken up again. */
  grace_until: Nullable(Time),
  /** Until when leaving can be taken back. */
  undo_until: Nullable(Time),
  delays_left: Type.Integer(),
  rating: Nullable(Type.Integer()),
})

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
    const { missed_at, grace_seconds, ...facts } = await ctx.tx.one<
      Omit<Type.Static<typeof Mine>, 'grace_until'> & { missed_at: string | null; grace_seconds: number }
    >(MINE, [id, ctx.actor.principal])
    return { ...view, ...facts, grace_until: missed_at && plusSeconds(missed_at, grace_seconds) }
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
      `update tickets set rating = $2, rating_comment = $3 where id = $1 and status = 'terminé' returning site_id, queue_id`,
      [id, rating, comment],
    )
    if (!rated) throw conflict('not_served_yet')
    ctx.emit({ type: 'ticket.rated', ...rated, ticket_id: id, data: { rating } })
    return null
  },
})

export const visitorOperations: readonly Operation[] = [mine, here, postpone, leave, stay, rate]
