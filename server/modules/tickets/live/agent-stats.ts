import Type from 'typebox'
import { STAFF } from '../../../kernel/access.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Id, Nullable } from '../../../kernel/schema.ts'
import { mayWatch } from '../../agents/index.ts'

/** Days before today that make up what is usual. */
const USUAL_DAYS = 28

const STATS = `
  with own as (
    select a.id, date_trunc('day', now() at time zone s.timezone) at time zone s.timezone as day_start, s.timezone
    from agents a join sites s on s.tenant_id = a.tenant_id and s.id = a.site_id
    where a.id = $1),
  legs as (
    select l.ended_by, l.ended_at >= own.day_start as is_today, (l.ended_at at time zone own.timezone)::date as day,
           extract(epoch from l.ended_at - l.started_at) - l.held_seconds as seconds
    from own join ticket_legs l on l.agent_id = own.id
    where l.ended_at >= own.day_start - make_interval(days => ${USUAL_DAYS}) and l.ended_by in ('terminé', 'absent'))
  select
    (count(*) filter (where is_today and ended_by = 'terminé'))::int as served_today,
    (count(*) filter (where is_today and ended_by = 'absent'))::int as no_shows_today,
    round(avg(seconds) filter (where is_today and ended_by = 'terminé'))::int as mean_service_seconds,
    round(avg(seconds) filter (where not is_today and ended_by = 'terminé'))::int as usual_service_seconds,
    round((count(*) filter (where not is_today and ended_by = 'terminé'))::numeric
          / nullif(count(distinct day) filter (where not is_today), 0))::int as usual_served
  from legs`

const Count = Type.Integer({ minimum: 0 })
const Output = Closed({
  served_today: Count,
  no_shows_today: Count,
  mean_service_seconds: Nullable(Count),
  /** Of the 28 days before, null when there are none; `usual_served` of a day with work. */
  usual_service_seconds: Nullable(Count),
  usual_served: Nullable(Count),
})

/** Private: an agent sees the own day, managers everybody's. */
export const getAgentStats = operation({
  id: 'agents.stats',
  kind: 'query',
  summary: 'An agent’s day, beside what is usual for this agent',
  description: 'Today is the local day of the site. Service times leave out what was spent on hold.',
  scope: 'read:agent',
  roles: STAFF,
  http: { method: 'GET', path: '/agents/{id}/stats/' },
  input: Closed({ id: Id }),
  output: Output,
  example: { input: { id: 1 } },
  pool: 'reports',
  async run(ctx, { id }) {
    await mayWatch(ctx.tx, ctx.actor, id)
    return ctx.tx.one<Type.Static<typeof Output>>(STATS, [id])
  },
})
