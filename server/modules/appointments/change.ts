import { conflict, notFound } from '../../kernel/errors.ts'
import type { Tx } from '../../kernel/db/types.ts'
import type { Context } from '../../kernel/operation.ts'
import { syncSoon } from './caldav/soon.ts'
import { tell } from './events.ts'
import { offerSoon } from './offer-soon.ts'
import { APPOINTMENT_COLUMNS, type Appointment, type AppointmentStatus } from './schema.ts'

/** Settings that decide what becomes of an appointment. */
export interface Policy {
  confirmation: 'none' | 'hold' | 'email'
  needs_approval: boolean
  max_no_shows: number | null
  max_per_customer: number | null
  hold_seconds: number
  offer_seconds: number
  early_seconds: number
  late_seconds: number
  late_rule: 'keep' | 'walk_in' | 'refuse'
  cancel_until_seconds: number
  arrival_metres: number | null
}

/** @throws AppError conflict `not_bookable` where the queue takes no appointments */
export async function policyOf(tx: Tx, queueId: number): Promise<Policy> {
  const policy = await tx.maybe<Policy>('select * from booking_settings where queue_id = $1', [queueId])
  if (!policy) throw conflict('not_bookable')
  return policy
}

/** The row, locked until the commit, with the database's clock. @throws AppError not_found */
export async function lockAppointment(tx: Tx, id: number): Promise<Appointment & { now: string }> {
  const row = await tx.maybe<Appointment & { now: string }>(
    `select ${APPOINTMENT_COLUMNS}, clock_timestamp() as now from appointments a where a.id = $1 for no key update of a`,
    [id],
  )
  if (!row) throw notFound()
  return row
}

/** @throws AppError conflict `appointment_over` unless the appointment is in one of these states, a hold not being over */
export function checkStatus(row: Appointment & { now: string }, allowed: readonly AppointmentStatus[]): void {
  const isOver = row.status === 'held' && row.hold_expires_at !== null && isBefore(row.hold_expires_at, row.now)
  if (isOver || !allowed.includes(row.status)) throw conflict(isOver ? 'hold_expired' : 'appointment_over')
}

/** Whether an instant is not after another. */
export const isBefore = (a: string, b: string) =>
  Temporal.Instant.compare(Temporal.Instant.from(a), Temporal.Instant.from(b)) <= 0

/** Columns that a change may set, with the type of each. */
const MUTABLE = {
  status: 'text',
  hold_expires_at: 'timestamptz',
  checked_in_at: 'timestamptz',
  ended_at: 'timestamptz',
  end_reason: 'text',
  ticket_id: 'bigint',
  start_at: 'timestamptz',
  end_at: 'timestamptz',
  busy_from: 'timestamptz',
  busy_until: 'timestamptz',
  day: 'date',
  counter_id: 'bigint',
  agent_id: 'bigint',
  customer_id: 'bigint',
  sequence: 'integer',
} as const
type Changes = { [column in keyof typeof MUTABLE]?: string | number | null }

/** Writes changes to a locked row and tells what happened. */
export async function change(
  ctx: Context,
  before: Appointment,
  what: Parameters<typeof tell>[1],
  changes: Changes,
  more?: Record<string, unknown>,
): Promise<Appointment> {
  const names = Object.keys(changes) as (keyof Changes)[]
  const row = await ctx.tx.one<Appointment>(
    `update appointments a set ${names.map((name, i) => `${name} = $${i + 2}::${MUTABLE[name]}`).join(', ')}, updated_at = now()
     where a.id = $1 returning ${APPOINTMENT_COLUMNS}`,
    [before.id, ...names.map((name) => changes[name])],
  )
  tell(ctx, what, row, before.status, more)
  await syncSoon(ctx, row, before)
  if (what === 'cancelled' || what === 'rescheduled') await offerSoon(ctx, row.site_id)
  return row
}
