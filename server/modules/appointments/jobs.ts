import { systemActor } from '../../kernel/access.ts'
import { translate } from '../../kernel/i18n.ts'
import { hashToken, newVisitorToken } from '../../kernel/ids.ts'
import { eachTenant, type Job, type JobContext } from '../../kernel/jobs/index.ts'
import { deliver } from '../../kernel/mail/index.ts'
import type { Operation } from '../../kernel/operation.ts'
import type { Locale } from '../../kernel/schema.ts'
import { CONFIRM_WAITER, OFFER_PLACES, SEND_CONFIRMATION } from './job-names.ts'
import { newLink } from './links.ts'
import { offerPlaces } from './offers.ts'
import { sendReminders, sweep } from './sweep.ts'

/** Runs a sweep for every tenant until it finds nothing more. */
const forEveryTenant =
  (op: Operation) =>
  async ({ runtime, tenants }: JobContext) =>
    eachTenant(await tenants(), async (tenant) => {
      const request = { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input: {} }
      while (((await runtime.execute(op, request)).output as { more: boolean }).more);
    })

const HELD = `
  select a.start_at, a.hold_expires_at, a.language, c.email, s.name as site, s.timezone, v.name as service
  from appointments a
  join customers c on c.tenant_id = a.tenant_id and c.id = a.customer_id
  join sites s on s.tenant_id = a.tenant_id and s.id = a.site_id
  join services v on v.tenant_id = a.tenant_id and v.id = a.service_id
  where a.id = $1 and a.status = 'held' and a.hold_expires_at > now() and c.email is not null`

/** The link that confirms is made when it is sent, so that no job holds a secret. A retry makes another; both work. */
async function sendConfirmation({ runtime: { db }, tenants }: JobContext, payload: Record<string, unknown>) {
  const tenant = (await tenants()).find(({ id }) => id === payload['tenant_id'])
  if (!tenant) return
  const id = payload['appointment_id'] as number
  const prepared = await db.tenant(tenant.id, async (tx) => {
    const held = await tx.maybe<{
      start_at: string
      hold_expires_at: string
      language: Locale | null
      email: string
      site: string
      timezone: string
      service: string
    }>(HELD, [id])
    return held && { ...held, token: await newLink(tx, tenant.id, id, 'confirm') }
  })
  // Confirmed by staff or over: nothing to say any more.
  if (!prepared) return
  const { start_at, hold_expires_at, language, email, site, timezone, service, token } = prepared
  const locale = language ?? tenant.locale
  const mail = payload['mail'] === 'place_offered' ? 'place_offered' : 'appointment_confirmation'
  const params = {
    site,
    service,
    time: localTime(start_at, timezone),
    until: localTime(hold_expires_at, timezone),
    zone: timezone,
    link: `${payload['base'] as string}/a/${token}`,
  }
  await deliver(db, {
    to: email,
    subject: translate(locale, `mail.${mail}.subject`, params, tenant.locale),
    text: translate(locale, `mail.${mail}.text`, params, tenant.locale),
  })
}

/** The request, with a new link to confirm it, which takes the place of the one before. */
const UNCONFIRMED = `
  update appointment_waiters w set confirm_hash = $2
  from customers c, sites s, queues q, services v
  where w.id = $1 and w.status = 'unconfirmed' and c.tenant_id = w.tenant_id and c.id = w.customer_id and c.email is not null
    and s.tenant_id = w.tenant_id and s.id = w.site_id and q.tenant_id = w.tenant_id and q.id = w.queue_id
    and v.tenant_id = w.tenant_id and v.id = q.service_id
  returning w.from_day, w.to_day, w.language, c.email, s.name as site, v.name as service`

/** The link goes to the address, and to nobody else: who made it up waits for nothing. */
async function confirmWaiter({ runtime: { db }, tenants }: JobContext, payload: Record<string, unknown>) {
  const tenant = (await tenants()).find(({ id }) => id === payload['tenant_id'])
  if (!tenant) return
  const token = newVisitorToken(tenant.id)
  const asked = await db.tenant(tenant.id, (tx) =>
    tx.maybe<{
      from_day: string
      to_day: string
      language: Locale | null
      email: string
      site: string
      service: string
    }>(UNCONFIRMED, [payload['waiter_id'], hashToken(token)]),
  )
  if (!asked) return
  const locale = asked.language ?? tenant.locale
  const params = {
    site: asked.site,
    service: asked.service,
    from: asked.from_day,
    to: asked.to_day,
    link: `${payload['base'] as string}/w/${token}`,
  }
  await deliver(db, {
    to: asked.email,
    subject: translate(locale, 'mail.waiting_list_confirmation.subject', params, tenant.locale),
    text: translate(locale, 'mail.waiting_list_confirmation.text', params, tenant.locale),
  })
}

async function offerAtSite({ runtime, tenants }: JobContext, { tenant_id, site_id }: Record<string, unknown>) {
  const tenant = (await tenants()).find(({ id }) => id === tenant_id)
  if (!tenant) return
  await runtime.execute(offerPlaces, {
    actor: systemActor(tenant.id),
    tenant,
    locale: tenant.locale,
    input: { site_id },
  })
}

/** `2026-12-01 09:30` on the site's clock. */
const localTime = (instant: string, timezone: string) =>
  Temporal.Instant.from(instant)
    .toZonedDateTimeISO(timezone)
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' })
    .replace('T', ' ')

export const jobs: readonly Job[] = [
  { name: 'appointments.sweep', schedule: '* * * * *', run: forEveryTenant(sweep) },
  { name: 'appointments.send_reminders', schedule: '*/5 * * * *', run: forEveryTenant(sendReminders) },
  { name: SEND_CONFIRMATION, run: sendConfirmation },
  { name: CONFIRM_WAITER, run: confirmWaiter },
  // What staff open, or the horizon brings nearer, has no job of its own.
  { name: 'appointments.offer_all', schedule: '* * * * *', run: forEveryTenant(offerPlaces) },
  { name: OFFER_PLACES, run: offerAtSite },
]
