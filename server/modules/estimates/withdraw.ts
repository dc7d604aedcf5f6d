import Type from 'typebox'
import { operation } from '../../kernel/operation.ts'
import { Closed } from '../../kernel/schema.ts'

/** Queues with agents at work whose forecast nobody looked after for two minutes. */
const STALE = `
  update queue_states st set forecast = null
  from queues q
  where q.tenant_id = st.tenant_id and q.id = st.queue_id and st.forecast is not null
    and exists (select from agent_queues w join agents a on a.tenant_id = w.tenant_id and a.id = w.agent_id
                where w.queue_id = q.id and a.status in ('available', 'calling', 'serving', 'wrap_up'))
    and not exists (select from site_predictors p
                    where p.site_id = q.site_id and p.updated_at > now() - interval '2 minutes')
  returning q.id, q.site_id`

/** Takes back forecasts that are no longer refreshed, whatever the reason: the formula speaks instead. */
export const withdrawStale = operation({
  id: 'estimates.withdrawStale',
  kind: 'mutation',
  summary: 'Take back forecasts that are no longer refreshed',
  scope: 'write:queue',
  roles: ['system', 'admin'],
  http: { method: 'POST', path: '/estimates/withdraw-stale/' },
  input: Closed({}),
  output: Closed({ withdrawn: Type.Integer() }),
  example: { input: {} },
  async run(ctx) {
    const stale = await ctx.tx.query<{ id: number; site_id: number }>(STALE, [])
    for (const { id, site_id } of stale) {
      ctx.emit({ type: 'queue.pace_changed', site_id, queue_id: id, data: { forecast: null } })
    }
    return { withdrawn: stale.length }
  },
})
