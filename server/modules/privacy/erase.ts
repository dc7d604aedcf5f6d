import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { conflict, notFound } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { checkWhole } from './whole.ts'

const PERSON = 'with p as (select $1::bigint as id, $2::text as phone, $3::text as email, $4::text as name)'
/** The person is gone from each of these; what was counted stays counted. */
const FORGET: readonly string[] = [
  `${PERSON} delete from messages m using p where m.customer_id = p.id
     or m.ticket_id in (select t.id from tickets t where t.customer_id = p.id)
     or m.appointment_id in (select a.id from appointments a where a.customer_id = p.id)
     or m.customer_id is null and m.address in (p.phone, p.email)`,
  // Answers kept for a repeated request: of the person, of their tickets, or with what they are called.
  `${PERSON} delete from idempotency_keys k using p where k.body ~ ('"(customer_)?id":' || p.id || '[,}]')
     or strpos(k.body, p.phone) > 0 or strpos(lower(k.body), p.email) > 0
     or length(p.name) > 2 and strpos(k.body, to_json(p.name)::text) > 0
     or exists (select from tickets t where t.customer_id = p.id and k.body ~ ('"(ticket_)?id":' || t.id || '[,}]'))`,
  `${PERSON} update message_opt_outs o set address = app.address_hash(o.address) from p where o.address in (p.phone, p.email)`,
  // What was brought in tables, as it was typed there.
  `${PERSON} update import_rows r set input = '{}', errors = '[]' from imports i, p
     where i.tenant_id = r.tenant_id and i.id = r.import_id and (
       i.kind = 'customers' and r.target_id = p.id
       or i.kind = 'appointments' and r.target_id in (select a.id from appointments a where a.customer_id = p.id)
       or strpos(r.input::text, p.phone) > 0 or strpos(lower(r.input::text), p.email) > 0
       or length(p.name) > 2 and strpos(r.input::text, p.name) > 0)`,
  // Files of tickets have their labels.
  `${PERSON} delete from exports e using p where e.kind = 'tickets'
     and exists (select from tickets t where t.customer_id = p.id and t.labels <> '{}')`,
  // Rows of tables that were brought: what was made of them, and wherever the person stands in one.
  `${PERSON} delete from import_rows r using imports i, p where i.tenant_id = r.tenant_id and i.id = r.import_id and (
     i.kind = 'customers' and r.target_id = p.id
     or i.kind = 'appointments' and r.target_id in (select a.id from appointments a where a.customer_id = p.id)
     or strpos(r.input::text, p.phone) > 0 or strpos(lower(r.input::text), p.email) > 0
     or length(p.name) > 2 and strpos(r.input::text, to_json(p.name)::text) > 0)`,
  `${PERSON} delete from outbox_messages o using p where o.recipient in (p.phone, p.email)`,
  `${PERSON} delete from appointment_waiters w using p where w.customer_id = p.id`,
  `${PERSON} delete from appointment_links l using appointments a, p
     where a.tenant_id = l.tenant_id and a.id = l.appointment_id and a.customer_id = p.id`,
]
const FORGET_APPOINTMENTS = `
  update appointments a set customer_id = null, note = '', end_reason = '', language = null, updated_at = now() where a.customer_id = $1`
const FORGET_LINKS = `
  with links as (delete from ticket_links where ticket_id = any($1))
  delete from push_subscriptions where ticket_id = any($1)`
const FORGET_SENT = `
  update webhook_attempts w set request_body = '', response_body = '' from webhook_deliveries d
  join events e on e.tenant_id = d.tenant_id and e.site_id = d.site_id and e."offset" = d."offset"
  where w.tenant_id = d.tenant_id and w.delivery_id = d.id and e.ticket_id = any($1)`
const FORGET_TICKETS = `
  update tickets set customer_id = null, sole_customer_id = null, device_key = null, token_hash = null, note = '',
    fields = '{}', needs = '{}', labels = '{}', language = null, rating_comment = '', undo = null, undo_until = null
  where id = any($1)`

const OPEN = `
  select exists (select from tickets t where t.customer_id = $1 and t.status in ('en_attente', 'appelé', 'en_service', 'en_pause'))
    or exists (select from appointments a where a.customer_id = $1 and a.status in ('held', 'pending', 'booked', 'checked_in')) as is_open`

interface Known {
  id: number
  name: string
  phone: string | null
  email: string | null
}

/** Forgets a person whose visits are over. @throws AppError not_found, conflict `visit_open` */
async function forget(ctx: Context, id: number): Promise<{ tickets: number }> {
  const { tx } = ctx
  const known = await tx.maybe<Known>('select id, name, phone, email from customers where id = $1 for update', [id])
  if (!known) throw notFound()
  const { is_open } = await tx.one<{ is_open: boolean }>(OPEN, [id])
  if (is_open) throw conflict('visit_open')
  for (const text of FORGET) await tx.query(text, [id, known.phone, known.email, known.name])
  const tickets = await tx.query<{ id: number; site_id: number; queue_id: number }>(
    'select id, site_id, queue_id from tickets where customer_id = $1 order by id',
    [id],
  )
  const ids = [tickets.map((ticket) => ticket.id)]
  await tx.query(FORGET_LINKS, ids)
  await tx.query(FORGET_SENT, ids)
  await tx.query('select app.forget_words($1)', ids)
  await tx.query(FORGET_TICKETS, ids)
  await tx.query(FORGET_APPOINTMENTS, [id])
  await tx.query('delete from customers where id = $1', [id])
  for (const { id: ticket_id, ...place } of tickets) ctx.emit({ type: 'ticket.erased', ...place, ticket_id, data: {} })
  ctx.emit({ type: 'customer.erased', site_id: 0, data: { customer: { id } } })
  return { tickets: tickets.length }
}
export const erase = operation({
  id: 'privacy.erase',
  kind: 'mutation',
  summary: 'Forget a person everywhere',
  description:
    'Name, numbers, notes, messages, links and answers to come go; visits stay as numbers in the statistics, and the audit trail by the person’s number alone. `visit_open` while they wait, are served or have an appointment.',
  scope: 'write:customer',
  roles: MANAGERS,
  http: { method: 'POST', path: '/customers/{id}/erase/' },
  input: Closed({ id: Id }),
  output: Closed({ tickets: Type.Integer({ minimum: 0, description: 'Visits that are nobody’s any more' }) }),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    await checkWhole(ctx, id)
    return forget(ctx, id)
  },
})
