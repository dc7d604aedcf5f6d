import Type from 'typebox'
import { ticketCode } from '../../../../shared/format.ts'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { translate } from '../../../kernel/i18n.ts'
import type { Job } from '../../../kernel/jobs/index.ts'
import { notFound } from '../../../kernel/errors.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { checkEndpoint, push, type PushSubscription } from '../../../kernel/push/index.ts'
import { Closed, type Locale, Text } from '../../../kernel/schema.ts'

/** Browsers that one ticket may wake: the own phone, and that of a relative or two. */
const MOST = 5
/** A call is news this long. */
const NEWS_SECONDS = 300
const Key = Type.String({ pattern: '^[\\w-]{16,120}$' })

const SUBSCRIBE = `
  insert into push_subscriptions (ticket_id, endpoint, p256dh, auth, locale)
  select $1, $2, $3, $4, $5
  where (select count(*) from push_subscriptions where ticket_id = $1) < ${MOST}
  on conflict (tenant_id, ticket_id, endpoint) do update
    set p256dh = excluded.p256dh, auth = excluded.auth, locale = excluded.locale`

export const subscribe = operation({
  id: 'tickets.subscribe',
  kind: 'mutation',
  summary: 'Be told of my call by a notification',
  description: 'Takes what `PushManager.subscribe()` of a browser gives. Ends with the ticket.',
  scope: null,
  roles: ['visitor'],
  http: { method: 'POST', path: '/t/{token}/push/', base: 'root', status: 204 },
  input: Closed({ endpoint: Text(1000), p256dh: Key, auth: Key }),
  output: Type.Null(),
  example: {
    input: {
      endpoint: 'https://fcm.googleapis.com/fcm/send/abc',
      p256dh: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM',
      auth: 'tBHItJI5svbpez7KI4CCXg',
    },
  },
  async run(ctx, { endpoint, p256dh, auth }) {
    const { ticketId } = ctx.actor
    if (ticketId === null) throw notFound()
    checkEndpoint(endpoint)
    await ctx.tx.query('update tickets set wants_push = true where id = $1 and not wants_push', [ticketId])
    await ctx.tx.query(SUBSCRIBE, [ticketId, endpoint, p256dh, auth, ctx.locale])
    return null
  },
})

/** Adds the job that wakes the phones of somebody who was just called; in the call's own transaction. */
export const enqueuePush = (ctx: Context, ticketId: number): Promise<void> =>
  ctx.enqueue('tickets.push', { ticket_id: ticketId }, { job_key: `push:${ctx.tenant.id}:${ticketId}` })

interface Subscribed extends PushSubscription {
  locale: Locale
  number: string
  counter_name: string | null
}
/** Nothing is sent to somebody who is at the counter already, or gone. */
const CALLED = `
  select p.endpoint, p.p256dh, p.auth, p.locale, t.number, c.name as counter_name
  from push_subscriptions p
  join tickets t on t.tenant_id = p.tenant_id and t.id = p.ticket_id and t.status = $2
  left join counters c on c.tenant_id = t.tenant_id and c.id = t.counter_id
  where p.ticket_id = $1`

export const pushJob: Job = {
  name: 'tickets.push',
  async run({ runtime }, { tenant_id, ticket_id }) {
    const { db } = runtime
    const tenantId = Number(tenant_id)
    const phones = await db.reader(tenantId).query<Subscribed>(CALLED, [ticket_id, TicketStatus.called])
    for (const { locale, number, counter_name, ...subscription } of phones) {
      const code = ticketCode(number)
      const message = {
        title: translate(locale, 'page.called_title'),
        body: counter_name ? translate(locale, 'page.call_sentence', { number: code, counter: counter_name }) : code,
        lang: locale,
      }
      if (await push(subscription, message, NEWS_SECONDS)) continue
      await db.tenant(tenantId, (tx) =>
        tx.query('delete from push_subscriptions where ticket_id = $1 and endpoint = $2', [
          ticket_id,
          subscription.endpoint,
        ]),
      )
    }
  },
}
