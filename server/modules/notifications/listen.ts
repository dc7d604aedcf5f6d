import type { Tx } from '../../kernel/db/types.ts'
import { readOn, type Hub } from '../../kernel/events/index.ts'
import type { Tenant } from '../../kernel/operation.ts'
import { withFigures } from '../tickets/index.ts'
import { languageOf, plan, type Wanted } from './plan.ts'
import { appointmentHoldersOf, holdersOf, isTrue, offerTimes, type Holder } from './recipient.ts'
import type { MessageChannel, MessageValues, RuleEvent } from './vocabulary.ts'

/** Events taken in by one transaction. */
const MAX_EVENTS = 500
/** How far into a line rules about minutes look. */
const LINE_LIMIT = 200
/** Whoever has just taken a number has just read where they stand. */
const NEWCOMER_SECONDS = 60

const OF_EVENT: Readonly<Record<string, RuleEvent>> = {
  'ticket.called': 'called',
  'ticket.no_show': 'missed',
  'ticket.transferred': 'transferred',
  'ticket.delayed': 'delayed',
  'ticket.completed': 'survey',
  'ticket.tomorrow_offered': 'tomorrow_offered',
}

const OF_APPOINTMENT: Readonly<Record<string, RuleEvent>> = {
  'appointment.booked': 'appointment_confirmed',
  'appointment.rescheduled': 'appointment_confirmed',
  'appointment.reminder_due': 'appointment_reminder',
  'appointment.cancelled': 'appointment_cancelled',
}

interface Rule {
  queue_id: number
  event: RuleEvent
  threshold: number
  channels: MessageChannel[]
  escalate_after_seconds: number | null
  valid_seconds: number
}
interface Logged {
  offset: number
  type: string
  at: string
  queue_id: number | null
  from_queue_id: number | null
  ticket_id: number | null
  appointment_id: number | null
  minutes_before: string | null
  /** Of an offer for another day. */
  day: string | null
  expires_at: string | null
}

const CURSOR = `
  select c.epoch, c."offset", c.at, s.epoch as stream_epoch, s.last_offset, clock_timestamp() as now
  from notification_cursors c join streams s on s.tenant_id = c.tenant_id and s.site_id = c.site_id
  where c.site_id = $1 for update of c skip locked`
export const EVENTS = `
  select "offset", type, at, queue_id, from_queue_id, ticket_id, (data #>> '{appointment,id}')::bigint as appointment_id,
    data ->> 'minutes_before' as minutes_before, data ->> 'day' as day, data ->> 'expires_at' as expires_at from events
  where site_id = $1 and "offset" > $2 and at >= $3 order by "offset" limit ${MAX_EVENTS}`
const RULES = `
  select r.queue_id, r.event, r.threshold, r.channels, r.escalate_after_seconds, r.valid_seconds
  from notification_rules r join queues q on q.tenant_id = r.tenant_id and q.id = r.queue_id
  where q.site_id = $1 and r.is_active order by r.id`

type Reader = { tx: Tx; tenant: Tenant; hub: Hub }

/**
 * Takes in what happened at a site since the last time. The place in the log moves in the transaction that writes the
 * messages, and only one worker holds it: a worker that dies has either done both or neither.
 * @returns whether there may be more
 */
export async function listen(reader: Reader, siteId: number): Promise<boolean> {
  const { tx, tenant } = reader
  const cursor = await tx.maybe<{
    epoch: string
    offset: number
    at: string | null
    stream_epoch: string
    last_offset: number
    now: string
  }>(CURSOR, [siteId])
  if (!cursor) return false
  const isAnotherLog = cursor.epoch !== cursor.stream_epoch
  // After a restore offsets no longer compare: what happened before is nobody's news.
  const events = isAnotherLog
    ? []
    : await readOn({ ...cursor, lastOffset: cursor.last_offset }, MAX_EVENTS, (since) =>
        tx.query<Logged>(EVENTS, [siteId, cursor.offset, since]),
      )
  const erased = events.filter(({ type }) => type === 'ticket.erased').map(({ ticket_id }) => ticket_id)
  if (erased.length > 0) await tx.query('delete from messages where ticket_id = any($1)', [erased])
  const rules = await tx.query<Rule>(RULES, [siteId])
  const wanted = await wantedBy(reader, rules, events, cursor.now)
  wanted.push(...(await wantedOfAppointments(reader, rules, events, cursor.now)))
  const queues = new Set(events.flatMap(({ queue_id, from_queue_id }) => [queue_id ?? 0, from_queue_id ?? 0]))
  wanted.push(
    ...(await wantedInLines(
      reader,
      rules.filter(({ queue_id }) => queues.has(queue_id)),
      cursor.now,
    )),
  )
  await plan(tx, tenant, cursor.now, wanted)
  const offset = isAnotherLog ? cursor.last_offset : (events.at(-1)?.offset ?? cursor.offset)
  const at = isAnotherLog ? cursor.now : (events.at(-1)?.at ?? cursor.at)
  await tx.query('update notification_cursors set epoch = $2, "offset" = $3, at = $4 where site_id = $1', [
    siteId,
    cursor.stream_epoch,
    offset,
    at,
  ])
  return events.length === MAX_EVENTS
}

/** The lines of a site as they stand: minutes pass without an event. */
export async function watch(reader: Reader, siteId: number): Promise<void> {
  const { now } = await reader.tx.one<{ now: string }>('select clock_timestamp() as now')
  const rules = await reader.tx.query<Rule>(RULES, [siteId])
  await plan(reader.tx, reader.tenant, now, await wantedInLines(reader, rules, now))
}

async function wantedBy(
  { tx, tenant }: Reader,
  rules: readonly Rule[],
  events: readonly Logged[],
  now: string,
): Promise<Wanted[]> {
  const told = events.filter(({ type, ticket_id }) => ticket_id !== null && OF_EVENT[type] !== undefined)
  const holders = new Map(
    (await holdersOf(tx, [...new Set(told.map(({ ticket_id }) => ticket_id!))])).map((one) => [one.id, one]),
  )
  return told.flatMap(({ offset, type, at, ticket_id, queue_id, day, expires_at }) => {
    const event = OF_EVENT[type]!
    const holder = holders.get(ticket_id!)
    const rule = rules.find((one) => one.event === event && one.queue_id === queue_id)
    if (!holder || !rule || !isTrue(event, holder.leg, holder)) return []
    const values = offerTimes(holder, day, expires_at, languageOf(holder, tenant))
    // A visit is rated once; a second request for time is told like the first.
    const occasion = event === 'survey' ? event : `${event}:${event === 'delayed' ? offset : holder.leg}`
    return wantedOf(rule, holder, at, occasion, now, values)
  })
}

async function wantedOfAppointments(
  { tx }: Reader,
  rules: readonly Rule[],
  events: readonly Logged[],
  now: string,
): Promise<Wanted[]> {
  const told = events.filter(
    ({ type, appointment_id }) => appointment_id !== null && OF_APPOINTMENT[type] !== undefined,
  )
  const ids = [...new Set(told.map(({ appointment_id }) => appointment_id!))]
  const holders = new Map((await appointmentHoldersOf(tx, ids)).map((one) => [one.id, one]))
  return told.flatMap(({ type, at, appointment_id, queue_id, minutes_before }) => {
    const event = OF_APPOINTMENT[type]!
    const holder = holders.get(appointment_id!)
    const rule = rules.find((one) => one.event === event && one.queue_id === queue_id)
    if (!holder || !rule || !isTrue(event, holder.leg, holder)) return []
    const [want] = wantedOf(rule, holder, at, `${event}:${holder.leg}:${minutes_before ?? ''}`, now)
    // A reminder after the appointment has begun reminds of nothing.
    const isSooner =
      Temporal.Instant.compare(Temporal.Instant.from(holder.start_at!), Temporal.Instant.from(want?.not_after ?? now)) <
      0
    return want ? [{ ...want, ...(isSooner && { not_after: holder.start_at! }) }] : []
  })
}

async function wantedInLines({ tx, tenant, hub }: Reader, rules: readonly Rule[], now: string): Promise<Wanted[]> {
  const wanted: Wanted[] = []
  const byQueue = Map.groupBy(
    rules.filter(({ threshold }) => threshold > 0),
    ({ queue_id }) => queue_id,
  )
  for (const [queueId, own] of byQueue) {
    const line = await tx.query<{ id: number }>(
      `select id from tickets where queue_id = $1 and status = 'en_attente' and created_at < now() - make_interval(secs => ${NEWCOMER_SECONDS})
       order by rank, id limit ${LINE_LIMIT}`,
      [queueId],
    )
    const holders = await holdersOf(
      tx,
      line.map(({ id }) => id),
    )
    for (const holder of await withFigures({ tx, tenant, hub }, holders)) {
      const { position, eta_seconds } = holder
      const minutes = eta_seconds === null ? Infinity : Math.ceil(eta_seconds / 60)
      for (const rule of own) {
        const measure = rule.event === 'minutes_left' ? minutes : (position ?? Infinity)
        if (measure > rule.threshold) continue
        const values = { position: position ?? 0, ...(minutes !== Infinity && { minutes }) }
        wanted.push(...wantedOf(rule, holder, now, `${rule.event}:${rule.threshold}:${holder.leg}`, now, values))
      }
    }
  }
  return wanted
}

function wantedOf(
  rule: Rule,
  holder: Holder,
  at: string,
  occasion: string,
  now: string,
  values: MessageValues = {},
): Wanted[] {
  const notAfter = Temporal.Instant.from(at).add({ seconds: rule.valid_seconds })
  if (Temporal.Instant.compare(notAfter, Temporal.Instant.from(now)) <= 0) return []
  const { event, escalate_after_seconds } = rule
  // A subscribed phone is woken by the call itself, in the call's own transaction.
  const channels = event === 'called' ? rule.channels.filter((channel) => channel !== 'push') : rule.channels
  return [{ holder, event, occasion, channels, escalate_after_seconds, not_after: notAfter.toString(), values }]
}
