import Type from 'typebox'
import { estimateWait, FORECAST_REASONS, type Forecast } from '../../../../shared/eta.ts'
import { STAFF } from '../../../kernel/access.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable } from '../../../kernel/schema.ts'
import { placeOfQueue } from '../../queues/index.ts'

/** Events looked through for the rate of arrivals: a busy queue is measured over less than an hour. */
const RECENT_EVENTS = 2000

/**
 * Today is the site's local day. Waits and services are those of legs that ended today, and of the tickets at the
 * counters now; a wait ends with the call. Nothing is below zero, also when the database's clock was set back.
 */
const STATS = `
  with own as (
    select q.id, q.tenant_id, q.site_id, st.service_seconds, st.forecast, now() as now,
           date_trunc('day', now() at time zone s.timezone) at time zone s.timezone as day_start
    from queues q
    join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id
    join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id
    where q.id = $1),
  legs as (
    select l.entered_at, l.called_at, l.started_at, l.ended_at, l.held_seconds, l.ended_by
    from own join ticket_legs l on l.queue_id = own.id and l.ended_at >= own.day_start
    union all
    select t.entered_at, t.called_at, null, null, 0, null
    from own join tickets t on t.site_id = own.site_id and t.queue_id = own.id
    where t.status in ('appelé', 'en_service', 'en_pause')),
  waits as (
    select greatest(0, extract(epoch from called_at - entered_at)) as seconds from legs where called_at is not null),
  services as (
    select greatest(0, extract(epoch from ended_at - started_at) - held_seconds) as seconds from legs
    where started_at is not null and ended_by = 'terminé'),
  recent as (
    select e.type, e.at from own cross join lateral (
      select type, at from events e where e.queue_id = own.id order by e."offset" desc limit ${RECENT_EVENTS}) e),
  arrivals as (
    select count(*) filter (where type = 'ticket.created' and at > now() - interval '1 hour') as count,
           case when count(*) < ${RECENT_EVENTS} then 3600
                else least(3600, greatest(1, extract(epoch from now() - min(at)))) end as seconds
    from recent),
  line as (
    select count(*)::int as waiting, max(greatest(0, extract(epoch from now() - t.entered_at)))::int as longest_wait_seconds
    from tickets t where t.queue_id = $1 and t.status = 'en_attente')
  select line.waiting, line.longest_wait_seconds,
    (select round(avg(seconds))::int from waits) as mean_wait_seconds,
    (select round(percentile_cont(0.9) within group (order by seconds::float8))::int from waits) as p90_wait_seconds,
    (select round(avg(seconds))::int from services) as mean_service_seconds,
    (select round(percentile_cont(0.9) within group (order by seconds::float8))::int from services) as p90_service_seconds,
    (select count(*)::int from services) as served_today,
    (select round(count * 3600 / seconds)::int from arrivals) as arrivals_per_hour,
    own.service_seconds, own.forecast, agents.agents_open, agents.agents_free
  from own, line, lateral (
    select count(*) filter (where a.status in ('available', 'calling', 'serving', 'wrap_up'))::int as agents_open,
           count(*) filter (where a.status = 'available')::int as agents_free
    from agent_queues s join agents a on a.tenant_id = s.tenant_id and a.id = s.agent_id
    where s.queue_id = own.id) agents`

const Figure = Nullable(Type.Integer({ minimum: 0 }))
const Output = Closed({
  waiting: Type.Integer({ minimum: 0 }),
  longest_wait_seconds: Figure,
  mean_wait_seconds: Figure,
  p90_wait_seconds: Figure,
  mean_service_seconds: Figure,
  p90_service_seconds: Figure,
  served_today: Type.Integer({ minimum: 0 }),
  arrivals_per_hour: Type.Integer({ minimum: 0 }),
  agents_open: Type.Integer({ minimum: 0 }),
  /** What somebody who came now would wait. */
  eta: Closed({
    low_seconds: Figure,
    median_seconds: Figure,
    high_seconds: Figure,
    /** Why it jumped when the forecast was last made. */
    reason: Nullable(Enum(FORECAST_REASONS)),
  }),
})
interface Row extends Omit<Type.Static<typeof Output>, 'eta'> {
  service_seconds: number
  forecast: Forecast | null
  agents_free: number
}

export const getQueueStats = operation({
  id: 'queues.stats',
  kind: 'query',
  summary: 'Figures of a queue now and today',
  scope: 'read:queue',
  roles: STAFF,
  http: { method: 'GET', path: '/queues/{id}/stats/' },
  input: Closed({ id: Id }),
  output: Output,
  example: { input: { id: 1 } },
  pool: 'reports',
  // Waits grow by themselves.
  kept: { place: (ctx, { id }) => placeOfQueue(ctx, id), maxAgeMs: 1000, isShared: true },
  async run(ctx, { id }) {
    const { service_seconds, forecast, agents_free, ...figures } = await ctx.tx.one<Row>(STATS, [id])
    const { agents_open, waiting } = figures
    const eta = estimateWait({ ahead: waiting, agents_open, agents_free, service_seconds, forecast })
    return {
      ...figures,
      eta: {
        low_seconds: eta.eta_low_seconds,
        median_seconds: eta.eta_seconds,
        high_seconds: eta.eta_high_seconds,
        reason: forecast?.reason ?? null,
      },
    }
  },
})
