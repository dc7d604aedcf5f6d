import Type from 'typebox'
import { waitFigures } from '../../../shared/staffing/day.ts'
import { MANAGERS } from '../../kernel/access.ts'
import { conflict, invalid } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Nullable, Time } from '../../kernel/schema.ts'
import { outlookOf, type Outlook } from './outlook.ts'
import { median, playOutlook, unservedIn } from './play.ts'
import { translate } from '../../kernel/i18n.ts'

/** People who come within it are counted. */
const HORIZON_SECONDS = 3600
const Waits = Closed({
  counters: Type.Integer({ minimum: 0 }),
  mean_seconds: Nullable(Type.Integer({ minimum: 0 })),
  p90_seconds: Nullable(Type.Integer({ minimum: 0 })),
})

function waitsWith(outlook: Outlook, counters: number): Type.Static<typeof Waits> {
  const waits = counters === 0 ? [] : playOutlook(outlook, counters, HORIZON_SECONDS).flatMap((round) => round.waits)
  const { mean_seconds, p90_seconds } = waitFigures(waits)
  return { counters, mean_seconds, p90_seconds }
}

/** "One more counter: 18 → 11 minutes." */
export const whatIf = operation({
  id: 'queues.whatIf',
  kind: 'query',
  summary: 'What another number of open counters would do to the waits of a queue',
  description:
    'Those who wait now and who is likely to come within the hour, played by the real order of service; whole waits, from coming to being called. Agents who serve other queues too call there by their own way of choosing; one counter more serves this queue alone, one less is whoever serves the fewest others. Null where nobody waits, or nobody calls.',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'GET', path: '/queues/{id}/what-if/' },
  input: Closed({ id: Id, change: Type.Optional(Type.Integer({ minimum: -50, maximum: 50, default: 1 })) }),
  output: Closed({ now: Waits, changed: Waits, text: Type.String() }),
  example: { input: { id: 1, change: 1 } },
  pool: 'reports',
  async run(ctx, { id, change = 1 }) {
    const outlook = await outlookOf(ctx, id)
    if (outlook.counters + change < 0) throw invalid('/change', 'range')
    const now = waitsWith(outlook, outlook.counters)
    const changed = waitsWith(outlook, outlook.counters + change)
    const minutes = (seconds: number | null) => (seconds === null ? '–' : String(Math.round(seconds / 60)))
    const text = translate(
      ctx.locale,
      'staffing.what_if',
      { counters: changed.counters, before: minutes(now.mean_seconds), after: minutes(changed.mean_seconds) },
      ctx.tenant.locale,
    )
    return { now, changed, text }
  },
})

/** "The last person is served at 17:42; 12 would not be." */
export const closingForecast = operation({
  id: 'queues.closingForecast',
  kind: 'query',
  summary: 'When the last person of a queue is served, and how many would not be before closing',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'GET', path: '/queues/{id}/closing-forecast/' },
  input: Closed({ id: Id }),
  output: Closed({
    /** Null when the doors do not close, or are closed. */
    closes_at: Nullable(Time),
    /** With the present counters; null when nobody calls. */
    last_served_at: Nullable(Time),
    /** People who would still wait at closing time. */
    unserved: Type.Integer({ minimum: 0 }),
    waiting: Type.Integer({ minimum: 0 }),
    text: Type.String(),
  }),
  example: { input: { id: 1 } },
  pool: 'reports',
  async run(ctx, { id }) {
    const outlook = await outlookOf(ctx, id)
    const { queue, now, counters, waiting, seconds_to_close } = outlook
    const after = (seconds: number) => Temporal.Instant.from(now).add({ seconds: Math.round(seconds) })
    const horizon = seconds_to_close ?? 0
    const isServed = counters > 0
    const last = isServed
      ? after(median(playOutlook(outlook, counters, horizon).map((round) => round.last_ended)))
      : null
    const unserved = unservedIn(outlook)
    const time = last?.toZonedDateTimeISO(queue.timezone).toPlainTime().toString({ smallestUnit: 'minute' }) ?? '–'
    return {
      closes_at: seconds_to_close === null ? null : after(seconds_to_close).toString(),
      last_served_at: last?.toString() ?? null,
      unserved,
      waiting: waiting.length,
      text: translate(ctx.locale, 'staffing.closing', { time, count: unserved }, ctx.tenant.locale),
    }
  },
})

/** Nobody more is let in; those who wait are served. */
export const stopIntake = operation({
  id: 'queues.stopIntake',
  kind: 'mutation',
  summary: 'Let nobody more into a queue; those who wait are served',
  description: 'Until the queue is switched on again (`is_active`).',
  scope: 'write:queue',
  roles: MANAGERS,
  http: { method: 'POST', path: '/queues/{id}/stop-intake/' },
  input: Closed({ id: Id }),
  output: Closed({ id: Id, status: Type.String() }),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const queue = await ctx.tx.one<{ id: number; site_id: number; is_active: boolean }>(
      'select id, site_id, is_active from queues where id = $1 for no key update',
      [id],
    )
    if (!queue.is_active) throw conflict('queue_inactive')
    await ctx.tx.query('update queues set is_active = false, updated_at = now() where id = $1', [id])
    await ctx.tx.query(`update queue_states set status = 'paused' where queue_id = $1 and status <> 'closed'`, [id])
    const { status } = await ctx.tx.one<{ status: string }>('select status from queue_states where queue_id = $1', [id])
    ctx.emit({
      type: 'queue.updated',
      site_id: queue.site_id,
      queue_id: id,
      data: { queue: { id, is_active: false, status } },
    })
    return { id, status }
  },
})
