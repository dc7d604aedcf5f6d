import { setImmediate as nextTurn } from 'node:timers/promises'
import Type from 'typebox'
import type { Forecast } from '../../../shared/eta.ts'
import { Predictor } from '../../../shared/prediction/predictor.ts'
import { readOn } from '../../kernel/events/index.ts'
import { estimateErrors, estimatePromises, estimatesInside } from '../../kernel/metrics.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed } from '../../kernel/schema.ts'
import { announced, forecastOf } from './forecast.ts'
import { localSeconds, type LoggedEvent, type Noted, take } from './fold.ts'

/** Events of a site taken in at once; the rest follows with the next refresh. */
const MAX_EVENTS = 5000

interface SiteRow {
  id: number
  timezone: string
  epoch: string
  now: string
  known_epoch: string | null
  offset: number | null
  at: string | null
  last_offset: number
  state: Uint8Array | null
}
const SITES = `
  select s.id, s.timezone, st.epoch, now() as now, p.epoch as known_epoch, p."offset", p.at, st.last_offset, p.state
  from sites s
  join streams st on st.tenant_id = s.tenant_id and st.site_id = s.id
  left join site_predictors p on p.tenant_id = s.tenant_id and p.site_id = s.id
  where s.is_active and (p.site_id is null or p.epoch <> st.epoch or p."offset" < st.last_offset
    or exists (select from agents a where a.site_id = s.id and a.status in ('available', 'calling', 'serving', 'wrap_up')))
  order by s.id`

export const EVENTS = `
  select e."offset", e.type, e.at, e.from_queue_id, case
    when e.data ? 'from' then jsonb_build_object('ticket', e.data -> 'ticket', 'from', e.data -> 'from')
      || case when e.data ? 'told' then jsonb_build_object('told', e.data -> 'told') else '{}' end
    when e.type like 'agent.%' then jsonb_build_object('agent', e.data -> 'agent') else '{}' end as data
  from events e where e.site_id = $1 and e."offset" > $2 and e.at >= $3 order by e."offset" limit ${MAX_EVENTS}`

interface QueueRow {
  id: number
  forecast: Forecast | null
  agents_open: number
  service_seconds: number
  waiting: number[]
}
const QUEUES = `
  select q.id, st.forecast, st.service_seconds,
         (select count(*) from agent_queues w join agents a on a.tenant_id = w.tenant_id and a.id = w.agent_id
          where w.queue_id = q.id and a.status in ('available', 'calling', 'serving', 'wrap_up'))::int as agents_open,
         array(select t.id from tickets t where t.queue_id = q.id and t.status = 'en_attente' order by t.rank, t.id limit 500) as waiting
  from queues q join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id
  where q.site_id = $1 order by q.id for no key update of st`

const SAVE_FORECAST = 'update queue_states set forecast = $2 where queue_id = $1'
const SAVE_STATE = `
  insert into site_predictors (site_id, epoch, "offset", state, at) values ($1, $2, $3, $4, $5)
  on conflict (tenant_id, site_id) do update
  set epoch = excluded.epoch, "offset" = excluded."offset", state = excluded.state, at = excluded.at, updated_at = now()`
const TOUCH = 'update site_predictors set updated_at = now() where site_id = $1'
const NOTE_TOLD = `
  insert into ticket_estimates (ticket_id, queue_id, at, low_seconds, median_seconds, high_seconds)
  select n.ticket_id, n.queue_id, n.at, n.p10, n.p50, n.p90
  from jsonb_to_recordset($1::jsonb) as n(ticket_id bigint, queue_id bigint, at timestamptz, p10 int, p50 int, p90 int)
  where exists (select from tickets t where t.id = n.ticket_id)
  on conflict (tenant_id, ticket_id) do update
  set queue_id = excluded.queue_id, at = excluded.at, low_seconds = excluded.low_seconds,
      median_seconds = excluded.median_seconds, high_seconds = excluded.high_seconds, waited_seconds = null`
const NOTE_WAITED = `
  update ticket_estimates e set waited_seconds = n.waited_seconds
  from jsonb_to_recordset($1::jsonb) as n(ticket_id bigint, waited_seconds int)
  where e.ticket_id = n.ticket_id
  returning e.low_seconds, e.median_seconds, e.high_seconds, e.waited_seconds`

/**
 * Takes what happened since the last time into each site's predictor and announces the forecasts that changed. The
 * predictor is a fold over the log: after a crash it takes in what it has not seen and stands where it would have.
 */
export const refreshEstimates = operation({
  id: 'estimates.refresh',
  kind: 'mutation',
  summary: 'Learn from the waits that ended and announce the forecasts that changed',
  scope: 'write:queue',
  roles: ['system', 'admin'],
  http: { method: 'POST', path: '/estimates/refresh/' },
  input: Closed({}),
  output: Closed({ events: Type.Integer(), forecasts: Type.Integer() }),
  example: { input: {} },
  async run(ctx) {
    const done = { events: 0, forecasts: 0 }
    for (const site of await ctx.tx.query<SiteRow>(SITES)) {
      const { events, forecasts } = await refreshSite(ctx, site)
      done.events += events
      done.forecasts += forecasts
    }
    return done
  },
})

async function refreshSite(ctx: Context, site: SiteRow): Promise<{ events: number; forecasts: number }> {
  const stored = site.known_epoch === site.epoch && site.state ? Predictor.load(site.state) : null
  const predictor = stored ?? new Predictor()
  const queues = await ctx.tx.query<QueueRow>(QUEUES, [site.id])
  for (const { id, agents_open, service_seconds } of queues) {
    predictor.setPriorRate(String(id), Math.max(1, agents_open) / service_seconds)
  }
  const [offset, since] = stored ? [site.offset!, site.at] : [0, null]
  const events = await readOn({ offset, at: since, lastOffset: site.last_offset }, MAX_EVENTS, (from) =>
    ctx.tx.query<LoggedEvent>(EVENTS, [site.id, offset, from]),
  )
  const notes: Noted[] = []
  const overtaken = new Set<number>()
  for (const event of events) {
    // The night's trees take a second: others have their turn between two of them.
    for (const _ of predictor.learnNight(localSeconds(event.at, site.timezone))) await nextTurn()
    const note = take(predictor, event, site.timezone)
    if (note) notes.push(note)
    if (event.type === 'ticket.created' && (event.data.ticket?.priority ?? 0) > 0)
      overtaken.add(event.data.ticket!.queue_id)
  }
  const at = localSeconds(site.now, site.timezone)
  if (events.length > 0) {
    const last = events.at(-1)!
    await ctx.tx.query(SAVE_STATE, [site.id, site.epoch, last.offset, Buffer.from(predictor.save()), last.at])
    await write(ctx, notes)
  } else await ctx.tx.query(TOUCH, [site.id])
  // Who still reads what happened long ago knows nothing of now.
  const isBehind = events.length === MAX_EVENTS
  let forecasts = 0
  for (const { id, forecast, agents_open, waiting } of queues) {
    const now = isBehind ? null : forecastOf(predictor, { line: String(id), kind: 'p0', at, agents_open, waiting })
    const isLost = now === null && forecast !== null && agents_open > 0
    const next = announced(forecast, now, overtaken.has(id))
    if (!next && !isLost) continue
    await ctx.tx.query(SAVE_FORECAST, [id, next && JSON.stringify(next)])
    ctx.emit({ type: 'queue.pace_changed', site_id: site.id, queue_id: id, data: { forecast: next } })
    forecasts++
  }
  return { events: events.length, forecasts }
}

async function write(ctx: Context, notes: readonly Noted[]): Promise<void> {
  // The last word on a ticket that came back within one refresh is what counts.
  const told = new Map(notes.flatMap((note) => ('p50' in note ? [[note.ticket_id, note]] : [])))
  const rounded = [...told.values()].map((note) => ({
    ...note,
    p10: Math.round(note.p10),
    p50: Math.round(note.p50),
    p90: Math.round(note.p90),
  }))
  if (rounded.length > 0) await ctx.tx.query(NOTE_TOLD, [JSON.stringify(rounded)])
  const waited = notes.filter((note) => 'waited_seconds' in note)
  if (waited.length === 0) return
  const ended = await ctx.tx.query<Record<string, number>>(NOTE_WAITED, [JSON.stringify(waited)])
  for (const { low_seconds, median_seconds, high_seconds, waited_seconds } of ended) {
    estimateErrors.observe({ tenant: ctx.tenant.slug }, Math.abs(waited_seconds! - median_seconds!))
    const isInside = waited_seconds! >= low_seconds! && waited_seconds! <= high_seconds!
    estimatesInside.inc({ tenant: ctx.tenant.slug, inside: String(isInside) })
    estimatePromises.inc({ tenant: ctx.tenant.slug, kept: String(waited_seconds! <= high_seconds!) })
  }
}
