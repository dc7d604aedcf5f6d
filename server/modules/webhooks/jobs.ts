import { translate } from '../../kernel/i18n.ts'
import type { Job } from '../../kernel/jobs/index.ts'
import { deliver } from '../../kernel/mail/index.ts'
import type { Locale } from '../../kernel/schema.ts'
import { SEND_NOTICE } from './job-names.ts'

/** How long what was sent can be looked at. */
const KEPT_DAYS = 30
const BATCH = 5000

const ADMINS_OF = `
  select u.id, u.email, u.name, coalesce(u.locale, t.locale) as locale, t.name as tenant
  from memberships m join users u on u.id = m.user_id and u.is_active join tenants t on t.id = m.tenant_id
  where m.role = 'admin' and m.is_active and (m.site_ids is null or $1 = any(m.site_ids))`

/** Whoever looks after the organisation learns that somebody is told nothing any more, each in the own language. */
const sendNotice: Job = {
  name: SEND_NOTICE,
  async run({ runtime: { db } }, payload) {
    const { tenant_id, webhook_id } = payload as { tenant_id: number; webhook_id: number }
    const told = await db.tenant(tenant_id, async (tx) => {
      const webhook = await tx.maybe<{ url: string; site_id: number | null; reason: string; updated_at: string }>(
        'select url, site_id, disabled_reason as reason, updated_at from webhooks where id = $1 and not is_active',
        [webhook_id],
      )
      if (!webhook) return undefined
      const admins = await tx.query<{ id: number; email: string; name: string; locale: Locale; tenant: string }>(
        ADMINS_OF,
        [webhook.site_id],
      )
      return { webhook, admins }
    })
    for (const { id, email, name, locale, tenant } of told?.admins ?? []) {
      const { url, reason, updated_at } = told!.webhook
      // The rest of an address may be a secret of the receiver's.
      const values = { name, tenant, host: new URL(url).host }
      const key = reason === 'gone' ? 'mail.webhook_gone' : 'mail.webhook_failing'
      await deliver(db, {
        to: email,
        subject: translate(locale, `${key}.subject`, values),
        text: translate(locale, `${key}.text`, values),
        key: `webhook-${tenant_id}-${webhook_id}-${id}-${updated_at}`,
      })
    }
  },
}

const FORGET = `
  with gone as (
    delete from webhook_deliveries where (tenant_id, id) in (
      select tenant_id, id from webhook_deliveries where created_at < now() - make_interval(days => ${KEPT_DAYS})
      order by created_at limit ${BATCH}) returning 1)
  select count(*)::int as n from gone`

const retention: Job = {
  name: 'webhooks.retention',
  nightly: '04:11',
  async run({ runtime: { db } }, payload) {
    const tenantId = payload['tenant_id'] as number
    for (let n = BATCH; n === BATCH;) ({ n } = await db.tenant(tenantId, (tx) => tx.one<{ n: number }>(FORGET)))
  },
}

export const jobs: readonly Job[] = [sendNotice, retention]
