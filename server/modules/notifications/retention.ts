import type { Tx } from '../../kernel/db/types.ts'
import type { Job } from '../../kernel/jobs/index.ts'

/** Rows of one statement: a busy organisation's month must not hold locks for long. */
const BATCH = 5000
/** What nobody sends opens tickets and accounts: it is for looking at, not for keeping. */
const OUTBOX_DAYS = 7

/** Whole days of the organisation's own clock, so that a night's run takes what a day left. */
const EXPIRED = `
  with gone as (
    delete from messages where (tenant_id, id) in (
      select m.tenant_id, m.id from messages m join tenants t on t.id = m.tenant_id
      where m.created_at < (date_trunc('day', now() at time zone t.timezone) - make_interval(days => least(t.message_retention_days, t.data_retention_days))) at time zone t.timezone
        and m.status not in ('queued', 'sending')
      order by m.created_at limit $1) returning 1)
  select count(*)::int as n from gone`

/** Forgets what was said longer ago than the organisation keeps messages, and at most as long as other data. @returns how many messages are gone */
export async function forgetMessages(tenant: (work: (tx: Tx) => Promise<{ n: number }[]>) => Promise<{ n: number }[]>) {
  let sum = 0
  for (;;) {
    const [{ n } = { n: 0 }] = await tenant((tx) => tx.query<{ n: number }>(EXPIRED, [BATCH]))
    sum += n
    if (n < BATCH) return sum
  }
}

/** Every hour, because midnight is at another hour in each zone. Words that mean stop are kept: they outlive a visit. */
export const retentionJob: Job = {
  name: 'notifications.retention',
  schedule: '37 * * * *',
  async run({ runtime: { db } }) {
    // Also of organisations that are suspended.
    const tenants = await db.platform((tx) => tx.query<{ id: number }>('select id from tenants order by id'))
    for (const { id } of tenants) await forgetMessages((work) => db.tenant(id, work))
    await db.platform((tx) =>
      tx.query(`delete from outbox_messages where created_at < now() - make_interval(days => ${OUTBOX_DAYS})`),
    )
  },
}
