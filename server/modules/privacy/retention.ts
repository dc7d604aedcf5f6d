import Type from 'typebox'
import { systemActor } from '../../kernel/access.ts'
import type { Job } from '../../kernel/jobs/index.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed } from '../../kernel/schema.ts'

/** Rows of one statement: a busy organisation's year must not hold locks for long. */
const MOST = 2000
/** Whole days of the organisation's own clock, as for messages. */
const CUTOFF = `
  (select (date_trunc('day', now() at time zone t.timezone) - make_interval(days => t.data_retention_days)) at time zone t.timezone
   from tenants t where t.id = app.tenant_id())`

/** What a visit was like stays: only whose it was goes. Every ticket has the secret of its page until then. */
const TICKETS = `
  with old as (
    select t.id from tickets t where t.ended_at < ${CUTOFF} and (t.token_hash is not null or t.customer_id is not null)
    order by t.id limit ${MOST} for update skip locked),
  links as (delete from ticket_links l using old where l.ticket_id = old.id),
  phones as (delete from push_subscriptions p using old where p.ticket_id = old.id)
  update tickets t set customer_id = null, sole_customer_id = null, device_key = null, token_hash = null, note = '',
    fields = '{}', needs = '{}', labels = '{}', language = null, rating_comment = '', undo = null, undo_until = null
  from old where t.id = old.id returning t.id`
const APPOINTMENTS = `
  with old as (
    select a.id from appointments a where a.end_at < ${CUTOFF} and (a.customer_id is not null or a.note <> '' or a.end_reason <> '')
    order by a.id limit ${MOST} for update skip locked),
  links as (delete from appointment_links l using old where l.appointment_id = old.id)
  update appointments a set customer_id = null, note = '', end_reason = '', language = null
  from old where a.id = old.id returning a.id`
const WAITERS = `
  delete from appointment_waiters w where w.id in (
    select o.id from appointment_waiters o where o.to_day < (${CUTOFF})::date order by o.id limit ${MOST}) returning w.id`
/** Whoever has not been here for so long, and about whom nothing is left. */
const CUSTOMERS = `
  delete from customers c where c.id in (
    select o.id from customers o
    where o.updated_at < ${CUTOFF}
      and not exists (select from tickets t where t.customer_id = o.id)
      and not exists (select from appointments a where a.customer_id = o.id)
      and not exists (select from appointment_waiters w where w.customer_id = o.id)
      and not exists (select from messages m where m.customer_id = o.id)
    order by o.id limit ${MOST}) returning c.id`

export const retain = operation({
  id: 'privacy.retain',
  kind: 'mutation',
  summary: 'Forget who was here longer ago than the organisation keeps data',
  description: 'After `data_retention_days`, to the organisation’s own midnight. Visits stay as numbers.',
  scope: 'write:customer',
  roles: ['system'],
  unaudited: 'done every night, as data_retention_days says',
  http: { method: 'POST', path: '/privacy/retention/' },
  input: Closed({}),
  output: Closed({
    tickets: Type.Integer({ minimum: 0 }),
    appointments: Type.Integer({ minimum: 0 }),
    customers: Type.Integer({ minimum: 0 }),
    /** More are left: call again. */
    more: Type.Boolean(),
  }),
  example: { input: {} },
  async run({ tx }) {
    const ids: number[][] = []
    for (const text of [TICKETS, APPOINTMENTS, WAITERS, CUSTOMERS])
      ids.push((await tx.query<{ id: number }>(text)).map(({ id }) => id))
    const [tickets = [], appointments = [], , customers = []] = ids
    if (tickets.length > 0) await tx.query('select app.forget_words($1)', [tickets])
    return {
      tickets: tickets.length,
      appointments: appointments.length,
      customers: customers.length,
      more: ids.some(({ length }) => length === MOST),
    }
  },
})

export const retentionJob: Job = {
  name: 'privacy.retention',
  nightly: '03:40',
  async run({ runtime, tenants }, { tenant_id }) {
    const tenant = (await tenants()).find(({ id }) => id === tenant_id)
    if (!tenant) return
    const request = { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input: {} }
    while (((await runtime.execute(retain, request)).output as { more: boolean }).more);
  },
}
