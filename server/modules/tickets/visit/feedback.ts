import Type, { type Static } from 'typebox'
import { MANAGERS } from '../../../kernel/access.ts'
import { listPage, type Condition, type Ordering } from '../../../kernel/list.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Page, PageInput, Time } from '../../../kernel/schema.ts'

const Rating = Type.Integer({ minimum: 1, maximum: 5 })
const Feedback = Closed({
  ticket_id: Id,
  number: Type.String(),
  site_id: Id,
  queue_id: Id,
  agent_id: Nullable(Id),
  rating: Rating,
  comment: Type.String(),
  rated_at: Time,
})

const SELECT = `select t.id as ticket_id, t.id, t.number, t.site_id, t.queue_id, t.agent_id, t.rating, t.rating_comment as comment, t.rated_at
  from tickets t`
const ORDERINGS: Record<string, Ordering> = {
  '-rated_at': [
    { column: 'rated_at', expression: 't.rated_at', type: 'timestamptz', descending: true },
    { column: 'id', expression: 't.id', type: 'integer', descending: true },
  ],
}

export const feedback = operation({
  id: 'tickets.feedback',
  kind: 'query',
  summary: 'What visitors said of their visits',
  description: 'Last first. A comment goes when the visitor has their data deleted; the figure stays.',
  scope: 'read:ticket',
  roles: MANAGERS,
  http: { method: 'GET', path: '/feedback/' },
  input: Closed({
    ...PageInput,
    queue: Type.Optional(Id),
    site: Type.Optional(Id),
    agent: Type.Optional(Id),
    ticket_id: Type.Optional(Id),
    /** At most this good. */
    rating_up_to: Type.Optional(Rating),
    ordering: Type.Optional(Enum(['-rated_at'], { default: '-rated_at' })),
  }),
  output: Page(Feedback),
  example: { input: { rating_up_to: 2 } },
  async run({ tx }, { limit, cursor, queue, site, agent, ticket_id, rating_up_to }) {
    const where: Condition[] = [{ text: 't.rated_at is not null', values: [] }]
    const add = (text: string, value: number | undefined) =>
      value !== undefined && where.push({ text, values: [value] })
    add('t.queue_id = $1', queue)
    add('t.site_id = $1', site)
    add('t.agent_id = $1', agent)
    add('t.id = $1', ticket_id)
    add('t.rating <= $1', rating_up_to)
    const page = await listPage<Static<typeof Feedback> & { id: number }>(
      tx,
      SELECT,
      ORDERINGS,
      { ordering: '-rated_at', ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
      where,
    )
    return { ...page, results: page.results.map(({ id: _, ...said }) => said) }
  },
})
