import Type from 'typebox'
import { ticketCode } from '../../../shared/format.ts'
import { STAFF } from '../../kernel/access.ts'
import { conflict, notFound } from '../../kernel/errors.ts'
import { operation, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Text, Time } from '../../kernel/schema.ts'
import { followSiteOf } from './follow.ts'
import { enqueueSend, languageOf, WAKE } from './plan.ts'
import { addressOf, holdersOf } from './recipient.ts'
import { STATES } from './sending/settle.ts'
import { segmentsOf } from './templates/segments.ts'
import { MESSAGE_CHANNELS } from './vocabulary.ts'

/** A message of a counter is an answer: it must come while somebody waits for it. */
const CHAT_VALID_SECONDS = 1800

const Message = Closed({
  id: Id,
  ticket_id: Nullable(Id),
  direction: Enum(['out', 'in']),
  kind: Type.String(),
  channel: Enum([...MESSAGE_CHANNELS, 'page']),
  subject: Type.String(),
  body: Type.String(),
  status: Enum(STATES),
  error_code: Nullable(Type.String()),
  segments: Type.Integer(),
  cost_micros: Nullable(Type.Integer()),
  created_at: Time,
  sent_at: Nullable(Time),
  delivered_at: Nullable(Time),
})
type Message = Type.Static<typeof Message>
const COLUMNS = `id, ticket_id, direction, kind, channel, subject, body, status, error_code, segments, cost_micros, created_at,
  sent_at, delivered_at`

const list = operation({
  id: 'messages.list',
  kind: 'query',
  summary: 'What was said with the holder of a ticket, and what became of it',
  description: 'Both ways, oldest first. Secret addresses are not shown.',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/tickets/{ticket_id}/messages/' },
  input: Closed({ ticket_id: Id }),
  output: Closed({ results: Type.Array(Message) }),
  example: { input: { ticket_id: 1 } },
  async run({ tx }, { ticket_id }) {
    await tx.one('select id from tickets where id = $1', [ticket_id])
    const results = await tx.query<Message>(
      `select ${COLUMNS} from messages where ticket_id = $1 order by id limit 500`,
      [ticket_id],
    )
    return { results }
  },
})

const get = operation({
  id: 'messages.get',
  kind: 'query',
  summary: 'Get one message and what became of it',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/messages/{id}/' },
  input: Closed({ id: Id }),
  output: Message,
  example: { input: { id: 1 } },
  run: ({ tx }, { id }) => tx.one<Message>(`select ${COLUMNS} from messages where id = $1`, [id]),
  readMany: ({ tx }, ids) => tx.query<Message>(`select ${COLUMNS} from messages where id = any($1)`, [ids]),
})

const send = operation({
  id: 'messages.send',
  kind: 'mutation',
  summary: 'Write to the holder of a ticket',
  description:
    'On the channel that is named, else on the one they wrote on last, else by SMS, WhatsApp or e-mail. `page`: to be read on the ticket’s page, which everybody has.',
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{ticket_id}/messages/', status: 201 },
  input: Closed({
    ticket_id: Id,
    body: Text(1000, { minLength: 1 }),
    channel: Type.Optional(Enum(['sms', 'whatsapp', 'email', 'page'])),
  }),
  output: Message,
  example: { input: { ticket_id: 1, body: 'Votre dossier est prêt.' } },
  async run(ctx, { ticket_id, body, channel }) {
    const [holder] = await holdersOf(ctx.tx, [ticket_id])
    if (!holder) throw notFound()
    const last = await ctx.tx.maybe<{ channel: 'sms' | 'whatsapp' | 'page' }>(
      `select channel from messages where ticket_id = $1 and direction = 'in' order by id desc limit 1`,
      [ticket_id],
    )
    const wanted = channel
      ? [channel]
      : [...(last ? [last.channel] : []), 'sms' as const, 'whatsapp' as const, 'email' as const]
    const reach = (one: (typeof wanted)[number]) => (one === 'page' ? `ticket:${ticket_id}` : addressOf(holder, one))
    const way = wanted.find((one) => reach(one) !== undefined)
    if (!way) throw conflict('cannot_be_reached')
    const message = await ctx.tx.one<Message>(
      `insert into messages (direction, site_id, queue_id, ticket_id, leg, customer_id, kind, channel, language, address, subject,
         body, status, sent_at, not_after, segments, cost_micros)
       select 'out', $1, $2, $3, $4, $5, 'chat', $6, $7, $8, $9, $10, $12, case when $12 = 'sent' then now() end,
         now() + make_interval(secs => ${CHAT_VALID_SECONDS}), $11::int, (select p.price_micros * $11::int from message_prices p where p.channel = $6)
       returning ${COLUMNS}`,
      [
        holder.site_id,
        holder.queue_id,
        ticket_id,
        holder.leg,
        holder.customer_id,
        way,
        languageOf(holder, ctx.tenant),
        reach(way),
        way === 'email' ? `${holder.site}: ${ticketCode(holder.number)}` : '',
        body,
        way === 'page' ? 1 : segmentsOf(way, body).segments,
        // What stands on the page is there at once.
        way === 'page' ? 'sent' : 'queued',
      ],
    )
    await followSiteOf(ctx.tx, holder.queue_id)
    if (way !== 'page') await enqueueSend(ctx.tx, ctx.tenant.id, message.id)
    else if (holder.has_push) await ctx.enqueue(WAKE, { message_id: message.id })
    // Who said what to whom is on record; what was said is in the conversation alone.
    ctx.record({ before: null, after: { id: message.id, ticket_id, channel: way }, isPersonal: true })
    ctx.emit({
      type: `message.${message.status}`,
      site_id: holder.site_id,
      queue_id: holder.queue_id,
      ticket_id,
      data: { message: { id: message.id, kind: 'chat', channel: way, status: message.status, error_code: null } },
    })
    return message
  },
})

export const conversationOperations: readonly Operation[] = [list, get, send]
