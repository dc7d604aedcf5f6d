import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { AppError } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import type { Verb } from './rules.ts'
import { ended, freeSeat, transitions } from './transition.ts'

/** Tickets ended in one transaction; the caller comes again while there are more. */
const MOST = 200
const Output = Closed({
  count: Type.Integer({ minimum: 0 }),
  /** More are left: call again. */
  more: Type.Boolean(),
})

/** Tickets somebody is working on are left out: the next sweep finds them as they are then. */
async function endAll(
  ctx: Context,
  verb: Verb & ('expire' | 'no_show'),
  text: string,
  values: unknown[],
  reason: string,
) {
  const due = await ctx.tx.query<{ id: number }>(
    `${text} order by t.id limit ${MOST} for no key update of t skip locked`,
    values,
  )
  const results = await transitions(
    ctx,
    verb,
    due.map(({ id }) => ({
      id,
      actor: ctx.actor,
      decide: (row) => ({ changes: ended(row), seat: freeSeat(row), reason }),
    })),
  )
  return { count: results.filter((result) => !(result instanceof AppError)).length, more: due.length === MOST }
}

/** A day is over where the site is. */
const LIVE_AT = (live: string) => `
  select t.id from tickets t
  where ${live} and ($1::bigint is null or t.site_id = $1) and (
    select not q.carry_over and ($2 or t.day < (now() at time zone s.timezone)::date)
    from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id
    where q.tenant_id = t.tenant_id and q.id = t.queue_id)`

export const closeDay = operation({
  id: 'tickets.closeDay',
  kind: 'mutation',
  summary: 'Expire what is left of past days',
  description: 'Queues that carry over keep their tickets. `today` closes the present day of a site too.',
  scope: 'write:ticket',
  roles: MANAGERS,
  http: { method: 'POST', path: '/tickets/close-day/' },
  input: Closed({ site_id: Type.Optional(Id), today: Type.Optional(Type.Boolean({ default: false })) }),
  output: Output,
  example: { input: {} },
  async run(ctx, { site_id = null, today = false }) {
    if (site_id !== null) await ctx.tx.one('select from sites where id = $1', [site_id])
    const waiting = await endAll(ctx, 'expire', LIVE_AT(`t.status = 'en_attente'`), [site_id, today], 'end_of_day')
    const atWork = await endAll(
      ctx,
      'expire',
      LIVE_AT(`t.status in ('appelé', 'en_service', 'en_pause')`),
      [site_id, today],
      'end_of_day',
    )
    return { count: waiting.count + atWork.count, more: waiting.more || atWork.more }
  },
})

const OVERDUE = `
  select t.id from tickets t
  where t.status = 'appelé' and t.last_called_at + make_interval(secs => (
    select q.no_show_after_seconds from queues q where q.tenant_id = t.tenant_id and q.id = t.queue_id)) <= now()`

export const sweepTimers = operation({
  id: 'tickets.sweepTimers',
  kind: 'mutation',
  summary: 'Mark absent who was called and did not come in the queue’s time',
  scope: 'write:ticket',
  roles: ['system'],
  http: { method: 'POST', path: '/tickets/sweep-timers/' },
  input: Closed({}),
  output: Output,
  example: { input: {} },
  run: (ctx) => endAll(ctx, 'no_show', OVERDUE, [], 'timer'),
})
