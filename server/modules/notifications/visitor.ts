import Type, { type Static } from 'typebox'
import { conflict, notFound } from '../../kernel/errors.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Text, Time } from '../../kernel/schema.ts'
import { followSiteOf } from './follow.ts'
import { languageOf } from './plan.ts'
import { holdersOf } from './recipient.ts'
import { LINK_MARK } from './vocabulary.ts'

/** More is no conversation with a counter. */
const MOST_WRITTEN = 30

function ownTicketId({ actor }: Context): number {
  if (actor.ticketId === null) throw notFound()
  return actor.ticketId
}

const Said = Closed({
  id: Id,
  direction: Enum(['out', 'in']),
  kind: Type.String(),
  body: Type.String(),
  created_at: Time,
})
type Said = Static<typeof Said>

const mine = operation({
  id: 'messages.mine',
  kind: 'query',
  summary: 'What the counter and I wrote to each other',
  description: 'What I was told on any channel, and what I answered, oldest first.',
  scope: null,
  roles: ['visitor'],
  http: { method: 'GET', path: '/t/{token}/messages/', base: 'root' },
  input: Closed({}),
  output: Closed({ results: Type.Array(Said) }),
  example: { input: {} },
  async run(ctx) {
    const id = ownTicketId(ctx)
    // What went to the phone behind a typed number may name its owner.
    const results = await ctx.tx.query<Said>(
      `select id, direction, kind, trim(replace(body, $2, '')) as body, created_at from messages
       where ticket_id = $1 and status in ('sent', 'delivered', 'received') and (channel = 'page' or not $3) order by id limit 200`,
      [id, LINK_MARK, await isRecognised(ctx, id)],
    )
    return { results }
  },
})

const WRITE = `
  insert into messages (direction, site_id, queue_id, ticket_id, customer_id, kind, channel, language, address, body, status)
  values ('in', $1, $2, $3, $4, 'text', 'page', $5, $6, $7, 'received')
  returning id, direction, kind, body, created_at`

const write = operation({
  id: 'messages.write',
  kind: 'mutation',
  summary: 'Write to the counter',
  description: 'While the visit lasts. The answer is on the ticket’s page.',
  scope: null,
  roles: ['visitor'],
  http: { method: 'POST', path: '/t/{token}/messages/', base: 'root', status: 201 },
  input: Closed({ body: Text(1000, { minLength: 1 }) }),
  output: Said,
  example: { input: { body: 'Où est l’entrée pour fauteuils roulants ?' } },
  async run(ctx, { body }) {
    const id = ownTicketId(ctx)
    const [holder] = await holdersOf(ctx.tx, [id])
    if (!holder) throw notFound()
    const { is_over, written } = await ctx.tx.one<{ is_over: boolean; written: number }>(
      `select t.ended_at is not null as is_over,
         (select count(*)::int from messages m where m.ticket_id = t.id and m.channel = 'page' and m.direction = 'in') as written
       from tickets t where t.id = $1 for no key update`,
      [id],
    )
    if (is_over) throw conflict('illegal_transition')
    if (written >= MOST_WRITTEN) throw conflict('conversation_full')
    const said = await ctx.tx.one<Said>(WRITE, [
      holder.site_id,
      holder.queue_id,
      id,
      holder.customer_id,
      languageOf(holder, ctx.tenant),
      `ticket:${id}`,
      body,
    ])
    await followSiteOf(ctx.tx, holder.queue_id)
    // What the visitor wrote stands in the conversation alone.
    ctx.record({ before: null, after: { id: said.id, kind: 'text' }, isPersonal: true })
    ctx.emit({
      type: 'message.received',
      site_id: holder.site_id,
      queue_id: holder.queue_id,
      ticket_id: id,
      data: { message: { id: said.id, kind: 'text', channel: 'page', status: 'received', error_code: null } },
    })
    return said
  },
})

const CHANNELS = ['sms', 'whatsapp', 'email'] as const
const wish = Type.Boolean({ description: 'May I be written to this way?' })
const Preferences = Closed({ sms: wish, whatsapp: wish, email: wish })
type Preferences = Static<typeof Preferences>

const wishesOf = (consents: Record<string, boolean> | null, optedOut: readonly string[]): Preferences =>
  Object.fromEntries(
    CHANNELS.map((channel) => [channel, consents?.[channel] !== false && !optedOut.includes(channel)]),
  ) as Preferences

/**
 * Strangers who type a number are recognised by it, not proved to be its owner: of somebody known before this visit they
 * are told nothing and change nothing.
 */
const MERELY_RECOGNISED = `
  select from tickets t join customers c on c.tenant_id = t.tenant_id and c.id = t.customer_id
  left join appointments a on a.tenant_id = t.tenant_id and a.ticket_id = t.id
  where t.id = $1 and coalesce(a.channel, t.channel) in ('web', 'qr', 'kiosk')
    and c.created_at < coalesce(a.created_at, t.created_at) - interval '1 minute'`
const isRecognised = async (ctx: Context, id: number) => (await ctx.tx.maybe(MERELY_RECOGNISED, [id])) !== undefined

const preferences = operation({
  id: 'messages.preferences',
  kind: 'query',
  summary: 'On which channels I may be written to',
  scope: null,
  roles: ['visitor'],
  http: { method: 'GET', path: '/t/{token}/preferences/', base: 'root' },
  input: Closed({}),
  output: Preferences,
  example: { input: {} },
  async run(ctx) {
    const [holder] = await holdersOf(ctx.tx, [ownTicketId(ctx)])
    if (!holder) throw notFound()
    return (await isRecognised(ctx, holder.id)) ? wishesOf(null, []) : wishesOf(holder.consents, holder.opted_out)
  },
})

const prefer = operation({
  id: 'messages.prefer',
  kind: 'mutation',
  summary: 'Say on which channels I may be written to',
  description:
    'What is not named stays. It holds for this and later visits. Who answered STOP begins again by answering START. Refused where the person was known before and took the ticket without staff: anybody may type anybody’s number.',
  scope: null,
  roles: ['visitor'],
  http: { method: 'PATCH', path: '/t/{token}/preferences/', base: 'root' },
  input: Closed({ sms: Type.Optional(wish), whatsapp: Type.Optional(wish), email: Type.Optional(wish) }),
  output: Preferences,
  example: { input: { sms: false } },
  async run(ctx, wishes) {
    const [holder] = await holdersOf(ctx.tx, [ownTicketId(ctx)])
    if (!holder) throw notFound()
    if (holder.customer_id === null || (await isRecognised(ctx, holder.id))) throw conflict('cannot_be_reached')
    const { consents } = await ctx.tx.one<{ consents: Record<string, boolean> }>(
      `update customers set consents = consents || $2::jsonb, updated_at = now() where id = $1 returning consents`,
      [holder.customer_id, JSON.stringify(wishes)],
    )
    ctx.record({ before: holder.consents, after: consents })
    ctx.emit({ type: 'customer.updated', site_id: 0, data: { customer: { id: holder.customer_id } } })
    return wishesOf(consents, holder.opted_out)
  },
})

export const visitorOperations: readonly Operation[] = [mine, write, preferences, prefer]
