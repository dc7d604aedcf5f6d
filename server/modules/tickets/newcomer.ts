import { createHash } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { TicketStatus } from '../../../shared/ticket-status.ts'
import { AppError, conflict } from '../../kernel/errors.ts'
import { Location, metresBetween, parseLocation } from '../../kernel/geo.ts'
import { hashToken } from '../../kernel/ids.ts'
import type { Call, Context } from '../../kernel/operation.ts'
import { Closed, Id, Locale, Text } from '../../kernel/schema.ts'
import { identify, Person } from '../customers/index.ts'
import {
  rankOf,
  remembers,
  type Decision,
  type PublishedRule,
  type QueueConfig,
  type RankedTicket,
} from '../queues/index.ts'
import type { Issued, Newcomer, Series } from './issue.ts'
import { Channel, Fields, Labels, Note, Priority, type Ticket } from './schema.ts'
import { microseconds } from './time.ts'

export const TakeInput = Closed({
  queue_id: Id,
  channel: Channel,
  customer: Type.Optional(Person),
  customer_id: Type.Optional(Id),
  priority: Type.Optional(Priority),
  language: Type.Optional(Locale),
  fields: Type.Optional(Fields),
  needs: Type.Optional(Labels),
  labels: Type.Optional(Labels),
  note: Type.Optional(Note),
  /** The visitor's own device, not the kiosk: one live ticket each where the queue says so. */
  device_id: Type.Optional(Text(200, { minLength: 8 })),
  /** Where the person is, for sites that give numbers on the spot only. Compared and forgotten. */
  location: Type.Optional(Location),
})
export interface Taking extends Call<Static<typeof TakeInput>> {
  /** The booked time (RFC 3339), when the ticket is an appointment's. */
  appointment_at?: string
}

export const isStranger = ({ role }: Taking['actor']) => role === 'anonymous' || role === 'visitor'
const isScreen = ({ role }: Taking['actor']) => role === 'anonymous' || role === 'visitor' || role === 'kiosk'
/** The language a ticket is in, and rules look at: what was said, or else what a screen was read in. */
export const languageOf = ({ actor, input, locale }: Pick<Taking, 'actor' | 'input' | 'locale'>) =>
  input.language ?? input.customer?.locale ?? (isScreen(actor) ? locale : null)

/** Where the rules lead a newcomer, and what they make of it. */
export interface Route {
  config: QueueConfig
  priority: number
  required_skill: string | null
  applied: readonly PublishedRule[]
  notify: Decision['notify']
  refusal: AppError | undefined
}
/** Who may say what: strangers come by web or QR, in no class and as nobody we know. */
export function checkCaller({ actor, input }: Taking): void {
  const isUnknown = isStranger(actor)
  if (!isUnknown && actor.role !== 'kiosk') return
  const channels: readonly string[] = isUnknown ? ['web', 'qr'] : ['kiosk', 'qr']
  const isSaidByStaffOnly =
    !channels.includes(input.channel) ||
    input.customer_id !== undefined ||
    input.note !== undefined ||
    input.labels !== undefined ||
    (isUnknown && input.priority !== undefined && input.priority > 0)
  if (isSaidByStaffOnly) throw new AppError('forbidden', 'forbidden')
}

/** @throws AppError `location_required` or `not_on_site` for a stranger where numbers are given on the spot only */
export function checkPresence(
  { actor, input: { location } }: Taking,
  { latitude, longitude, presence_radius_metres: radius_metres }: QueueConfig,
): void {
  if (radius_metres === null || latitude === null || longitude === null || !isStranger(actor)) return
  if (location === undefined) throw conflict('location_required', { radius_metres })
  const distance = metresBetween(parseLocation(location), { latitude, longitude })
  if (distance > radius_metres)
    throw conflict('not_on_site', { distance_metres: Math.round(distance / 10) * 10, radius_metres })
}

/**
 * What a caller wants, with everything that follows from the queue and the caller filled in.
 * @param now of the database; needed for appointments and algorithms that compare with it
 */
export async function newcomer(
  ctx: Context,
  { actor, input, locale, appointment_at }: Taking,
  { config, priority, required_skill, applied }: Route,
  series: Series,
  token: string,
  now: string | null,
): Promise<Newcomer> {
  const isAtScreen = isScreen(actor)
  const customerId =
    input.customer_id ?? (input.customer ? await identify(ctx.tx, ctx.tenant, input.customer, !isAtScreen) : null)
  const ranked: RankedTicket = {
    priority,
    channel: input.channel,
    appointment_at: appointment_at === undefined ? null : microseconds(appointment_at),
    arrived_at: now === null ? 0 : microseconds(now),
  }
  return {
    series,
    channel: input.channel,
    priority,
    ranked,
    rank: remembers(config) ? null : rankOf(config, ranked),
    ranking: config,
    appointment_at: appointment_at ?? null,
    required_skill,
    rule_ids: applied.map(({ id }) => id),
    asked_priority: input.priority ?? 0,
    customer_id: customerId,
    device_key: config.one_ticket_per_device && input.device_id !== undefined ? deviceKey(input.device_id) : null,
    // A stranger who types a number must not learn whether it is in the queue: only the own device counts.
    sole_customer_id: config.one_ticket_per_device && !isStranger(actor) ? customerId : null,
    token_hash: hashToken(token).toString('hex'),
    language: languageOf({ actor, input, locale }),
    note: input.note ?? '',
    labels: input.labels ?? [],
    needs: input.needs ?? [],
    fields: input.fields ?? {},
  }
}

/** Recognises a device without remembering its id. */
const deviceKey = (deviceId: string) => createHash('sha256').update(deviceId).digest('base64url').slice(0, 22)

export const seriesOf = (config: QueueConfig): Series => ({
  queue_id: config.id,
  site_id: config.site_id,
  service_id: config.service_id,
  timezone: config.timezone,
  daily: config.number_reset === 'daily',
  prefix: config.number_prefix,
  first: config.number_first,
  last: config.number_last,
  capacity: config.max_capacity,
})

/** The ticket as its row is, without reading the row back. */
export const newTicket = ({ series, ...newcomer }: Newcomer, { id, number, rank, created_at }: Issued): Ticket => ({
  id,
  site_id: series.site_id,
  queue_id: series.queue_id,
  service_id: series.service_id,
  number,
  channel: newcomer.channel,
  priority: newcomer.priority,
  status: TicketStatus.waiting,
  rank,
  customer_id: newcomer.customer_id,
  agent_id: null,
  counter_id: null,
  counter_name: null,
  language: newcomer.language,
  labels: newcomer.labels,
  needs: newcomer.needs,
  note: newcomer.note,
  fields: newcomer.fields,
  outcome: null,
  call_count: 0,
  created_at,
  entered_at: created_at,
  called_at: null,
  started_at: null,
  held_at: null,
  ended_at: null,
  not_before: null,
  leg: 1,
  eta_seconds: null,
  eta_low_seconds: null,
  eta_high_seconds: null,
  position: null,
})
