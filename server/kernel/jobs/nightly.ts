import type { Tx } from '../db/types.ts'
import { eachTenant } from './each-tenant.ts'
import { enqueueJob } from './enqueue.ts'
import type { Job } from './job.ts'

/** Nights that are caught up with after an outage. */
const MOST_NIGHTS = 7

/**
 * The local day whose slot has come last at `now`: today's, or yesterday's while today's is still to come. A time that
 * the clock skips comes an hour later, one that it repeats the first time (as in RFC 5545), so each day has one slot.
 */
export function slotDay(now: Temporal.Instant, timezone: string, time: string): string {
  const today = now.toZonedDateTimeISO(timezone).toPlainDate()
  const slot = today.toPlainDateTime(Temporal.PlainTime.from(time)).toZonedDateTime(timezone).toInstant()
  return (Temporal.Instant.compare(slot, now) <= 0 ? today : today.subtract({ days: 1 })).toString()
}

/** Days to run: those after the last one that was run, or only the newest where none was. */
export function missedDays(newest: string, last: string | null): string[] {
  const day = Temporal.PlainDate.from(newest)
  const count = last === null ? 1 : Math.min(MOST_NIGHTS, day.since(last).days)
  return Array.from({ length: Math.max(0, count) }, (_, i) => day.subtract({ days: count - 1 - i }).toString())
}

const LAST = 'select max(day) as last from nightly_runs where task = $1'
/** Of several schedulers one notes the day; the others find it noted. */
const NOTE = 'insert into nightly_runs (task, day) values ($1, $2) on conflict do nothing returning day'
const FORGET = 'delete from nightly_runs where task = $1 and day < $2::date - 30'

/** Schedulers, and whoever moves the days of a sandbox, wait for one another. */
export const ONE_NIGHT = `select pg_advisory_xact_lock(hashtext('jobs.nightly'), app.tenant_id()::int)`

/** Adds a tenant's nightly jobs that are due at `now`, each local day's once. @returns `<task> <day>` of those added */
export async function addNightly(
  tx: Tx,
  tenant: { id: number; timezone: string },
  jobs: readonly Job[],
  now: Temporal.Instant,
): Promise<string[]> {
  const added: string[] = []
  await tx.query(ONE_NIGHT)
  for (const { name, nightly } of jobs) {
    if (nightly === undefined) continue
    const newest = slotDay(now, tenant.timezone, nightly)
    const { last } = await tx.one<{ last: string | null }>(LAST, [name])
    for (const day of missedDays(newest, last)) {
      if (!(await tx.maybe(NOTE, [name, day]))) continue
      await enqueueJob(tx, tenant.id, name, { day })
      added.push(`${name} ${day}`)
    }
    if (added.length > 0) await tx.query(FORGET, [name, newest])
  }
  return added
}

/** Looks every five minutes whose night has come. */
export const nightlyJob = (jobs: readonly Job[]): Job => ({
  name: 'jobs.nightly',
  schedule: '*/5 * * * *',
  async run({ runtime: { db }, tenants }) {
    const wanted = jobs.filter(({ nightly }) => nightly !== undefined)
    if (wanted.length === 0) return
    await eachTenant(await tenants(), (tenant) =>
      db.tenant(tenant.id, async (tx) => {
        const { now } = await tx.one<{ now: string }>('select now() as now')
        await addNightly(tx, tenant, wanted, Temporal.Instant.from(now))
      }),
    )
  },
})
