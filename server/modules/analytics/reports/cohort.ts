import Type from 'typebox'
import { Closed } from '../../../kernel/schema.ts'
import { periodOf, periodOutput, wantedFields } from './period.ts'
import { report } from './query.ts'

const COHORT = `
  with visits as (
    select t.customer_id, date_trunc('month', t.day)::date as month, count(*) as visits
    from tickets t
    where t.customer_id is not null and t.day between $1 and $2
      and t.created_at >= ($1::date - 2)::timestamp at time zone 'UTC' and t.created_at < ($2::date + 3)::timestamp at time zone 'UTC'
      and ($3::bigint is null or t.site_id = $3) and ($4::bigint is null or t.queue_id = $4) and ($5::bigint is null or t.service_id = $5)
    group by 1, 2),
  firsts as (select customer_id, min(month) as cohort from visits group by 1)
  select to_char(f.cohort, 'YYYY-MM') as cohort,
    ((extract(year from v.month) - extract(year from f.cohort)) * 12 + extract(month from v.month) - extract(month from f.cohort))::int as months_after,
    count(*)::int as customers, sum(v.visits)::int as visits
  from visits v join firsts f using (customer_id) group by 1, 2 order by 1, 2`
const Cell = Closed({
  cohort: Type.String({ description: 'Month of the first visit within the period' }),
  months_after: Type.Integer({ minimum: 0 }),
  customers: Type.Integer({ minimum: 0 }),
  visits: Type.Integer({ minimum: 0 }),
})

export const cohort = report({
  id: 'analytics.cohort',
  summary: 'How many known customers came back, by the month of their first visit',
  description: 'Read from the tickets themselves, as far back as they are kept.',
  path: 'cohort',
  input: Closed(wantedFields),
  output: Closed({ ...periodOutput, cells: Type.Array(Cell) }),
  example: { from: '2026-01-01', to: '2026-12-31' },
  async run(ctx, input) {
    const period = await periodOf(ctx, input)
    const cells = await ctx.tx.query<Type.Static<typeof Cell>>(COHORT, [
      period.from,
      period.to,
      input.site_id ?? null,
      input.queue_id ?? null,
      input.service_id ?? null,
    ])
    return { ...period, cells }
  },
})
