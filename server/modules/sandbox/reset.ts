import Type from 'typebox'
import { operation } from '../../kernel/operation.ts'
import { Closed } from '../../kernel/schema.ts'
import { closeDay } from '../tickets/index.ts'
import { checkSandbox, shared } from './state.ts'

/** What visitors leave behind, in an order in which nothing refers to what is gone. */
const TRACES = [
  'messages',
  'tomorrow_offers',
  'appointment_waiters',
  'appointments',
  'ticket_legs',
  'tickets',
  'customers',
  'number_blocks',
  'queue_days',
  'queue_shares',
  'queue_metrics',
  'tenant_metrics',
  'quota_notices',
  'alert_acknowledgements',
  'sandbox_clocks',
] as const

export const reset = operation({
  ...shared,
  id: 'sandbox.reset',
  kind: 'mutation',
  summary: 'Begin a sandbox anew: no visitor, no figures, numbers from the first',
  description:
    'Places, people, rules, keys and webhooks stay, and so do the log and the audit trail. Whoever waits is expired first.',
  http: { method: 'POST', path: '/sandbox/reset/' },
  input: Closed({}),
  output: Closed({ tickets: Type.Integer({ minimum: 0 }) }),
  example: { input: {} },
  async run(ctx) {
    await checkSandbox(ctx)
    while ((await closeDay.run(ctx, { today: true })).more);
    let tickets = 0
    for (const table of TRACES) {
      const { gone } = await ctx.tx.one<{ gone: number }>(
        `with gone as (delete from ${table} returning 1) select count(*)::int as gone from gone`,
      )
      if (table === 'tickets') tickets = gone
    }
    await ctx.tx.query(
      `update agents set status = 'offline', status_reason = '', expected_return_at = null, status_since = now()`,
    )
    for (const { id } of await ctx.tx.query<{ id: number }>('select 0 as id union all select id from sites order by 1'))
      ctx.emit({ type: 'sandbox.reset', site_id: id, data: {} })
    return { tickets }
  },
})
