import Type, { type Static } from 'typebox'
import { MANAGERS } from '../../../kernel/access.ts'
import { listPage, type Condition } from '../../../kernel/list.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Page, PageInput, Time } from '../../../kernel/schema.ts'
import { COUNTS } from '../rollup/measures.ts'
import { periodOf, wantedFields } from './period.ts'

const Count = Type.Integer({ minimum: 0 })
const Average = Nullable(Type.Number({ minimum: 0 }))
const counts = Object.fromEntries(COUNTS.map((name) => [name, Type.Integer()])) as Record<
  (typeof COUNTS)[number],
  ReturnType<typeof Type.Integer>
>

/** What a queue was like on a local day. Times in seconds. */
const QueueMetrics = Closed({
  queue_id: Id,
  site_id: Id,
  service_id: Id,
  date: Type.String({ format: 'date' }),
  ...counts,
  max_wait_seconds: Count,
  average_wait_time: Average,
  p50_wait_time: Nullable(Count),
  p90_wait_time: Nullable(Count),
  average_walk_time: Average,
  average_service_time: Average,
  p50_service_time: Nullable(Count),
  p90_service_time: Nullable(Count),
  average_held_time: Average,
  peak_hours: Type.Array(Type.Integer({ minimum: 0, maximum: 23 })),
  goal_seconds: Count,
  aggregated_at: Time,
})
type QueueMetrics = Static<typeof QueueMetrics>

const SELECT = `select ${Object.keys(QueueMetrics.properties).join(', ')} from queue_metrics`
const ordering = (descending: boolean) => [
  { column: 'date', type: 'date' as const, descending },
  { column: 'queue_id', type: 'integer' as const, descending },
]

export const queueMetrics = operation({
  id: 'analytics.queueMetrics',
  kind: 'query',
  summary: 'List what each queue was like on each day',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'GET', path: '/analytics/queue-metrics/' },
  input: Closed({
    ...wantedFields,
    ...PageInput,
    ordering: Type.Optional(Enum(['date', '-date'], { default: '-date' })),
  }),
  output: Page(QueueMetrics),
  example: { input: { from: '2026-11-01', to: '2026-11-30', queue_id: 1 } },
  pool: 'replica',
  async run(ctx, { ordering: by = '-date', limit, cursor, ...input }) {
    const { from, to } = await periodOf(ctx, input)
    const where: Condition[] = [
      { text: `dimension = 'all'`, values: [] },
      { text: 'date between $1 and $2', values: [from, to] },
    ]
    for (const name of ['site_id', 'queue_id', 'service_id'] as const)
      if (input[name] !== undefined) where.push({ text: `${name} = $1`, values: [input[name]] })
    return listPage<QueueMetrics>(
      ctx.tx,
      SELECT,
      { date: ordering(false), '-date': ordering(true) },
      { ordering: by, ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
      where,
    )
  },
})
