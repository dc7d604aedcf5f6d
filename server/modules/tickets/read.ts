import Type from 'typebox'
import { parseTicketStatus, TICKET_STATUSES } from '../../../shared/ticket-status.ts'
import { STAFF } from '../../kernel/access.ts'
import { invalid, notFound } from '../../kernel/errors.ts'
import { listPage, type Condition, type Ordering } from '../../kernel/list.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Page, PageInput, Text, Time } from '../../kernel/schema.ts'
import { placeOfQueue } from '../queues/index.ts'
import { withFigures } from './live/figures.ts'
import { Channel, Ticket } from './schema.ts'
import { TICKET_COLUMNS } from './sql.ts'

const SELECT = `select ${TICKET_COLUMNS} from tickets t`

export const get = operation({
  id: 'tickets.get',
  kind: 'query',
  summary: 'Get one ticket',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/tickets/{id}/' },
  input: Closed({ id: Id }),
  output: Ticket,
  example: { input: { id: 1 } },
  kept: { placeOf: ({ site_id, queue_id }) => ({ siteId: site_id, queueId: queue_id }) },
  async run(ctx, { id }) {
    const [ticket] = await withFigures(ctx, [await ctx.tx.one<Ticket>(`${SELECT} where t.id = $1`, [id])])
    return ticket!
  },
  readMany: async (ctx, ids) => withFigures(ctx, await ctx.tx.query<Ticket>(`${SELECT} where t.id = any($1)`, [ids])),
})

const column = (name: string, type: 'integer' | 'timestamptz', descending = false) =>
  ({ column: name, expression: `t.${name}`, type, descending }) as const
const ORDERINGS: Record<string, Ordering> = {
  created_at: [column('created_at', 'timestamptz'), column('id', 'integer')],
  '-created_at': [column('created_at', 'timestamptz', true), column('id', 'integer', true)],
  priority: [column('priority', 'integer'), column('id', 'integer')],
  '-priority': [column('priority', 'integer', true), column('id', 'integer', true)],
  rank: [column('rank', 'integer'), column('id', 'integer')],
  '-rank': [column('rank', 'integer', true), column('id', 'integer', true)],
}

export const list = operation({
  id: 'tickets.list',
  kind: 'query',
  summary: 'List tickets',
  description:
    '`status` takes several states separated by commas, in any spelling or by English name. `q` looks in numbers and in customers’ names, phones and e-mails.',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/tickets/' },
  input: Closed({
    ...PageInput,
    queue: Type.Optional(Id),
    site: Type.Optional(Id),
    status: Type.Optional(Text(200, { minLength: 1 })),
    agent: Type.Optional(Id),
    customer: Type.Optional(Id),
    channel: Type.Optional(Channel),
    q: Type.Optional(Text(100, { minLength: 1 })),
    created_after: Type.Optional(Time),
    ordering: Type.Optional(Enum(Object.keys(ORDERINGS), { default: '-created_at' })),
  }),
  output: Page(Ticket),
  example: { input: { status: 'en_attente', ordering: 'rank' } },
  kept: {
    isShared: true,
    // Names and phones of customers are looked for elsewhere than in the site's events.
    place: (ctx, { queue, site, q }) => {
      if (q !== undefined) return undefined
      if (queue !== undefined) return placeOfQueue(ctx, queue)
      return site === undefined ? undefined : { siteId: site }
    },
  },
  async run(ctx, { ordering = '-created_at', limit, cursor, ...filters }) {
    const where: Condition[] = []
    const equal = (name: string, value: unknown) =>
      value !== undefined && where.push({ text: `t.${name} = $1`, values: [value] })
    // Its site too: the latest of a site are an index's end, those of a queue are among them.
    if (filters.queue !== undefined)
      where.push({
        text: 't.queue_id = $1 and t.site_id = (select q.site_id from queues q where q.id = $1)',
        values: [filters.queue],
      })
    equal('site_id', filters.site)
    equal('agent_id', filters.agent)
    equal('customer_id', filters.customer)
    equal('channel', filters.channel)
    if (filters.status !== undefined) where.push(statusIs(filters.status))
    if (filters.created_after !== undefined)
      where.push({ text: 't.created_at > $1::timestamptz', values: [filters.created_after] })
    if (filters.q !== undefined) where.push(matches(filters.q))
    const page = await listPage<Ticket>(
      ctx.tx,
      SELECT,
      ORDERINGS,
      { ordering, ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
      where,
    )
    return { ...page, results: await withFigures(ctx, page.results) }
  },
})

/** One state is compared by `=`, so that the indexes of one state serve it. */
function statusIs(text: string): Condition {
  const states = text.split(',').map((part) => {
    const state = parseTicketStatus(part)
    if (!state) throw invalid('/status', 'enum', { values: TICKET_STATUSES.join(', ') })
    return state
  })
  const literals = [...new Set(states)].map((state) => `'${state}'`)
  return {
    text: literals.length === 1 ? `t.status = ${literals[0]}` : `t.status in (${literals.toSorted().join(', ')})`,
    values: [],
  }
}

function matches(q: string): Condition {
  const pattern = `%${q.replace(/[\\%_]/g, '\\$&')}%`
  return {
    text: `t.number = upper($1) or t.customer_id in (
      select c.id from customers c where c.name ilike $2 or c.phone ilike $2 or c.email ilike $2)`,
    values: [q.trim(), pattern],
  }
}

const History = Closed({
  offset: Type.Integer(),
  type: Type.String(),
  at: Time,
  actor: Type.String(),
  queue_id: Nullable(Id),
  from_queue_id: Nullable(Id),
  agent_id: Nullable(Id),
  from: Nullable(Type.String()),
  to: Nullable(Type.String()),
  channel: Nullable(Type.String()),
  by: Nullable(Type.String()),
  reason: Nullable(Type.String()),
})

export const events = operation({
  id: 'tickets.events',
  kind: 'query',
  summary: 'What happened to a ticket',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/tickets/{id}/events/' },
  input: Closed({ id: Id }),
  output: Closed({ results: Type.Array(History) }),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const rows = await ctx.tx.query<Type.Static<typeof History> | { offset: null }>(
      `select e."offset", e.type, e.at, e.actor, e.queue_id, e.from_queue_id, e.agent_id, e.data ->> 'from' as "from",
              e.data ->> 'to' as "to", e.data ->> 'channel' as channel, e.data ->> 'by' as by, e.data ->> 'reason' as reason
       from tickets t left join events e on e.tenant_id = t.tenant_id and e.ticket_id = t.id
       where t.id = $1 order by e."offset"`,
      [id],
    )
    if (rows.length === 0) throw notFound()
    return { results: rows.filter((row) => row.offset !== null) as Type.Static<typeof History>[] }
  },
})
