import { systemActor } from '../../kernel/access.ts'
import { translate } from '../../kernel/i18n.ts'
import { eachTenant, type Job, type JobContext } from '../../kernel/jobs/index.ts'
import { deliver } from '../../kernel/mail/index.ts'
import type { Operation } from '../../kernel/operation.ts'
import type { Locale } from '../../kernel/schema.ts'
import { OFFER_PLACES, SEND_CONFIRMATION } from './job-names.ts'
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
  // What staff open, or the horizon brings nearer, has no job of its own.
  { name: 'appointments.offer_all', schedule: '* * * * *', run: forEveryTenant(offerPlaces) },
  { name: OFFER_PLACES, run: offerAtSite },
]
