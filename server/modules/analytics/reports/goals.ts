import Type from 'typebox'
import { Closed, Nullable } from '../../../kernel/schema.ts'
import { readCells } from '../rollup/read.ts'
import { by, inOrder } from './breakdown.ts'
import { wholeOf } from './figures.ts'
import { namesOf } from './names.ts'
import { NARROWED, narrowedFields, periodOf, periodOutput, wantedFields } from './period.ts'
import { report } from './query.ts'
import type { Cell } from '../rollup/read.ts'

const Count = Type.Integer({ minimum: 0 })
const Share = Nullable(Type.Number({ minimum: 0, maximum: 1 }))
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

const sla = {
  called: Count,
  within_goal: Count,
  /** Of those called. */
  share_of_called: Share,
  /** Of those called, those who left and those who were sent home at the end of the day: nobody is made good by leaving. */
  share_of_all: Share,
  promised: Count,
  within_promise: Count,
  share_of_promises: Share,
}
const slaOf = ({ called, within_goal, abandoned, expired, promised, within_promise }: Omit<Cell, 'keys'>) => ({
  called,
  within_goal,
  share_of_called: ratio(within_goal, called),
  share_of_all: ratio(within_goal, called + abandoned + expired),
  promised,
  within_promise,
  share_of_promises: ratio(within_promise, promised),
})

const GOALS = `
  select q.id as queue_id, q.name, q.goal_seconds, q.goal_percent,
    sum(m.called)::int as called, sum(m.within_goal)::int as within_goal
  from queues q join queue_metrics m on m.tenant_id = q.tenant_id and m.queue_id = q.id
  where m.dimension = 'all' and m.date between $1 and $2 and ($3::bigint is null or m.site_id = $3)
    and ($4::bigint is null or m.queue_id = $4) and ($5::bigint is null or m.service_id = $5)
  group by q.id, q.name, q.goal_seconds, q.goal_percent
  having sum(m.called) > 0 and sum(m.within_goal) * 100 < q.goal_percent * sum(m.called)
  order by sum(m.called) * q.goal_percent - sum(m.within_goal) * 100 desc, q.id limit 50`
const Missed = Closed({
  queue_id: Type.Integer(),
  name: Type.String(),
  goal_seconds: Count,
  goal_percent: Count,
  called: Count,
  within_goal: Count,
})

export const serviceLevels = report({
  id: 'analytics.sla',
  summary: 'Who was called within the goal, and within the promise, apart by whatever is asked',
  description:
    'A goal is a queue’s `goal_seconds`, as it was when the day was added up; `missed` are the queues below their `goal_percent` of now, those furthest away first.',
  path: 'sla',
  input: Closed({ ...wantedFields, by: Type.Optional(by) }),
  output: Closed({
    ...periodOutput,
    ...sla,
    groups: Type.Array(Closed({ key: Type.String(), name: Nullable(Type.String()), ...sla })),
    missed: Type.Array(Missed),
  }),
  example: { from: '2026-11-01', to: '2026-11-30', by: 'service' },
  async run(ctx, { by: wantedBy = 'service', ...input }) {
    const period = await periodOf(ctx, input)
    const [whole, { cells }, missed] = await Promise.all([
      readCells(ctx.tx, { ...input, ...period }, []),
      readCells(ctx.tx, { ...input, ...period }, [wantedBy]),
      ctx.tx.query<Type.Static<typeof Missed>>(GOALS, [
        period.from,
        period.to,
        input.site_id ?? null,
        input.queue_id ?? null,
        input.service_id ?? null,
      ]),
    ])
    const names = await namesOf(ctx.tx, wantedBy, cells)
    const groups = cells
      .map((cell) => ({ key: cell.keys[wantedBy]!, name: names.get(cell.keys[wantedBy]!) ?? null, ...slaOf(cell) }))
      .toSorted((a, b) => inOrder(a.key, b.key))
    return { ...period, ...slaOf(wholeOf(whole)), groups, missed }
  },
})

export const funnel = report({
  id: 'analytics.funnel',
  summary: 'How many joined, were called, came, were served and said how it was, and where the others went',
  description: NARROWED,
  path: 'funnel',
  input: Closed(narrowedFields),
  output: Closed({
    ...periodOutput,
    joined: Count,
    called: Count,
    came: Count,
    served: Count,
    rated: Count,
    abandoned: Count,
    expired: Count,
    no_shows: Count,
    returned: Count,
    transferred: Count,
    unfinished: Count,
  }),
  example: { from: '2026-11-01', to: '2026-11-30' },
  async run(ctx, input) {
    const period = await periodOf(ctx, input)
    const whole = wholeOf(await readCells(ctx.tx, { ...input, ...period }, []))
    return {
      ...period,
      joined: whole.total_customers,
      called: whole.called,
      came: whole.started,
      served: whole.served,
      rated: whole.rated,
      abandoned: whole.abandoned,
      expired: whole.expired,
      no_shows: whole.no_shows,
      returned: whole.returned,
      transferred: whole.transferred,
      unfinished: whole.unfinished,
    }
  },
})

const accuracyFields = {
  promised: Count,
  mean_absolute_error_seconds: Nullable(Type.Number({ minimum: 0 })),
  /** Positive: people were told longer than they waited. */
  bias_seconds: Nullable(Type.Number()),
  mean_wait_seconds: Nullable(Type.Number({ minimum: 0 })),
  coverage: Share,
  within_promise: Share,
}
const accuracyOf = (cell: Omit<Cell, 'keys'>) => ({
  promised: cell.promised,
  mean_absolute_error_seconds: ratio(cell.promise_absolute_error_seconds, cell.promised),
  bias_seconds: ratio(cell.promise_error_seconds, cell.promised),
  mean_wait_seconds: ratio(cell.wait_seconds, cell.called),
  coverage: ratio(cell.inside_promise, cell.promised),
  within_promise: ratio(cell.within_promise, cell.promised),
})

export const accuracy = report({
  id: 'analytics.accuracy',
  summary: 'How right the ranges were that people were told, in all and apart by whatever is asked',
  description: NARROWED,
  path: 'accuracy',
  input: Closed({ ...narrowedFields, by: Type.Optional(by) }),
  output: Closed({
    ...periodOutput,
    ...accuracyFields,
    groups: Type.Array(Closed({ key: Type.String(), name: Nullable(Type.String()), ...accuracyFields })),
  }),
  example: { from: '2026-11-01', to: '2026-11-30', by: 'hour' },
  async run(ctx, { by: wantedBy = 'hour', ...input }) {
    const period = await periodOf(ctx, input)
    const [whole, { cells }] = await Promise.all([
      readCells(ctx.tx, { ...input, ...period }, []),
      readCells(ctx.tx, { ...input, ...period }, [wantedBy]),
    ])
    const names = await namesOf(ctx.tx, wantedBy, cells)
    const groups = cells
      .map((cell) => ({
        key: cell.keys[wantedBy]!,
        name: names.get(cell.keys[wantedBy]!) ?? null,
        ...accuracyOf(cell),
      }))
      .toSorted((a, b) => inOrder(a.key, b.key))
    return { ...period, ...accuracyOf(wholeOf(whole)), groups }
  },
})
