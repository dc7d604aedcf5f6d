import Type, { type Static } from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { AppError, conflict, invalid, notFound } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id, Locale, Text, Time } from '../../kernel/schema.ts'
import { identify, identifyByMail, Person } from '../customers/index.ts'
import { syncSoon } from './caldav/soon.ts'
import { policyOf, type Policy } from './change.ts'
import { tell } from './events.ts'
import { SEND_CONFIRMATION } from './job-names.ts'
import { newLink } from './links.ts'
import { findPlace, freeCode, lockSite, type Place } from './place.ts'
import { Appointment, APPOINTMENT_COLUMNS, PartySize, type AppointmentStatus } from './schema.ts'

const BookInput = Closed({
  queue_id: Id,
  start_at: Time,
  party_size: Type.Optional(PartySize),
  customer: Type.Optional(Person),
  customer_id: Type.Optional(Id),
  language: Type.Optional(Locale),
  note: Type.Optional(Text(2000)),
})
const Booked = Closed({
  ...Appointment.properties,
  /** Opens the visitor's own appointment; shown once. */
  public_token: Type.String(),
  url: Type.String(),
})

/** Two resources that are taken at once by other ways than the site's lock end here. */
export const TAKEN_TWICE = {
  appointments_counter_once: () => conflict('slot_taken'),
  appointments_agent_once: () => conflict('slot_taken'),
  appointments_tenant_id_customer_id_fkey: notFound,
}

export const book = operation({
  id: 'appointments.book',
  kind: 'mutation',
  summary: 'Book an appointment',
  description:
    'Strangers book slots that `GET …/slots/` shows; staff any time while the doors are open. `slot_taken` when the last place has gone. Where the queue asks for a confirmation the answer is `held` until `hold_expires_at`; where staff approve, `pending`.',
  scope: 'write:ticket',
  roles: [...STAFF, 'visitor', 'anonymous'],
  http: {
    method: 'POST',
    path: '/appointments/',
    status: 201,
    aliases: [{ path: '/api/v1/public/{tenant}/appointments/' }],
  },
  mayAskForWork: true,
  input: BookInput,
  output: Booked,
  example: { input: { queue_id: 1, start_at: '2026-12-01T08:30:00Z', customer: { name: 'Samira Haddad' } } },
  constraints: TAKEN_TWICE,
  async run(ctx, input) {
    const isStranger = ctx.actor.role === 'anonymous' || ctx.actor.role === 'visitor'
    if (isStranger && input.customer_id !== undefined) throw new AppError('forbidden', 'forbidden')
    const customerId =
      input.customer_id ?? (input.customer ? await personOf(ctx, input.queue_id, input.customer, isStranger) : null)
    const row = await bookPlace(ctx, {
      ...input,
      customer_id: customerId,
      isStranger,
      language: input.language ?? input.customer?.locale ?? (isStranger ? ctx.locale : null),
      hasEmail: input.customer?.email !== undefined,
    })
    const token = await newLink(ctx.tx, ctx.tenant.id, row.id, 'manage')
    // A stranger is not told whether we know whom they name.
    return { ...row, ...(isStranger && { customer_id: null }), public_token: token, url: ctx.url(`/a/${token}`) }
  },
})

async function personOf(ctx: Context, queueId: number, person: Static<typeof Person>, isStranger: boolean) {
  const isMailed =
    isStranger &&
    person.email !== undefined &&
    (await ctx.tx.maybe(`select from booking_settings where queue_id = $1 and confirmation = 'email'`, [queueId]))
  return isMailed ? identifyByMail(ctx.tx, ctx.tenant, person) : identify(ctx.tx, ctx.tenant, person, !isStranger)
}

interface Booking extends Omit<Static<typeof BookInput>, 'customer' | 'customer_id' | 'language'> {
  customer_id: number | null
  language: Appointment['language']
  isStranger: boolean
  /** The person said where a link can be sent. */
  hasEmail: boolean
}

const INSERT = `
  insert into appointments as a (site_id, queue_id, service_id, status, start_at, end_at, busy_from, busy_until, day,
    party_size, counter_id, agent_id, customer_id, language, channel, note, code, hold_expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    now() + make_interval(secs => $18::int))
  returning ${APPOINTMENT_COLUMNS}`

/** Takes a place and writes the appointment; see `book`. */
export async function bookPlace(ctx: Context, booking: Booking): Promise<Appointment> {
  const queue = await ctx.tx.one<{ site_id: number; service_id: number; timezone: string }>(
    `select q.site_id, q.service_id, s.timezone from queues q
     join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id where q.id = $1`,
    [booking.queue_id],
  )
  const policy = await policyOf(ctx.tx, booking.queue_id)
  const { isStranger, party_size = 1, customer_id } = booking
  if (isStranger && policy.confirmation === 'email' && !booking.hasEmail) throw invalid('/customer/email', 'required')
  await lockSite(ctx, queue.site_id)
  if (isStranger && customer_id !== null) await checkMost(ctx, customer_id, policy)
  const place = await findPlace(ctx, { ...queue, ...booking, party_size })
  const isHeld = isStranger && policy.confirmation !== 'none'
  const status = isHeld ? 'held' : isStranger ? await settledStatus(ctx, customer_id, policy) : 'booked'
  const row = await writeAppointment(ctx, queue, place, {
    queue_id: booking.queue_id,
    status,
    party_size,
    customer_id,
    language: booking.language,
    channel: isStranger ? 'web' : ctx.actor.role === 'api_key' ? 'api' : 'reception',
    note: booking.note ?? '',
    hold_seconds: isHeld ? policy.hold_seconds : null,
  })
  if (isHeld && policy.confirmation === 'email')
    await ctx.enqueue(SEND_CONFIRMATION, { appointment_id: row.id, base: ctx.url('') })
  return row
}

interface Written {
  queue_id: number
  status: AppointmentStatus
  party_size: number
  customer_id: number | null
  language: Appointment['language']
  channel: 'web' | 'reception' | 'api'
  note: string
  /** Null for what is not held. */
  hold_seconds: number | null
}

/** Writes an appointment at a place that was found, and tells it. */
export async function writeAppointment(
  ctx: Context,
  queue: { site_id: number; service_id: number },
  place: Place,
  written: Written,
): Promise<Appointment> {
  const row = await ctx.tx.one<Appointment>(INSERT, [
    queue.site_id,
    written.queue_id,
    queue.service_id,
    written.status,
    place.start_at,
    place.end_at,
    place.busy_from,
    place.busy_until,
    place.day,
    written.party_size,
    place.counter_id,
    place.agent_id,
    written.customer_id,
    written.language,
    written.channel,
    written.note,
    await freeCode(ctx, queue.site_id),
    written.hold_seconds,
  ])
  tell(ctx, written.status, row, null)
  await syncSoon(ctx, row)
  return row
}

/** A person's future appointments. The site's row is locked, but the person may book elsewhere: their row is too. */
async function checkMost(ctx: Context, customerId: number, { max_per_customer }: Policy): Promise<void> {
  if (max_per_customer === null) return
  await ctx.tx.query('select from customers where id = $1 for no key update', [customerId])
  const { count } = await ctx.tx.one<{ count: number }>(
    `select count(*)::int as count from appointments a
     where a.customer_id = $1 and a.status in ('held', 'pending', 'booked') and a.start_at > now()
       and (a.status <> 'held' or a.hold_expires_at > now())`,
    [customerId],
  )
  if (count >= max_per_customer) throw conflict('too_many_appointments', { count: max_per_customer })
}

/** Where a stranger's booking goes once nothing more is to be confirmed. */
export async function settledStatus(
  ctx: Context,
  customerId: number | null,
  { needs_approval, max_no_shows }: Policy,
): Promise<AppointmentStatus & ('pending' | 'booked')> {
  if (needs_approval) return 'pending'
  if (max_no_shows === null || customerId === null) return 'booked'
  const { count } = await ctx.tx.one<{ count: number }>(
    `select count(*)::int as count from appointments a
     where a.customer_id = $1 and a.status = 'no_show' and a.start_at > now() - interval '1 year'`,
    [customerId],
  )
  return count >= max_no_shows ? 'pending' : 'booked'
}
