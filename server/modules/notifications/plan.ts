import { ticketCode } from '../../../shared/format.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { enqueueJob } from '../../kernel/jobs/enqueue.ts'
import type { Tenant } from '../../kernel/operation.ts'
import type { Locale } from '../../kernel/schema.ts'
import { addressOf, appointmentHoldersOf, holdersOf, isTrue, timesOf, type Holder } from './recipient.ts'
import { afterQuietHours } from './rules/quiet.ts'
import { segmentsOf } from './templates/segments.ts'
import { ownTemplates, textOf, type Template } from './templates/text.ts'
import { LINK_MARK, type MessageChannel, type MessageEvent, type MessageValues } from './vocabulary.ts'

export const SEND = 'notifications.send'
/** Tells a phone that something stands on its ticket's page. */
export const WAKE = 'notifications.wake'
/** What may wait for the morning. */
const PATIENT: readonly string[] = ['survey', 'appointment_confirmed', 'appointment_reminder', 'appointment_cancelled']
/** Length of a ticket's address, for the count of segments. */
const LINK_SAMPLE_LENGTH = 64

/** Something to tell the holder of a ticket, on the first of the channels that reaches them. */
export interface Wanted {
  holder: Holder
  event: MessageEvent
  /** Tells apart what may be said again, e.g. a second call after a return. */
  occasion: string
  channels: readonly MessageChannel[]
  escalate_after_seconds: number | null
  /** RFC 3339; the database's clock, like every time here. */
  not_after: string
  values?: MessageValues
}

export const languageOf = (holder: Holder, tenant: Tenant): Locale => holder.language ?? holder.locale ?? tenant.locale

const INSERT = `
  insert into messages (direction, site_id, queue_id, ticket_id, leg, customer_id, kind, channel, language, address, subject,
    body, dedupe_key, status, next_at, not_after, other_channels, escalate_after_seconds, segments, details,
    appointment_id, cost_micros)
  select 'out', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'queued', $13, $14, $15, $16, $17::int, $18::jsonb, $19,
    (select p.price_micros * $17::int from message_prices p where p.channel = $7)
  where $14::timestamptz > now() and $14::timestamptz > $13::timestamptz
  on conflict (tenant_id, dedupe_key) do nothing returning id`

/**
 * Writes messages and their jobs in the caller's transaction: both exist or neither. What was written before under the
 * same key, and what would come too late, is left out. @returns ids of the new messages
 */
export async function plan(tx: Tx, tenant: Tenant, now: string, wanted: readonly Wanted[]): Promise<number[]> {
  if (wanted.length === 0) return []
  const templates = await ownTemplates(tx)
  const ids: number[] = []
  for (const want of wanted) {
    const id = await planOne(tx, tenant, now, templates, want)
    if (id !== undefined) ids.push(id)
  }
  return ids
}

async function planOne(tx: Tx, tenant: Tenant, now: string, templates: readonly Template[], want: Wanted) {
  const { holder, event, channels } = want
  const at = channels.findIndex((channel) => addressOf(holder, channel) !== undefined)
  if (at < 0) return undefined
  const channel = channels[at]!
  const language = languageOf(holder, tenant)
  // A page that is woken may be a stranger's who typed somebody's number: it is told nobody's name.
  const unnamed = channel === 'push' ? { name: '' } : {}
  const values = { ...valuesOf(holder, tenant, language), ...want.values, ...unnamed }
  const text = textOf(templates, event, channel, language, values)
  const { segments } = segmentsOf(channel, text.body.replaceAll(LINK_MARK, 'x'.repeat(LINK_SAMPLE_LENGTH)))
  const instant = Temporal.Instant.from(now)
  const next = PATIENT.includes(event) ? afterQuietHours(instant, holder.timezone, holder.starts, holder.ends) : instant
  const [row] = await tx.query<{ id: number }>(INSERT, [
    holder.site_id,
    holder.queue_id,
    holder.appointment_id === undefined ? holder.id : null,
    holder.leg,
    holder.customer_id,
    event,
    channel,
    language,
    addressOf(holder, channel),
    text.subject,
    text.body,
    `${subjectOf(holder)}:${want.occasion}:${channel}`,
    next.toString(),
    want.not_after,
    channels.slice(at + 1),
    want.escalate_after_seconds,
    segments,
    JSON.stringify(want.values ?? {}),
    holder.appointment_id ?? null,
  ])
  if (!row) return undefined
  await enqueueSend(tx, tenant.id, row.id, next.toString())
  return row.id
}

/** The next channel of a message that did not arrive, if it is still worth saying. */
export async function planNext(tx: Tx, tenant: Tenant, id: number): Promise<void> {
  const row = await tx.maybe<Escalating>(
    `select kind, ticket_id, appointment_id, leg, dedupe_key, channel, other_channels, escalate_after_seconds, not_after, details, clock_timestamp() as now
     from messages where id = $1 and other_channels <> '{}' and not_after > now() and dedupe_key is not null`,
    [id],
  )
  if (!row) return
  const [holder] = await (row.appointment_id === null
    ? holdersOf(tx, row.ticket_id === null ? [] : [row.ticket_id])
    : appointmentHoldersOf(tx, [row.appointment_id]))
  if (!holder || !isTrue(row.kind, row.leg, holder)) return
  const { kind, channel, other_channels, escalate_after_seconds, not_after, details, now } = row
  const occasion = row.dedupe_key.slice(`${subjectOf(holder)}:`.length, -`:${channel}`.length)
  await plan(tx, tenant, now, [
    { holder, event: kind, occasion, channels: other_channels, escalate_after_seconds, not_after, values: details },
  ])
}
interface Escalating {
  kind: MessageEvent
  ticket_id: number | null
  appointment_id: number | null
  leg: number | null
  dedupe_key: string
  channel: MessageChannel
  other_channels: MessageChannel[]
  escalate_after_seconds: number | null
  not_after: string
  details: MessageValues
  now: string
}

/** First part of a message's key: the ticket, or the appointment. */
const subjectOf = ({ id, appointment_id }: Holder) => (appointment_id === undefined ? `${id}` : `a${id}`)

/** The job of a message; a later time takes the place of the one before. */
export const enqueueSend = (tx: Tx, tenantId: number, id: number, runAt?: string): Promise<void> =>
  enqueueJob(
    tx,
    tenantId,
    SEND,
    { message_id: id },
    { job_key: `message:${tenantId}:${id}`, ...(runAt && { run_at: runAt }) },
  )

function valuesOf(holder: Holder, tenant: Tenant, language: Locale): MessageValues {
  return {
    tenant: tenant.name,
    site: holder.site,
    service: holder.service_names[language] ?? holder.service,
    queue: holder.queue,
    name: holder.name ?? '',
    number: ticketCode(holder.number),
    counter: holder.counter ?? 'none',
    minutes: Math.floor(holder.grace_seconds / 60),
    link: LINK_MARK,
    ...timesOf(holder, language),
  }
}
