import { AppError, conflict } from '../../kernel/errors.ts'
import { systemActor } from '../../kernel/access.ts'
import type { Context } from '../../kernel/operation.ts'
import { rebookTicket, takeTickets, type TakenTicket } from '../tickets/index.ts'
import type { Static } from 'typebox'
import { settledStatus } from './book.ts'
import { change, checkStatus, isBefore, lockAppointment, policyOf } from './change.ts'
import { findPlace, lockSite } from './place.ts'
import type { Appointment } from './schema.ts'

/** Who acts on an appointment: its holder by a secret link, or staff. */
export type By = 'visitor' | 'staff'

const plus = (instant: string, seconds: number) => Temporal.Instant.from(instant).add({ seconds }).toString()

/** A hold becomes an appointment, and staff approve what is pending. Doing it twice is doing it once. */
export async function confirmAppointment(ctx: Context, id: number, by: By): Promise<Appointment> {
  const { now, ...row } = await lockAppointment(ctx.tx, id)
  if (row.status === 'booked' || (by === 'visitor' && row.status === 'pending')) return row
  checkStatus({ ...row, now }, by === 'staff' ? ['held', 'pending'] : ['held'])
  const status =
    by === 'staff' ? 'booked' : await settledStatus(ctx, row.customer_id, await policyOf(ctx.tx, row.queue_id))
  return change(ctx, row, status, { status, hold_expires_at: null })
}

export async function cancelAppointment(ctx: Context, id: number, by: By, reason: string): Promise<Appointment> {
  const { now, ...row } = await lockAppointment(ctx.tx, id)
  if (row.status === 'cancelled') return row
  checkStatus({ ...row, now }, ['held', 'pending', 'booked'])
  if (by === 'visitor') await checkInTime(ctx, { ...row, now })
  return change(ctx, row, 'cancelled', { status: 'cancelled', ended_at: now, end_reason: reason }, { cancelled_by: by })
}

const MOVABLE = ['held', 'pending', 'booked'] as const

/** Staff also move the appointment of somebody who has come and waits: the ticket's place follows. */
export async function rescheduleAppointment(ctx: Context, id: number, startAt: string, by: By): Promise<Appointment> {
  // The site before the appointment, as every booking locks them.
  const { site_id } = await ctx.tx.one<{ site_id: number }>('select site_id from appointments where id = $1', [id])
  await lockSite(ctx, site_id)
  const { now, ...row } = await lockAppointment(ctx.tx, id)
  checkStatus({ ...row, now }, by === 'staff' ? [...MOVABLE, 'checked_in'] : MOVABLE)
  if (by === 'visitor') await checkInTime(ctx, { ...row, now })
  const place = await findPlace(ctx, { ...row, start_at: startAt, isStranger: by === 'visitor', except_id: id })
  if (row.status === 'checked_in') await rebookTicket(ctx, row.ticket_id!, place.start_at)
  return change(ctx, row, 'rescheduled', { ...place, sequence: row.sequence + 1 }, { start_at_before: row.start_at })
}

/** @throws AppError conflict `too_late_to_change` */
async function checkInTime(ctx: Context, row: Appointment & { now: string }): Promise<void> {
  const { cancel_until_seconds } = await policyOf(ctx.tx, row.queue_id)
  if (isBefore(plus(row.start_at, -cancel_until_seconds), row.now)) throw conflict('too_late_to_change')
}

/**
 * The person has come: the appointment becomes a ticket, whose place the queue's algorithm gives by the booked time.
 * @throws AppError conflict `too_early` with the minutes until the window, `too_late` where the late are refused
 */
export async function checkInAppointment(
  ctx: Context,
  id: number,
): Promise<{ appointment: Appointment; ticket: Static<typeof TakenTicket> }> {
  const { now, ...row } = await lockAppointment(ctx.tx, id)
  if (row.status === 'checked_in') throw conflict('already_checked_in')
  checkStatus({ ...row, now }, ['booked'])
  const policy = await policyOf(ctx.tx, row.queue_id)
  const opens = plus(row.start_at, -policy.early_seconds)
  if (!isBefore(opens, now)) throw conflict('too_early', { minutes: minutesBetween(now, opens) })
  const isLate = !isBefore(now, plus(row.start_at, policy.late_seconds))
  if (isLate && policy.late_rule === 'refuse') throw conflict('too_late')
  const [ticket] = await takeTickets(ctx, [
    {
      input: {
        queue_id: row.queue_id,
        channel: 'appointment',
        ...(row.customer_id !== null && { customer_id: row.customer_id }),
        ...(row.language !== null && { language: row.language }),
      },
      // Whoever stands at the kiosk may not say these things; the booking has said them.
      actor: { ...systemActor(ctx.tenant.id), principal: ctx.actor.principal },
      locale: ctx.locale,
      ...(!(isLate && policy.late_rule === 'walk_in') && { appointment_at: row.start_at }),
    },
  ])
  if (ticket instanceof AppError) throw ticket
  const changes = { status: 'checked_in', checked_in_at: now, ticket_id: ticket!.id }
  const appointment = await change(ctx, row, 'checked_in', changes, { ticket_id: ticket!.id, is_late: isLate })
  return { appointment, ticket: ticket! }
}

const minutesBetween = (from: string, to: string) =>
  Math.ceil(Temporal.Instant.from(from).until(Temporal.Instant.from(to)).total('minutes'))

/** By hand, for who has not come; the sweep does the same by the clock. */
export async function markNoShow(ctx: Context, id: number): Promise<Appointment> {
  const { now, ...row } = await lockAppointment(ctx.tx, id)
  if (row.status === 'no_show') return row
  checkStatus({ ...row, now }, ['booked'])
  if (!isBefore(row.start_at, now)) throw conflict('too_early', { minutes: minutesBetween(now, row.start_at) })
  return change(ctx, row, 'no_show', { status: 'no_show', ended_at: now, end_reason: 'by_hand' })
}
