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

/**
 * Writes the demo's last weeks, so that analytics has something to show from the first minute. A tenant that has a past
 * keeps its own.
 */
export async function writeDemoPast({ db, baseUrl, tenants, days = 56, signal }: DemoPastOptions): Promise<void> {
  for (const { id, ...login } of tenants) {
    const [clock] = await db.tenant(id, (tx) => tx.query<{ today: string; has_past: boolean }>(CLOCK, [id]))
    if (!clock || clock.has_past) continue
    const past = await planDemoPast({ ...login, baseUrl, ...(signal && { signal }) })
    const today = Temporal.PlainDate.from(clock.today)
    for (let back = days; back > 0 && !signal?.aborted; back--) {
      const day = today.subtract({ days: back })
      const visits = JSON.stringify(past.visitsOn(day))
      await db.tenant(id, (tx) => tx.query(WRITE, [day.toString(), visits]), 'reports')
    }
    if (!signal?.aborted) await past.addUp(today.subtract({ days }), today.subtract({ days: 1 }))
  }
}

const CLOCK = `
  select (now() at time zone timezone)::date::text as today,
    exists (select from tickets where created_at < now() - interval '2 days') as has_past
  from tenants where id = $1`

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
