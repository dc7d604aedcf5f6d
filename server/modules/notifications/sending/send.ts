import { ticketCode } from '../../../../shared/format.ts'
import { systemActor } from '../../../kernel/access.ts'
import { retryWaitMs } from '../../../kernel/backoff.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import type { Runtime } from '../../../kernel/execute.ts'
import { deliver, keep } from '../../../kernel/mail/index.ts'
import { countMessage } from '../../../kernel/metrics.ts'
import { monotonicMs } from '../../../kernel/clock.ts'
import type { Tenant } from '../../../kernel/operation.ts'
import { push } from '../../../kernel/push/index.ts'
import type { Locale } from '../../../kernel/schema.ts'
import { enqueueSend } from '../plan.ts'
import { providerOf, type Outcome, type Outgoing } from '../providers/index.ts'
import { isTrue } from '../recipient.ts'
import { LINK_MARK, type MessageChannel } from '../vocabulary.ts'
import { secretLink } from './link.ts'
import { settle } from './settle.ts'

/** Who has sent nothing for so long is dead: somebody else may try. */
export const LEASE_SECONDS = 20
/** A sender that was stopped longer than this after it took the message no longer knows whether it is still its own. */
const STALL_MS = 10_000
/** Seconds before another attempt. */
const BACKOFF = { first: 4, most: 300 }

interface Claimed {
  id: number
  ticket_id: number | null
  appointment_id: number | null
  leg: number | null
  kind: string
  channel: MessageChannel
  language: Locale
  address: string
  subject: string
  body: string
  attempt: number
  is_late: boolean
  /** An attempt before this one ended without anybody knowing how. */
  was_sending: boolean
  error_code: string | null
  since: string
  not_after: string | null
  ticket_status: string | null
  ticket_leg: number | null
}
/** Takes the message for this attempt: its number is the fence that an earlier sender runs into. */
const CLAIM = `
  with due as (
    select m.id, m.status = 'sending' as was_sending from messages m
    where m.id = $1 and m.direction = 'out'
      and (m.status = 'queued' or m.status = 'sending' and m.claimed_at < now() - make_interval(secs => ${LEASE_SECONDS}))
    for update)
  update messages m set status = 'sending', attempt = m.attempt + 1, claimed_at = now()
  from due left join tickets t on t.id = (select x.ticket_id from messages x where x.id = $1)
    left join appointments a on a.id = (select x.appointment_id from messages x where x.id = $1)
  where m.id = due.id
  returning m.id, m.ticket_id, m.appointment_id, m.leg, m.kind, m.channel, m.language, m.address, m.subject, m.body, m.attempt, m.error_code,
    coalesce(m.not_after < now(), false) as is_late, due.was_sending, m.created_at as since, m.not_after,
    coalesce(t.status, a.status) as ticket_status, coalesce(t.leg, a.sequence) as ticket_leg`

/** Sends one message, if it is due and still true. Safe to run any number of times, by any number of workers. */
export async function sendMessage(runtime: Runtime, tenant: Tenant, id: number): Promise<void> {
  const claimed = await runtime.db.tenant(tenant.id, async (tx) => {
    const row = await tx.maybe<Claimed>(CLAIM, [id])
    if (!row) await waitForLease(tx, tenant.id, id)
    return row
  })
  if (!claimed) return
  const takenAt = monotonicMs()
  const done = (state: string, more: Record<string, unknown> = {}) => {
    if (state !== 'queued') countMessage(claimed.channel, state)
    return runtime.execute(settle, {
      actor: systemActor(tenant.id),
      tenant,
      locale: tenant.locale,
      input: { id, attempt: claimed.attempt, state, ...more },
    })
  }
  const isOver =
    claimed.ticket_status !== null &&
    !isTrue(claimed.kind, claimed.leg, { status: claimed.ticket_status, leg: claimed.ticket_leg! })
  if (claimed.is_late || isOver) return void (await done('expired', { error_code: isOver ? 'overtaken' : 'too_late' }))

  const outcome = await attempt(runtime, tenant, claimed, takenAt)
  if (outcome.state === 'sent')
    await done('sent', { provider: outcome.provider, provider_id: outcome.provider_id || undefined })
  else if (outcome.state === 'refused') await done('failed', { error_code: outcome.code })
  else if (outcome.state === 'unknown' && !canFind(claimed.channel))
    await done('failed', { error_code: 'unknown_outcome' })
  else {
    const retryAfterSeconds = outcome.state === 'busy' ? outcome.retry_after_seconds : undefined
    const wait = retryWaitMs(claimed.attempt, { ...BACKOFF, retryAfterSeconds })
    const { now } = await runtime.db.reader(tenant.id).one<{ now: string }>('select now() as now')
    const next = Temporal.Instant.from(now).add({ milliseconds: wait })
    const isTooLate =
      claimed.not_after !== null && Temporal.Instant.compare(next, Temporal.Instant.from(claimed.not_after)) > 0
    // A message whose time runs out while its provider is away goes to the next channel, if it has one.
    if (isTooLate) await done('failed', { error_code: 'provider_unavailable' })
    else await done('queued', { next_at: next.toString(), error_code: outcome.state })
  }
}

/** A message that somebody else is sending is looked at again when that one's lease has ended. */
async function waitForLease(tx: Tx, tenantId: number, id: number): Promise<void> {
  const row = await tx.maybe<{ run_at: string }>(
    `select claimed_at + make_interval(secs => ${LEASE_SECONDS + 1}) as run_at from messages where id = $1 and status = 'sending'`,
    [id],
  )
  if (row) await enqueueSend(tx, tenantId, id, row.run_at)
}

type Tried = Exclude<Outcome, { state: 'sent' }> | { state: 'sent'; provider: string; provider_id: string }

const canFind = (channel: MessageChannel) => channel !== 'push' && providerOf(channel)?.find !== undefined

async function attempt(runtime: Runtime, tenant: Tenant, claimed: Claimed, takenAt: number): Promise<Tried> {
  const { channel, address, subject, language, id, ticket_id, appointment_id } = claimed
  const link = claimed.body.includes(LINK_MARK)
    ? await secretLink(runtime, tenant, id, { ticket_id, appointment_id })
    : ''
  const body = claimed.body.replaceAll(LINK_MARK, link).trim()
  if (channel === 'push') return wake(runtime, tenant, ticket_id!, { title: subject, body, lang: language })
  const provider = providerOf(channel)
  const message: Outgoing = { tenant_id: tenant.id, id, channel, address, subject, body, since: claimed.since }
  const key = `message-${tenant.id}-${id}`
  if (!provider) {
    try {
      if (channel === 'email') await deliver(runtime.db, { to: address, subject, text: body, key })
      else await keep(runtime.db, { to: address, subject, text: body, key }, channel)
    } catch {
      return { state: 'busy' }
    }
    return { state: 'sent', provider: channel === 'email' ? 'smtp' : 'outbox', provider_id: '' }
  }
  const isUncertain = claimed.was_sending || claimed.error_code === 'unknown'
  if (isUncertain && !provider.find) return { state: 'unknown' }
  if (isUncertain) {
    const found = await provider.find!(message).then(
      (ids) => ids,
      () => undefined,
    )
    // The provider does not say: better late than twice.
    if (!found) return { state: 'unknown' }
    const own = await firstUnclaimed(runtime, tenant, id, provider.name, found)
    if (own !== undefined) return { state: 'sent', provider: provider.name, provider_id: own }
  }
  if (monotonicMs() - takenAt > STALL_MS) return { state: 'unknown' }
  const outcome = await provider.send(message)
  return outcome.state === 'sent' ? { ...outcome, provider: provider.name } : outcome
}

/**
 * Of what the provider has, the first that is no other message's: an equal text to the same number may have been sent
 * beside this one. Should two take the same at once, the second is refused by its key and asks again.
 */
async function firstUnclaimed(
  { db }: Runtime,
  tenant: Tenant,
  id: number,
  provider: string,
  found: readonly string[],
): Promise<string | undefined> {
  if (found.length === 0) return undefined
  const claimed = await db
    .reader(tenant.id)
    .query<{ provider_id: string }>(
      `select provider_id from messages where direction = 'out' and provider = $1 and provider_id = any($2) and id <> $3`,
      [provider, found, id],
    )
  return found.find((one) => claimed.every(({ provider_id }) => provider_id !== one))
}

interface Phone {
  endpoint: string
  p256dh: string
  auth: string
}
const PUSH_SECONDS = 300

/** Tells the phones that follow a ticket what the counter wrote on its page. Nobody minds where there is none. */
export async function wakeForPage(runtime: Runtime, tenant: Tenant, id: number): Promise<void> {
  const said = await runtime.db
    .reader(tenant.id)
    .maybe<{ ticket_id: number; language: Locale; body: string; number: string; site: string }>(
      `select m.ticket_id, m.language, m.body, t.number, s.name as site from messages m
       join tickets t on t.tenant_id = m.tenant_id and t.id = m.ticket_id and t.ended_at is null
       join sites s on s.tenant_id = m.tenant_id and s.id = m.site_id where m.id = $1 and m.not_after > now()`,
      [id],
    )
  if (!said) return
  const { ticket_id, site, number, body, language } = said
  await wake(runtime, tenant, ticket_id, { title: `${site}: ${ticketCode(number)}`, body, lang: language })
}

/** All phones that follow the ticket; one that is reached is enough. */
async function wake(runtime: Runtime, tenant: Tenant, ticketId: number, message: object): Promise<Tried> {
  const phones = await runtime.db
    .reader(tenant.id)
    .query<Phone>('select endpoint, p256dh, auth from push_subscriptions where ticket_id = $1', [ticketId])
  let woken = 0
  let failed = 0
  for (const phone of phones) {
    try {
      if (await push(phone, message, PUSH_SECONDS)) woken++
    } catch {
      failed++
    }
  }
  if (woken > 0) return { state: 'sent', provider: 'push', provider_id: '' }
  return failed > 0 ? { state: 'busy' } : { state: 'refused', code: 'no_subscription' }
}
