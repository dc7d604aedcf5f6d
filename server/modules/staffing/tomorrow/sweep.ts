import Type from 'typebox'
import { systemActor } from '../../../kernel/access.ts'
import { eachTenant, type Job } from '../../../kernel/jobs/index.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed } from '../../../kernel/schema.ts'

/** Offers ended in one transaction; the caller comes again while there are more. */
const MOST = 500

/** Offers somebody is just answering are left out: the next sweep finds them as they are then. */
const DUE = `
  update tomorrow_offers o set status = due.ends_as from (
    select o.ticket_id, case
        when o.status = 'accepted' then 'lapsed' when t.status <> 'en_attente' then 'withdrawn' else 'expired' end as ends_as
    from tomorrow_offers o
    join tickets t on t.tenant_id = o.tenant_id and t.id = o.ticket_id
    join sites s on s.tenant_id = o.tenant_id and s.id = o.site_id
    where (o.status = 'offered' and (o.expires_at <= now() or t.status <> 'en_attente'))
      or (o.status = 'accepted' and o.day < (now() at time zone s.timezone)::date)
    order by o.ticket_id limit ${MOST} for no key update of o skip locked) due
  where o.ticket_id = due.ticket_id
  returning o.ticket_id, o.site_id, o.queue_id, o.status`

export const sweepOffers = operation({
  id: 'queues.sweepTomorrowOffers',
  kind: 'mutation',
  summary: 'End offers of tomorrow that nobody answered, and places nobody came for',
  scope: 'write:queue',
  roles: ['system'],
  http: { method: 'POST', path: '/queues/sweep-tomorrow-offers/' },
  input: Closed({}),
  output: Closed({
    count: Type.Integer({ minimum: 0 }),
    /** More are left: call again. */
    more: Type.Boolean(),
  }),
  example: { input: {} },
  async run(ctx) {
    const rows = await ctx.tx.query<{ ticket_id: number; site_id: number; queue_id: number; status: string }>(DUE)
    for (const { status, ...place } of rows) ctx.emit({ type: 'ticket.tomorrow_ended', ...place, data: { status } })
    return { count: rows.length, more: rows.length === MOST }
  },
})

export const jobs: readonly Job[] = [
  {
    name: 'staffing.sweep_tomorrow_offers',
    schedule: '* * * * *',
    async run({ runtime, tenants }) {
      await eachTenant(await tenants(), async (tenant) => {
        const request = { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input: {} }
        while (((await runtime.execute(sweepOffers, request)).output as { more: boolean }).more);
      })
    },
  },
]
