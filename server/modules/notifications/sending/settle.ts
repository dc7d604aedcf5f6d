import Type from 'typebox'
import { operation, type Context, type Operation } from '../../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Time } from '../../../kernel/schema.ts'
import { enqueueSend, planNext } from '../plan.ts'

export const STATES = ['queued', 'sending', 'sent', 'delivered', 'failed', 'expired', 'received'] as const

interface Settled {
  id: number
  site_id: number
  queue_id: number | null
  ticket_id: number | null
  kind: string
  channel: string
  status: string
  error_code: string | null
}
const COLUMNS = 'id, site_id, queue_id, ticket_id, kind, channel, status, error_code'

/** What came of an attempt; only whoever holds the message's lease may say so. */
const AFTER_ATTEMPT = `
  update messages set status = $3, provider = coalesce($4, provider), provider_id = coalesce($5, provider_id),
    error_code = $6, next_at = coalesce($7, next_at), claimed_at = null,
    sent_at = case when $3 in ('sent', 'delivered') then coalesce(sent_at, now()) else sent_at end
  where id = $1 and attempt = $2 and status = 'sending'
  returning ${COLUMNS}`
/** What a provider reports, in any order and any number of times: delivered is the last word. */
const REPORTED = `
  update messages m set status = $2, error_code = $4, claimed_at = null,
    provider_id = coalesce(provider_id, (select $3 where not exists (
      select from messages o where o.direction = 'out' and o.provider_id = $3 and o.id <> m.id))),
    sent_at = coalesce(sent_at, now()), delivered_at = case when $2 = 'delivered' then now() else delivered_at end
  where id = $1 and direction = 'out' and case $2
    when 'sent' then status = 'sending' when 'delivered' then status in ('sending', 'sent', 'failed') else status in ('sending', 'sent') end
  returning ${COLUMNS}`

export const settle = operation({
  id: 'messages.settle',
  kind: 'mutation',
  summary: 'Note what became of a message',
  description:
    'With `attempt` by whoever sends it, without by a provider’s report. What is known already changes nothing.',
  scope: 'write:ticket',
  roles: ['system'],
  unaudited: 'the message itself keeps what became of it, and the log of events tells it',
  http: { method: 'POST', path: '/messages/{id}/settle/' },
  input: Closed({
    id: Id,
    attempt: Type.Optional(Type.Integer({ minimum: 1 })),
    state: Enum(['queued', 'sent', 'delivered', 'failed', 'expired']),
    provider: Type.Optional(Type.String()),
    provider_id: Type.Optional(Type.String({ maxLength: 200 })),
    error_code: Type.Optional(Type.String({ maxLength: 100 })),
    next_at: Type.Optional(Nullable(Time)),
  }),
  output: Closed({ changed: Type.Boolean() }),
  example: { input: { id: 1, state: 'delivered' } },
  async run(ctx, { id, attempt, state, provider = null, provider_id = null, error_code = null, next_at = null }) {
    const [row] =
      attempt === undefined
        ? await ctx.tx.query<Settled>(REPORTED, [id, state, provider_id, error_code])
        : await ctx.tx.query<Settled>(AFTER_ATTEMPT, [id, attempt, state, provider, provider_id, error_code, next_at])
    if (!row) return { changed: false }
    if (row.status === 'queued') await enqueueSend(ctx.tx, ctx.tenant.id, id, next_at ?? undefined)
    else tell(ctx, row)
    if (row.status === 'failed') await planNext(ctx.tx, ctx.tenant, id)
    if (row.status === 'sent') await escalateLater(ctx, id)
    return { changed: true }
  },
})

/** The log says what became of a message, not what it says nor to whom. */
function tell(ctx: Context, { id, site_id, queue_id, ticket_id, kind, channel, status, error_code }: Settled): void {
  ctx.emit({
    type: `message.${status}`,
    site_id,
    queue_id,
    ticket_id,
    data: { message: { id, kind, channel, status, error_code } },
  })
}

export const ESCALATE = 'notifications.escalate'
async function escalateLater(ctx: Context, id: number): Promise<void> {
  const row = await ctx.tx.maybe<{ run_at: string }>(
    `select now() + make_interval(secs => escalate_after_seconds) as run_at from messages
     where id = $1 and escalate_after_seconds is not null and other_channels <> '{}'`,
    [id],
  )
  if (row)
    await ctx.enqueue(ESCALATE, { message_id: id }, { run_at: row.run_at, job_key: `escalate:${ctx.tenant.id}:${id}` })
}

export const sendingOperations: readonly Operation[] = [settle]
