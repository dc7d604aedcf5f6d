import Type from 'typebox'
import { STAFF, type Role } from '../../kernel/access.ts'
import { conflict, notFound } from '../../kernel/errors.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Id, Text, Time } from '../../kernel/schema.ts'
import { TakenTicket } from '../tickets/index.ts'
import { TAKEN_TWICE } from './book.ts'
import { openLink } from './links.ts'
import { Appointment, Reason } from './schema.ts'
import {
  cancelAppointment,
  checkInAppointment,
  confirmAppointment,
  markNoShow,
  rescheduleAppointment,
} from './verbs.ts'

const shared = { kind: 'mutation', scope: 'write:ticket', roles: STAFF } as const
export const CheckedIn = Closed({ appointment: Appointment, ticket: TakenTicket })

const confirm = operation({
  ...shared,
  id: 'appointments.confirm',
  summary: 'Approve or confirm an appointment',
  http: { method: 'POST', path: '/appointments/{id}/confirm/' },
  input: Closed({ id: Id }),
  output: Appointment,
  example: { input: { id: 1 } },
  run: (ctx, { id }) => confirmAppointment(ctx, id, 'staff'),
})

const reschedule = operation({
  ...shared,
  id: 'appointments.reschedule',
  summary: 'Move an appointment to another time',
  http: { method: 'POST', path: '/appointments/{id}/reschedule/' },
  input: Closed({ id: Id, start_at: Time }),
  output: Appointment,
  example: { input: { id: 1, start_at: '2026-12-02T08:30:00Z' } },
  constraints: TAKEN_TWICE,
  run: (ctx, { id, start_at }) => rescheduleAppointment(ctx, id, start_at, 'staff'),
})

const cancel = operation({
  ...shared,
  id: 'appointments.cancel',
  summary: 'Cancel an appointment',
  http: { method: 'POST', path: '/appointments/{id}/cancel/' },
  input: Closed({ id: Id, reason: Type.Optional(Reason) }),
  output: Appointment,
  example: { input: { id: 1 } },
  run: (ctx, { id, reason = '' }) => cancelAppointment(ctx, id, 'staff', reason),
})

const noShow = operation({
  ...shared,
  id: 'appointments.noShow',
  summary: 'Mark that the person did not come',
  http: { method: 'POST', path: '/appointments/{id}/no-show/' },
  input: Closed({ id: Id }),
  output: Appointment,
  example: { input: { id: 1 } },
  run: (ctx, { id }) => markNoShow(ctx, id),
})

const checkIn = operation({
  ...shared,
  id: 'appointments.checkIn',
  summary: 'Check a person in: the appointment becomes a ticket',
  description: '`too_early` before the window and, where the queue says so, `too_late` after it.',
  http: { method: 'POST', path: '/appointments/{id}/check-in/' },
  input: Closed({ id: Id }),
  output: CheckedIn,
  example: { input: { id: 1 } },
  run: (ctx, { id }) => checkInAppointment(ctx, id),
})

const ARRIVERS: readonly Role[] = [...STAFF, 'kiosk']
const arrive = operation({
  ...shared,
  id: 'appointments.arrive',
  roles: ARRIVERS,
  summary: 'Check in at a kiosk by code, QR code or digits of the telephone number',
  description:
    'Exactly one of `code`, `link` and `phone_digits`. The digits are the last four or more; `several_match` when two people of the day share them.',
  http: { method: 'POST', path: '/appointments/arrive/' },
  limit: 'pairing',
  input: Closed(
    {
      site_id: Id,
      code: Type.Optional(Type.String({ pattern: '^[0-9]{6}$' })),
      /** The secret of the visitor's link, as the QR code carries it. */
      link: Type.Optional(Text(100, { minLength: 20 })),
      phone_digits: Type.Optional(Type.String({ pattern: '^[0-9]{4,15}$' })),
    },
    { minProperties: 2, maxProperties: 2 },
  ),
  output: CheckedIn,
  example: { input: { site_id: 1, code: '042137' } },
  async run(ctx, { site_id, code, link, phone_digits }) {
    if (link !== undefined) return checkInAppointment(ctx, await atSite(ctx, site_id, (await openLink(ctx, link)).id))
    return checkInAppointment(ctx, await findArrival(ctx, site_id, code ?? null, phone_digits ?? null))
  },
})

async function atSite(ctx: Context, siteId: number, id: number): Promise<number> {
  const row = await ctx.tx.maybe('select from appointments a where a.id = $1 and a.site_id = $2', [id, siteId])
  if (!row) throw notFound()
  return id
}

/** Today's, where the site is. */
const ARRIVAL = `
  select a.id from appointments a
  join sites s on s.tenant_id = a.tenant_id and s.id = a.site_id
  left join customers c on c.tenant_id = a.tenant_id and c.id = a.customer_id
  where a.site_id = $1 and a.status in ('booked', 'checked_in') and a.day = (now() at time zone s.timezone)::date
    and ($2::text is null or a.code = $2) and ($3::text is null or c.phone like '%' || $3)
  order by (a.status = 'checked_in'), a.start_at limit 3`

async function findArrival(ctx: Context, siteId: number, code: string | null, digits: string | null): Promise<number> {
  const rows = await ctx.tx.query<{ id: number }>(ARRIVAL, [siteId, code, digits])
  if (rows.length === 0) throw notFound()
  if (rows.length > 1) throw conflict('several_match')
  return rows[0]!.id
}

export const staffOperations: readonly Operation[] = [confirm, reschedule, cancel, noShow, checkIn, arrive]
