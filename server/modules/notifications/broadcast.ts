import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { invalid } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Text } from '../../kernel/schema.ts'
import { followSiteOf } from './follow.ts'
import { languageOf, WAKE } from './plan.ts'
import { holdersOf } from './recipient.ts'

/** People of one broadcast. */
const MOST = 2000
/** What is said to everybody is of this moment. */
const VALID_SECONDS = 3600

/** One word to everybody who is in the branch, on the page of their ticket. */
export const broadcast = operation({
  id: 'messages.broadcast',
  kind: 'mutation',
  summary: 'Write to everybody who waits or is being served at a site',
  description:
    'On the page of their ticket, which everybody has, in their language; who reads none of the languages given sees the first. Phones that asked to be told ring.',
  scope: 'write:ticket',
  roles: MANAGERS,
  http: { method: 'POST', path: '/sites/{site_id}/messages/', status: 201 },
  input: Closed({
    site_id: Id,
    /** Those of these queues; of all when absent. */
    queue_ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 200, uniqueItems: true })),
    text: Closed({ fr: Type.Optional(Text(500)), en: Type.Optional(Text(500)), ar: Type.Optional(Text(500)) }),
  }),
  output: Closed({ tickets: Type.Integer({ minimum: 0 }) }),
  example: { input: { site_id: 1, text: { fr: 'Le guichet 2 ferme à 17 h.' } } },
  async run(ctx, { site_id, queue_ids, text }) {
    await ctx.tx.one('select id from sites where id = $1', [site_id])
    const first = Object.values(text).find(Boolean)
    if (first === undefined) throw invalid('/text', 'required')
    const queues = await ctx.tx.query<{ id: number }>(
      'select id from queues where site_id = $1 and ($2::bigint[] is null or id = any($2))',
      // Who is limited to some queues writes to those.
      [site_id, queue_ids ?? ctx.actor.queueIds ?? null],
    )
    const own = queues.map(({ id }) => id)
    const live = await ctx.tx.query<{ id: number }>(
      `select id from tickets where queue_id = any($1) and status = 'en_attente'
       union all select id from tickets where site_id = $2 and queue_id = any($1) and status in ('appelé', 'en_service', 'en_pause')
       limit ${MOST}`,
      [own, site_id],
    )
    const holders = await holdersOf(
      ctx.tx,
      live.map(({ id }) => id),
    )
    const rows = await ctx.tx.query<{ id: number; ticket_id: number; queue_id: number }>(
      `insert into messages (direction, site_id, queue_id, ticket_id, leg, customer_id, kind, channel, language, address, subject,
         body, status, sent_at, not_after, segments)
       select 'out', $1, h.queue_id, h.ticket_id, h.leg, h.customer_id, 'chat', 'page', h.language, 'ticket:' || h.ticket_id, '',
         h.body, 'sent', now(), now() + make_interval(secs => ${VALID_SECONDS}), 1
       from jsonb_to_recordset($2) as h(queue_id bigint, ticket_id bigint, leg int, customer_id bigint, language text, body text)
       returning id, ticket_id, queue_id`,
      [
        site_id,
        JSON.stringify(
          holders.map((holder) => {
            const language = languageOf(holder, ctx.tenant)
            const { id, queue_id, leg, customer_id } = holder
            return { ticket_id: id, queue_id, leg, customer_id, language, body: text[language] || first }
          }),
        ),
      ],
    )
    const pushes = new Set(holders.filter(({ has_push }) => has_push).map(({ id }) => id))
    for (const id of own) await followSiteOf(ctx.tx, id)
    for (const { id, ticket_id, queue_id } of rows) {
      if (pushes.has(ticket_id)) await ctx.enqueue(WAKE, { message_id: id })
      const message = { id, kind: 'chat', channel: 'page', status: 'sent', error_code: null }
      ctx.emit({ type: 'message.sent', site_id, queue_id, ticket_id, data: { message } })
    }
    // To how many is on record; what was said is in the conversations alone.
    ctx.record({ before: null, after: { id: site_id, queue_ids: own, tickets: rows.length }, isPersonal: true })
    return { tickets: rows.length }
  },
})
