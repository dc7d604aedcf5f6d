import Type from 'typebox'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Enum, Id } from '../../../kernel/schema.ts'
import { meaningOf } from './words.ts'

export const ACT = 'notifications.act'

/** A number is left alone by SMS and WhatsApp alike: whoever says stop means the sender, not the way. */
const STOP = `insert into message_opt_outs (channel, address) values ('sms', $1), ('whatsapp', $1) on conflict do nothing`
const START = `delete from message_opt_outs where channel in ('sms', 'whatsapp') and address in ($1::text, app.address_hash($1::text))`
/** What was written last to this address says where it belongs. */
const INSERT = `
  insert into messages (direction, site_id, queue_id, ticket_id, customer_id, kind, channel, language, address, body, status,
    provider, provider_id)
  select 'in', m.site_id, t.queue_id, m.ticket_id, m.customer_id, $2, m.channel, m.language, m.address, $3, 'received', 'twilio', $4
  from messages m left join tickets t on t.tenant_id = m.tenant_id and t.id = m.ticket_id where m.id = $1
  on conflict do nothing returning id, site_id, queue_id, ticket_id, channel, address`
interface Received {
  id: number
  site_id: number
  queue_id: number | null
  ticket_id: number | null
  channel: string
  address: string
}

/** An answer by SMS or WhatsApp. */
export const receive = operation({
  id: 'messages.receive',
  kind: 'mutation',
  summary: 'Take in what a visitor answered',
  description: 'A word that means stop, late, coming or leave is acted on; the rest is for the counter to read.',
  scope: 'write:ticket',
  roles: ['system'],
  http: { method: 'POST', path: '/messages/{id}/answer/' },
  input: Closed({ id: Id, text: Type.String({ maxLength: 1600 }), provider_id: Type.String({ maxLength: 64 }) }),
  output: Closed({ kind: Enum(['stop', 'start', 'late', 'coming', 'cancel', 'text', 'duplicate']) }),
  example: { input: { id: 1, text: 'RETARD', provider_id: 'SM0123456789abcdef0123456789abcdef' } },
  async run(ctx, { id, text, provider_id }) {
    const kind = meaningOf(text)
    const [row] = await ctx.tx.query<Received>(INSERT, [id, kind, text, provider_id])
    // What the visitor wrote stands in the conversation alone.
    ctx.record({ before: null, after: { id: row?.id ?? id, kind: row ? kind : 'duplicate' }, isPersonal: true })
    if (!row) return { kind: 'duplicate' as const }
    if (kind === 'stop') await ctx.tx.query(STOP, [row.address])
    if (kind === 'start') await ctx.tx.query(START, [row.address])
    const { site_id, queue_id, ticket_id, channel } = row
    if (ticket_id !== null && (kind === 'late' || kind === 'coming' || kind === 'cancel'))
      await ctx.enqueue(ACT, { message_id: row.id })
    ctx.emit({
      type: 'message.received',
      site_id,
      queue_id,
      ticket_id,
      data: { message: { id: row.id, kind, channel, status: 'received', error_code: null } },
    })
    return { kind }
  },
})
