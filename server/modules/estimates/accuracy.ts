import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Nullable } from '../../kernel/schema.ts'

const DEFAULT_DAYS = 28

const Figure = Nullable(Type.Number())
const Accuracy = {
  estimates: Type.Integer({ minimum: 0, description: 'Waits that ended with a call' }),
  mean_absolute_error_seconds: Figure,
  /** Positive: people were told longer than they waited. */
  bias_seconds: Figure,
  mean_wait_seconds: Figure,
  /** Share within the 80 % interval, of all and of those who waited no longer than the high figure. */
  coverage: Figure,
  within_promise: Figure,
}
const Output = Closed({
  ...Accuracy,
  by_hour: Type.Array(Closed({ hour: Type.Integer({ minimum: 0, maximum: 23 }), ...Accuracy })),
  by_day: Type.Array(Closed({ day: Type.String({ format: 'date' }), ...Accuracy })),
})

const ACCURACY = `
  with own as (select q.id, s.timezone from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id where q.id = $1),
  judged as (
    select (e.at at time zone own.timezone)::date::text as day, extract(hour from e.at at time zone own.timezone)::int as hour,
           e.median_seconds - e.waited_seconds as error, e.waited_seconds as wait,
           e.waited_seconds between e.low_seconds and e.high_seconds as is_inside, e.waited_seconds <= e.high_seconds as is_kept
    from own join ticket_estimates e on e.queue_id = own.id
    where e.waited_seconds is not null and e.at >= now() - make_interval(days => $2::int))
  select day, hour, count(*)::int as estimates, avg(abs(error))::float8 as mean_absolute_error_seconds,
         avg(error)::float8 as bias_seconds, avg(wait)::float8 as mean_wait_seconds,
         avg(is_inside::int)::float8 as coverage, avg(is_kept::int)::float8 as within_promise
  from judged group by grouping sets ((), (day), (hour)) order by day, hour`

const Figures = Closed(Accuracy)
type Row = Type.Static<typeof Figures> & { day: string | null; hour: number | null }

/** How right the estimates given at arrival were. */
export const getEstimateAccuracy = operation({
  id: 'queues.estimateAccuracy',
  kind: 'query',
  summary: 'How right the estimates given at arrival were, in all, by hour and by day',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'GET', path: '/queues/{id}/estimate-accuracy/' },
  input: Closed({ id: Id, days: Type.Optional(Type.Integer({ minimum: 1, maximum: 366 })) }),
  output: Output,
  example: { input: { id: 1 } },
  pool: 'reports',
  async run(ctx, { id, days = DEFAULT_DAYS }) {
    await ctx.tx.one('select id from queues where id = $1', [id])
    const rows = await ctx.tx.query<Row>(ACCURACY, [id, days])
    const figures = ({ day: _day, hour: _hour, ...rest }: Row) => rest
    return {
      ...figures(rows.find(({ day, hour }) => day === null && hour === null)!),
      by_hour: rows.filter(({ hour }) => hour !== null).map((row) => ({ hour: row.hour!, ...figures(row) })),
      by_day: rows.filter(({ day }) => day !== null).map((row) => ({ day: row.day!, ...figures(row) })),
    }
  },
})
