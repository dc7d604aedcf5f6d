import Type, { type Static } from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { conflict, invalid, notFound } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Locale, Nullable } from '../../kernel/schema.ts'
import { identify, Person } from '../customers/index.ts'
import { queueConfig } from '../queues/index.ts'
import { publicTicket, wireTicket } from './events.ts'
import { withFigures } from './live/figures.ts'
import { newPlace } from './order.ts'
import { mergeFields } from './rules.ts'
import { Fields, Labels, Note, Priority, Ticket } from './schema.ts'
import { lockTicket, ROW_COLUMNS, type Row } from './sql.ts'

const Input = Closed({
  id: Id,
  note: Type.Optional(Note),
  labels: Type.Optional(Labels),
  needs: Type.Optional(Labels),
  /** Merged; null takes an answer away. */
  fields: Type.Optional(Fields),
  language: Type.Optional(Nullable(Locale)),
  /** Another class gives a waiting ticket another place, unless its queue looks at arrival only. */
  priority: Type.Optional(Priority),
  customer: Type.Optional(Person),
  customer_id: Type.Optional(Nullable(Id)),
})

/** What is known about a stay. */
export const update = operation({
  id: 'tickets.update',
  kind: 'mutation',
  summary: 'Change what is noted about a ticket',
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'PATCH', path: '/tickets/{id}/' },
  input: Input,
  output: Ticket,
  example: { input: { id: 1, note: 'Dossier incomplet', labels: ['VIP'] } },
  constraints: {
    tickets_tenant_id_customer_id_fkey: notFound,
    tickets_one_per_customer: () => conflict('duplicate_ticket', { number: '' }),
  },

  async run(ctx, { id, customer, ...input }: Static<typeof Input>) {
    if (customer && input.customer_id !== undefined) throw invalid('/customer_id', 'conflict')
    const customerId = customer ? await identify(ctx.tx, ctx.tenant, customer) : input.customer_id
    const before = await lockTicket(ctx.tx, id)
    const config = await queueConfig(ctx, before.queue_id)
    const { priority = before.priority } = input
    const place = priority === before.priority ? before : await newPlace(ctx, { ...before, priority }, config)
    const [row] = await ctx.tx.query<Row>(
      `update tickets t set note = $2, labels = $3, needs = $4, fields = $5::jsonb, language = $6, customer_id = $7,
         sole_customer_id = case when $8 then $7::bigint end, priority = $9,
         asked_priority = case when t.priority <> $9 then $9 else t.asked_priority end, rank = $10, is_placed = $11
       where t.id = $1 returning ${ROW_COLUMNS}`,
      [
        id,
        input.note ?? before.note,
        input.labels ?? before.labels,
        input.needs ?? before.needs,
        JSON.stringify(mergeFields(before.fields, input.fields)),
        input.language === undefined ? before.language : input.language,
        customerId === undefined ? before.customer_id : customerId,
        config.one_ticket_per_device,
        priority,
        place.rank,
        place.is_placed,
      ],
    )
    const ticket = wireTicket(row!)
    ctx.emit({
      type: 'ticket.updated',
      site_id: ticket.site_id,
      queue_id: ticket.queue_id,
      ticket_id: id,
      agent_id: ticket.agent_id,
      data: { ticket: publicTicket(ticket), channel: ticket.channel, by: ctx.actor.role },
    })
    const [withPlace] = await withFigures(ctx, [ticket])
    return withPlace!
  },
})
