import type { Database } from '../../server/kernel/db/index.ts'
import { planDemoPast } from '../../server/replay/index.ts'

export interface DemoPastOptions {
  db: Database
  baseUrl: string
  /** The demo's tenants, each with an administrator. */
  tenants: readonly { id: number; tenant: string; email: string; password: string }[]
  /** How many days back; default eight weeks: a period of analytics and the one before. */
  days?: number
  signal?: AbortSignal
}

/** Written and added up together; as many days in one go as `analytics.aggregate` takes. */
const WEEK = 7

/**
 * Writes the demo's last weeks, so that analytics has something to show from the first minute: the newest first, for all
 * tenants. What is there stays as it is; what was interrupted is continued.
 */
export async function writeDemoPast({ db, baseUrl, tenants, days = 56, signal }: DemoPastOptions): Promise<void> {
  const pasts = await Promise.all(
    tenants.map(async ({ id, ...login }) => {
      const reached = await db.tenant(id, (tx) => tx.one<Reached>(REACHED, [id]))
      const past = await planDemoPast({ ...login, baseUrl, ...(signal && { signal }) })
      return { ...reached, id, past, today: Temporal.PlainDate.from(reached.today) }
    }),
  )
  for (let back = 0; back < days; back += WEEK)
    for (const { id, past, today, oldest, added } of pasts) {
      const from = today.subtract({ days: Math.min(back + WEEK, days) })
      const to = today.subtract({ days: back + 1 })
      for (let day = to; day.until(from).days <= 0; day = day.subtract({ days: 1 })) {
        if (signal?.aborted) return
        if (day.toString() >= oldest) continue
        const visits = JSON.stringify(past.visitsOn(day))
        await db.tenant(id, (tx) => tx.query(WRITE, [day.toString(), visits]), 'reports')
      }
      if (from.toString() < added) await past.addUp(from, to)
    }
}

interface Reached {
  today: string
  /** The first days that have visits, and figures; no earlier than today where none has. */
  oldest: string
  added: string
}
const REACHED = `
  select today::text, least(today, (select min(day) from tickets))::text as oldest,
    least(today, (select min(date) from tenant_metrics where dimension = 'all' and total_customers > 0))::text as added
  from (select (now() at time zone timezone)::date as today from tenants where id = $1) t`

const WRITE = `
  with visits as (
    select v.*, q.site_id, q.service_id, q.number_prefix, $1::date as day,
      $1::date::timestamp at time zone s.timezone as midnight
    from jsonb_to_recordset($2::jsonb) as v(queue_id bigint, agent_id bigint, serial int, channel text, arrived int,
      called int, started int, ended int, status text, rating int)
    join queues q on q.id = v.queue_id join sites s on s.id = q.site_id),
  timed as (
    select v.*, midnight + make_interval(secs => arrived) as entered_at, midnight + make_interval(secs => called) as called_at,
      midnight + make_interval(secs => started) as started_at, midnight + make_interval(secs => ended) as ended_at
    from visits v),
  made as (
    insert into tickets (site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, status, rank, agent_id,
      entered_at, called_at, last_called_at, started_at, ended_at, created_at, rating, rated_at)
    select site_id, queue_id, service_id, day, queue_id, day, serial, number_prefix || lpad(serial::text, 3, '0'), channel, status,
      (extract(epoch from entered_at) * 1000000)::bigint + serial, agent_id, entered_at, called_at, called_at, started_at, ended_at,
      entered_at, rating, case when rating is not null then ended_at end
    from timed
    returning id, queue_id, agent_id, entered_at, called_at, started_at, ended_at, status)
  insert into ticket_legs (ticket_id, leg, queue_id, agent_id, entered_at, called_at, started_at, ended_at, ended_by)
  select id, 1, queue_id, agent_id, entered_at, called_at, started_at, ended_at, status from made`
