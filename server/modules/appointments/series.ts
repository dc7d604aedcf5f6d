import { RRuleTemporal } from 'rrule-temporal'
import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { AppError, conflict, invalid } from '../../kernel/errors.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Id, Locale, Text, Time } from '../../kernel/schema.ts'
import { bookPlace, TAKEN_TWICE } from './book.ts'
import { Appointment, PartySize, Reason } from './schema.ts'
import { cancelAppointment } from './verbs.ts'

/** A year of weeks; each occurrence is a place that is looked for and taken. */
const MOST = 53

/**
 * Starts of a series (RFC 5545 RRULE) on the site's clock: half past nine stays half past nine when the clock changes.
 * @throws AppError invalid_input at `/rule` for a rule that is none, has no occurrence, or more than 53
 */
export function occurrences(rule: string, startAt: string, timezone: string): string[] {
  const first = Temporal.Instant.from(startAt).toZonedDateTimeISO(timezone).toPlainDateTime()
  const dtstart = first.toString({ smallestUnit: 'second' }).replace(/[-:]/g, '')
  let starts: string[]
  try {
    const series = new RRuleTemporal({
      rruleString: `DTSTART;TZID=${timezone}:${dtstart}\nRRULE:${rule}`,
      strict: true,
    })
    starts = series
      .all((_, n) => n <= MOST)
      .map((each) => Temporal.Instant.fromEpochMilliseconds(each.epochMilliseconds).toString())
  } catch {
    throw invalid('/rule', 'format')
  }
  if (starts.length === 0 || starts.length > MOST) throw invalid('/rule', 'range')
  return starts
}

const create = operation({
  id: 'appointments.bookSeries',
  kind: 'mutation',
  summary: 'Book a series of appointments',
  description: `All or nothing, unless \`skip_taken\` leaves out the times that cannot be had and lists them. At most ${MOST} by a rule with COUNT or UNTIL.`,
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/appointments/series/', status: 201 },
  input: Closed({
    queue_id: Id,
    start_at: Time,
    /** RFC 5545, without DTSTART: `FREQ=WEEKLY;COUNT=10`. */
    rule: Type.String({ pattern: '^FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY);[A-Z0-9=;,+-]+$', maxLength: 200 }),
    skip_taken: Type.Optional(Type.Boolean({ default: false })),
    party_size: Type.Optional(PartySize),
    customer_id: Type.Optional(Id),
    language: Type.Optional(Locale),
    note: Type.Optional(Text(2000)),
  }),
  output: Closed({
    series_id: Id,
    appointments: Type.Array(Appointment),
    skipped: Type.Array(Closed({ start_at: Time, code: Type.String() })),
  }),
  example: { input: { queue_id: 1, start_at: '2026-12-01T08:30:00Z', rule: 'FREQ=WEEKLY;COUNT=4' } },
  constraints: TAKEN_TWICE,
  async run(ctx, { rule, skip_taken = false, ...wanted }) {
    const { timezone } = await ctx.tx.one<{ timezone: string }>(
      `select s.timezone from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id where q.id = $1`,
      [wanted.queue_id],
    )
    const appointments: Appointment[] = []
    const skipped: { start_at: string; code: string }[] = []
    for (const start_at of occurrences(rule, wanted.start_at, timezone)) {
      const made = await bookOne(ctx, { ...wanted, start_at }, skip_taken)
      if (made instanceof AppError) skipped.push({ start_at, code: made.code })
      else appointments.push(made)
    }
    // Everything was taken: there is no series to name.
    const [first] = appointments
    if (!first) throw conflict('slot_taken')
    await ctx.tx.query('update appointments set series_id = $1 where id = any($2)', [
      first.id,
      appointments.map(({ id }) => id),
    ])
    return {
      series_id: first.id,
      appointments: appointments.map((each) => ({ ...each, series_id: first.id })),
      skipped,
    }
  },
})

/** A refusal leaves nothing behind, so the next may be tried in the same transaction. */
async function bookOne(
  ctx: Context,
  booking: Omit<Parameters<typeof bookPlace>[1], 'customer_id' | 'language' | 'isStranger' | 'hasEmail'> & {
    customer_id?: number | undefined
    language?: Appointment['language'] | undefined
  },
  isSkipping: boolean,
): Promise<Appointment | AppError> {
  try {
    return await bookPlace(ctx, {
      ...booking,
      customer_id: booking.customer_id ?? null,
      language: booking.language ?? null,
      isStranger: false,
      hasEmail: false,
    })
  } catch (error) {
    const isTaken = error instanceof AppError && (error.code === 'slot_taken' || error.fields[0]?.path === '/start_at')
    if (isSkipping && isTaken) return error
    throw error
  }
}

const cancelRest = operation({
  id: 'appointments.cancelSeries',
  kind: 'mutation',
  summary: 'Cancel an appointment of a series and those that follow',
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/appointments/{id}/cancel-series/' },
  input: Closed({ id: Id, reason: Type.Optional(Reason) }),
  output: Closed({ cancelled: Type.Integer() }),
  example: { input: { id: 1 } },
  async run(ctx, { id, reason = '' }) {
    await ctx.tx.one('select from appointments where id = $1', [id])
    const rows = await ctx.tx.query<{ id: number }>(
      `select a.id from appointments f
       join appointments a on a.tenant_id = f.tenant_id and (a.id = f.id or (a.series_id = f.series_id and a.start_at >= f.start_at))
       where f.id = $1 and a.status in ('pending', 'booked') order by a.id`,
      [id],
    )
    for (const row of rows) await cancelAppointment(ctx, row.id, 'staff', reason)
    return { cancelled: rows.length }
  },
})

export const seriesOperations: readonly Operation[] = [create, cancelRest]
