import Type from 'typebox'
import { operation } from '../../kernel/operation.ts'
import { Closed } from '../../kernel/schema.ts'
import { tell } from './events.ts'
import { expireHolds, MOST } from './expire.ts'
import { APPOINTMENT_COLUMNS, type Appointment } from './schema.ts'

const Output = Closed({
  count: Type.Integer({ minimum: 0 }),
  /** More are left: call again. */
  more: Type.Boolean(),
})
const shared = {
  kind: 'mutation',
  scope: 'write:ticket',
  roles: ['system'],
  input: Closed({}),
  output: Output,
} as const

/** Whoever is just being checked in is left out: the next sweep finds them as they are then. */
const NO_SHOWS = `
  update appointments a set status = 'no_show', ended_at = now(), end_reason = 'timer', updated_at = now()
  where a.id in (
    select n.id from appointments n
    join booking_settings b on b.tenant_id = n.tenant_id and b.queue_id = n.queue_id
    where n.status = 'booked' and n.start_at <= now() and n.start_at + make_interval(secs => b.no_show_after_seconds) <= now()
    order by n.id limit ${MOST} for no key update of n skip locked)
  returning ${APPOINTMENT_COLUMNS}`

export const sweep = operation({
  ...shared,
  id: 'appointments.sweep',
  summary: 'End holds that nobody confirmed, and mark who did not come',
  http: { method: 'POST', path: '/appointments/sweep/' },
  example: { input: {} },
  async run(ctx) {
    const expired = await expireHolds(ctx, null)
    const absent = await ctx.tx.query<Appointment>(NO_SHOWS)
    for (const row of absent) tell(ctx, 'no_show', row, 'booked')
    return { count: expired + absent.length, more: expired === MOST || absent.length === MOST }
  },
})

/**
 * Rules that are due now and were not when the appointment was made or moved. Each is noted once, also those that a
 * later one of the same round makes needless: after an outage people hear one reminder, the nearest.
 */
const REMINDERS = `
  with due as (
    select a.id, a.start_at, r.minutes
    from appointments a
    join booking_settings b on b.tenant_id = a.tenant_id and b.queue_id = a.queue_id
    cross join lateral unnest(b.reminder_minutes) as r(minutes)
    where a.status = 'booked' and a.start_at > now() and a.start_at <= now() + interval '31 days'
      and a.start_at - make_interval(mins => r.minutes) <= now()
      and a.created_at < a.start_at - make_interval(mins => r.minutes)
      and not exists (select from appointment_reminders d
        where d.appointment_id = a.id and d.minutes = r.minutes and d.start_at = a.start_at)
    order by a.start_at, a.id limit ${MOST}),
  noted as (
    insert into appointment_reminders (appointment_id, minutes, start_at) select id, minutes, start_at from due
    on conflict do nothing returning appointment_id, minutes),
  nearest as (select appointment_id, min(minutes) as minutes, count(*) as noted from noted group by appointment_id)
  select ${APPOINTMENT_COLUMNS}, n.minutes, n.noted::int
  from nearest n join appointments a on a.id = n.appointment_id order by a.start_at, a.id`

export const sendReminders = operation({
  ...shared,
  id: 'appointments.sendReminders',
  summary: 'Tell which reminders are due, each once',
  description: 'Emits `appointment.reminder_due`; whoever listens sends.',
  http: { method: 'POST', path: '/appointments/send-reminders/' },
  example: { input: {} },
  async run(ctx) {
    const rows = await ctx.tx.query<Appointment & { minutes: number; noted: number }>(REMINDERS)
    for (const { minutes, noted: _, ...row } of rows)
      // A message that comes after the appointment would only confuse.
      tell(ctx, 'reminder_due', row, row.status, { minutes_before: minutes, not_after: row.start_at })
    return { count: rows.length, more: rows.reduce((sum, { noted }) => sum + noted, 0) === MOST }
  },
})
