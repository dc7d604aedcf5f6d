import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { invalid, notFound } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id, Locale, Text, Time } from '../../kernel/schema.ts'
import { bookPlace, TAKEN_TWICE } from './book.ts'
import { Appointment, PartySize } from './schema.ts'

/** Services of one visit. */
const MOST = 8

/** Several services of one visit, each after the other. Cancelling the series cancels those that follow, too. */
export const bookSeveral = operation({
  id: 'appointments.bookSeveral',
  kind: 'mutation',
  summary: 'Book several services of a site, one after the other',
  description: `All or nothing, at most ${MOST}. Each begins when the one before it ends; together they are a series.`,
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/appointments/several/', status: 201 },
  input: Closed({
    /** In the order of the visit. */
    queue_ids: Type.Array(Id, { minItems: 2, maxItems: MOST }),
    start_at: Time,
    party_size: Type.Optional(PartySize),
    customer_id: Type.Optional(Id),
    language: Type.Optional(Locale),
    note: Type.Optional(Text(2000)),
  }),
  output: Closed({ series_id: Id, appointments: Type.Array(Appointment) }),
  example: { input: { queue_ids: [1, 2], start_at: '2026-12-01T08:30:00Z' } },
  constraints: TAKEN_TWICE,
  async run(ctx, { queue_ids, start_at, customer_id = null, language = null, ...more }) {
    await checkOneSite(ctx, queue_ids)
    const appointments: Appointment[] = []
    for (const queue_id of queue_ids) {
      const booking = { ...more, customer_id, language, isStranger: false, hasEmail: false }
      const at = appointments.at(-1)?.end_at ?? start_at
      appointments.push(await bookPlace(ctx, { ...booking, queue_id, start_at: at }))
    }
    const series_id = appointments[0]!.id
    const ids = appointments.map(({ id }) => id)
    await ctx.tx.query('update appointments set series_id = $1 where id = any($2)', [series_id, ids])
    return { series_id, appointments: appointments.map((each) => ({ ...each, series_id })) }
  },
})

/** Nobody walks to another place between two services; and the locks of two sites could wait for each other. */
async function checkOneSite(ctx: Context, queueIds: readonly number[]): Promise<void> {
  const { sites, queues } = await ctx.tx.one<{ sites: number; queues: number }>(
    'select count(distinct site_id)::int as sites, count(*)::int as queues from queues where id = any($1)',
    [queueIds],
  )
  if (queues !== new Set(queueIds).size) throw notFound()
  if (sites !== 1) throw invalid('/queue_ids', 'conflict')
}
