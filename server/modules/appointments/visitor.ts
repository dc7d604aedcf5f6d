import Type, { type Static } from 'typebox'
import { ROLES } from '../../kernel/access.ts'
import { AppError } from '../../kernel/errors.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Text, Time } from '../../kernel/schema.ts'
import { Names } from '../sites/index.ts'
import { TAKEN_TWICE } from './book.ts'
import { policyOf } from './change.ts'
import { openLink, type LinkPurpose } from './links.ts'
import { checkPosition, Position } from './position.ts'
import { readAppointment } from './read.ts'
import { Appointment, Reason } from './schema.ts'
import { CheckedIn } from './staff.ts'
import { cancelAppointment, checkInAppointment, confirmAppointment, rescheduleAppointment } from './verbs.ts'

/** The secret of a link opens one appointment; who holds it acts as its visitor. Reading changes nothing. */
const Link = Text(100, { minLength: 20 })
const shared = { kind: 'mutation', scope: null, roles: ROLES } as const
const path = (verb = '') => ({ path: `/appointments/{link}/${verb && `${verb}/`}`, base: 'public' }) as const
const link = 'NobodyKnowsThisSecret0'

const {
  note: _note,
  counter_id: _counter,
  agent_id: _agent,
  customer_id: _customer,
  series_id: _series,
  ...shown
} = Appointment.properties
const Mine = Closed({
  ...shown,
  tenant_slug: Type.String(),
  tenant_name: Type.String(),
  site_slug: Type.String(),
  site_name: Type.String(),
  address: Type.String(),
  service_name: Type.String(),
  service_names: Names,
  /** This very link confirms what is held; otherwise the one that was sent by e-mail does. */
  can_confirm: Type.Boolean(),
  /** Until when it can be moved or cancelled by this link. */
  change_until: Time,
  /** Check-in is on time between these. */
  check_in_from: Time,
  check_in_until: Time,
  /** Checking in by this link takes a position near the site. */
  needs_position: Type.Boolean(),
})

const MINE = `
  select s.slug as site_slug, s.name as site_name, s.address, v.name as service_name, v.names as service_names,
    coalesce(a.status = 'held' and a.hold_expires_at > now() and (b.confirmation <> 'email' or $2), false) as can_confirm,
    a.start_at - make_interval(secs => coalesce(b.cancel_until_seconds, 0)) as change_until,
    a.start_at - make_interval(secs => coalesce(b.early_seconds, 0)) as check_in_from,
    a.start_at + make_interval(secs => coalesce(b.late_seconds, 0)) as check_in_until,
    b.arrival_metres is not null and s.latitude is not null and s.longitude is not null as needs_position
  from appointments a
  join sites s on s.tenant_id = a.tenant_id and s.id = a.site_id
  join services v on v.tenant_id = a.tenant_id and v.id = a.service_id
  left join booking_settings b on b.tenant_id = a.tenant_id and b.queue_id = a.queue_id
  where a.id = $1`

/** What the holder of the link is shown. */
async function mine(ctx: Context, row: Appointment, purpose: LinkPurpose): Promise<Static<typeof Mine>> {
  const { note, counter_id, agent_id, customer_id, series_id, ...own } = row
  const place = await ctx.tx.one<Omit<Static<typeof Mine>, keyof typeof shown | 'tenant_slug' | 'tenant_name'>>(MINE, [
    row.id,
    purpose === 'confirm',
  ])
  return { ...own, tenant_slug: ctx.tenant.slug, tenant_name: ctx.tenant.name, ...place }
}

const read = operation({
  ...shared,
  kind: 'query',
  id: 'appointments.mine',
  summary: 'My appointment, by its secret link',
  http: { method: 'GET', ...path() },
  input: Closed({ link: Link }),
  output: Mine,
  example: { input: { link } },
  async run(ctx, { link }) {
    const { id, purpose } = await openLink(ctx, link)
    return mine(ctx, await readAppointment(ctx, id), purpose)
  },
})

const confirm = operation({
  ...shared,
  id: 'appointments.confirmMine',
  summary: 'Confirm my held appointment',
  description: 'Where the queue asks for a confirmation by e-mail, only the link that was sent there confirms.',
  http: { method: 'POST', ...path('confirm') },
  input: Closed({ link: Link }),
  output: Mine,
  example: { input: { link } },
  async run(ctx, { link }) {
    const { id, purpose } = await openLink(ctx, link)
    const { queue_id } = await readAppointment(ctx, id)
    if (purpose !== 'confirm' && (await policyOf(ctx.tx, queue_id)).confirmation === 'email')
      throw new AppError('forbidden', 'confirm_by_email')
    return mine(ctx, await confirmAppointment(ctx, id, 'visitor'), purpose)
  },
})

const reschedule = operation({
  ...shared,
  id: 'appointments.rescheduleMine',
  summary: 'Move my appointment to another free slot',
  http: { method: 'POST', ...path('reschedule') },
  input: Closed({ link: Link, start_at: Time }),
  output: Mine,
  example: { input: { link, start_at: '2026-12-02T08:30:00Z' } },
  constraints: TAKEN_TWICE,
  async run(ctx, { link, start_at }) {
    const { id, purpose } = await openLink(ctx, link)
    return mine(ctx, await rescheduleAppointment(ctx, id, start_at, 'visitor'), purpose)
  },
})

const cancel = operation({
  ...shared,
  id: 'appointments.cancelMine',
  summary: 'Cancel my appointment',
  http: { method: 'POST', ...path('cancel') },
  input: Closed({ link: Link, reason: Type.Optional(Reason) }),
  output: Mine,
  example: { input: { link } },
  async run(ctx, { link, reason = '' }) {
    const { id, purpose } = await openLink(ctx, link)
    return mine(ctx, await cancelAppointment(ctx, id, 'visitor', reason), purpose)
  },
})

const checkIn = operation({
  ...shared,
  id: 'appointments.checkInMine',
  summary: 'Say that I have come: my appointment becomes a ticket',
  http: { method: 'POST', ...path('check-in') },
  description: '`position_required` and `too_far` where the queue wants its visitors near the site.',
  input: Closed({ link: Link, position: Type.Optional(Position) }),
  output: CheckedIn,
  example: { input: { link } },
  async run(ctx, { link, position }) {
    const { id } = await openLink(ctx, link)
    await checkPosition(ctx, await readAppointment(ctx, id), position)
    return checkInAppointment(ctx, id)
  },
})

export const visitorOperations: readonly Operation[] = [read, confirm, reschedule, cancel, checkIn]
