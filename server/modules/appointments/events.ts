import type { Context } from '../../kernel/operation.ts'
import type { Appointment, AppointmentStatus } from './schema.ts'

/** What the log says of an appointment. It cannot forget, so neither notes nor codes are in it. */
const publicAppointment = (a: Appointment) => ({
  id: a.id,
  site_id: a.site_id,
  queue_id: a.queue_id,
  service_id: a.service_id,
  status: a.status,
  start_at: a.start_at,
  end_at: a.end_at,
  timezone: a.timezone,
  party_size: a.party_size,
  customer_id: a.customer_id,
  language: a.language,
  channel: a.channel,
  sequence: a.sequence,
})

/** Appends `appointment.<what>`. Only ids of people are told; listeners look the rest up while it exists. */
export function tell(
  ctx: Context,
  what: AppointmentStatus | 'rescheduled' | 'reminder_due',
  appointment: Appointment,
  from: AppointmentStatus | null,
  more: Record<string, unknown> = {},
): void {
  ctx.emit({
    type: `appointment.${what}`,
    site_id: appointment.site_id,
    queue_id: appointment.queue_id,
    data: { appointment: publicAppointment(appointment), from, to: appointment.status, by: ctx.actor.role, ...more },
  })
}
