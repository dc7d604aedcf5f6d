import Type, { type Static } from 'typebox'
import { invalid } from '../../../kernel/errors.ts'
import { Closed, Day, Id, Nullable } from '../../../kernel/schema.ts'
import { daysOf, periodOf, periodOutput } from './period.ts'
import { report } from './query.ts'

/** Read from the log of events, which is long. */
const MOST_DAYS = 92

/** Arrivals before the period from whose events on the log is read: some were told of late, by machines without a network. */
const BEFORE = 50

/**
 * How long each agent of a site was in each state between two instants, by the log. The log has no index of its times: it is read from
 * arrivals before the period, so that it is known what people were doing when it began, to the first arrival after it. A state lasts until the
 * agent's next one.
 */
const OCCUPANCY = `
  with place as materialized (
    select s.tenant_id, s.id, $1::date::timestamp at time zone s.timezone as since,
      least(now(), ($2::date + 1)::timestamp at time zone s.timezone) as until
    from sites s where s.id = $3),
  arrivals as materialized (
    select array(select t.id from tickets t where t.site_id = p.id and t.created_at < p.since order by t.created_at desc limit ${BEFORE}) as before,
           array(select t.id from tickets t where t.site_id = p.id and t.created_at >= p.until order by t.created_at limit 1) as after
    from place p),
  ends as materialized (
    select coalesce((select min(e."offset") from events e where e.ticket_id = any(a.before) and e.site_id = $3), 0) as low,
      coalesce((select min(e."offset") from events e where e.ticket_id = any(a.after) and e.site_id = $3), 9223372036854775807) as high
    from arrivals a),
  turns as (
    select (e.data -> 'agent' ->> 'id')::bigint as agent_id, e.data -> 'agent' ->> 'status' as status, e.at as since,
      lead(e.at, 1, p.until) over (partition by e.data -> 'agent' ->> 'id' order by e."offset") as until
    from place p cross join ends
    join events e on e.tenant_id = p.tenant_id and e.site_id = p.id and e."offset" >= ends.low and e."offset" < ends.high
    where e.agent_id is not null and e.data -> 'agent' ->> 'status' is not null),
  spans as (
    select t.agent_id, t.status, extract(epoch from least(t.until, p.until) - greatest(t.since, p.since)) as seconds
    from turns t cross join place p where least(t.until, p.until) > greatest(t.since, p.since))
  select x.agent_id, a.name,
    round(coalesce(sum(x.seconds) filter (where x.status in ('calling', 'serving', 'wrap_up')), 0))::int as busy_seconds,
    round(coalesce(sum(x.seconds) filter (where x.status = 'available'), 0))::int as available_seconds,
    round(coalesce(sum(x.seconds) filter (where x.status in ('break', 'back_office')), 0))::int as away_seconds
  from spans x left join agents a on a.tenant_id = (select tenant_id from place) and a.id = x.agent_id
  where x.status <> 'offline' group by x.agent_id, a.name order by x.agent_id`

const Seconds = Type.Integer({ minimum: 0 })
const Agent = Closed({
  agent_id: Id,
  name: Nullable(Type.String()),
  busy_seconds: Type.Integer({ minimum: 0, description: 'Calling, serving, writing up' }),
  available_seconds: Type.Integer({ minimum: 0, description: 'Ready for the next' }),
  away_seconds: Type.Integer({ minimum: 0, description: 'On a break or in the back office' }),
  occupancy: Nullable(
    Type.Number({ minimum: 0, maximum: 1, description: 'Busy, of the time that was busy or available' }),
  ),
})

export const occupancy = report({
  id: 'analytics.occupancy',
  summary: 'How much of their time at the counters the agents of a site were busy',
  description:
    'From the states of agents in the log: a person’s state lasts until their next one. At most 92 days, as far back as events are kept.',
  path: 'occupancy',
  input: Closed({ from: Type.Optional(Day), to: Type.Optional(Day), site_id: Id }),
  output: Closed({ ...periodOutput, busy_seconds: Seconds, available_seconds: Seconds, agents: Type.Array(Agent) }),
  example: { from: '2026-11-01', to: '2026-11-30', site_id: 1 },
  async run(ctx, { site_id, ...input }) {
    const period = await periodOf(ctx, input)
    if (daysOf(period) > MOST_DAYS) throw invalid('/to', 'range')
    const rows = await ctx.tx.query<Omit<Static<typeof Agent>, 'occupancy'>>(OCCUPANCY, [
      period.from,
      period.to,
      site_id,
    ])
    const sum = (name: 'busy_seconds' | 'available_seconds') => rows.reduce((total, row) => total + row[name], 0)
    const agents = rows.map((row) => {
      const atCounter = row.busy_seconds + row.available_seconds
      return { ...row, occupancy: atCounter === 0 ? null : row.busy_seconds / atCounter }
    })
    return { ...period, busy_seconds: sum('busy_seconds'), available_seconds: sum('available_seconds'), agents }
  },
})
