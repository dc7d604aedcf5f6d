import { eachTenant, type Job, type JobContext } from '../../../kernel/jobs/index.ts'
import { enqueueJob } from '../../../kernel/jobs/enqueue.ts'
import { unseal } from '../../authentication/index.ts'
import { SYNC_CALENDAR } from '../job-names.ts'
import { calendarAt, CalendarError } from './dav.ts'
import { pull } from './pull.ts'
import { push } from './push.ts'
import { syncKey } from './soon.ts'
import { claimLink, inLink, noteDone, noteFailed, release, type Sync } from './store.ts'

/** Whoever finds the calendar in other hands comes again so much later. */
const WAIT_SECONDS = 15

/**
 * Makes a calendar and the appointments alike: first what was done there is taken in, then what is to be told is told. What is
 * to be done follows from the two states, so nothing is lost by a failure, and twice is once.
 */
async function syncCalendar({ runtime, tenants, lease }: JobContext, payload: Record<string, unknown>): Promise<void> {
  const tenant = (await tenants()).find(({ id }) => id === payload['tenant_id'])
  if (!tenant) return
  const linkId = payload['link_id'] as number
  const again = { job_key: syncKey(tenant.id, linkId) }
  const link = await runtime.db.tenant(tenant.id, async (tx) => {
    const claimed = await claimLink(tx, linkId)
    const waits =
      claimed ??
      (await tx.maybe<{ run_at: string }>(
        `select now() + make_interval(secs => ${WAIT_SECONDS}) as run_at from calendar_links where id = $1`,
        [linkId],
      ))
    if (waits && 'run_at' in waits)
      await enqueueJob(tx, tenant.id, SYNC_CALENDAR, { link_id: linkId }, { ...again, run_at: waits.run_at })
    return claimed
  })
  if (!link) return
  const { url, username } = link
  const account = { url, username, password: unseal('calendar', link.password) }
  const sync: Sync = { runtime, tenant, link, calendar: calendarAt(account, runtime.url('/').startsWith('http:')) }
  try {
    const token = await pull(sync)
    const isMore = await push(sync)
    await inLink(sync, async (tx) => {
      await noteDone(tx, link, token, link.is_full_due || token === null)
      if (isMore) await enqueueJob(tx, tenant.id, SYNC_CALENDAR, { link_id: linkId }, again)
      await lease?.settle(tx)
    })
  } catch (error) {
    // Of what is no calendar's fault the job itself is tried again.
    const isTheirs = error instanceof CalendarError
    await inLink(sync, (tx) => (isTheirs ? noteFailed(tx, link, error.code) : release(tx, link)))
    if (!isTheirs) throw error
  }
}

const DUE = `
  select id from calendar_links where next_at <= now() and (claimed_until is null or claimed_until < now()) order by next_at`

const syncAll = async ({ runtime, tenants }: JobContext) =>
  eachTenant(await tenants(), async ({ id: tenantId }) => {
    const due = await runtime.db.reader(tenantId).query<{ id: number }>(DUE)
    if (due.length === 0) return
    await runtime.db.tenant(tenantId, async (tx) => {
      for (const { id } of due)
        await enqueueJob(tx, tenantId, SYNC_CALENDAR, { link_id: id }, { job_key: syncKey(tenantId, id) })
    })
  })

export const calendarJobs: readonly Job[] = [
  { name: SYNC_CALENDAR, run: syncCalendar },
  { name: 'appointments.sync_calendars', schedule: '* * * * *', run: syncAll },
]
