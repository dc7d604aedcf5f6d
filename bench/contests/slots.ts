import type { Bench } from '../bench.ts'
import type { Verdict } from '../goals.ts'
import { startCpu } from '../measure/cpu.ts'
import { median } from '../measure/stats.ts'
import { TIMEZONE } from '../world.ts'

/** A large office: every service by appointment, half of the month taken. */
const SERVICES = 50
const COUNTERS = 20
const APPOINTMENTS = 6000
const DAYS = 31
const QUESTIONS_A_REPETITION = 20

const OFFICE = `
  with s as (
    insert into sites (tenant_id, name, slug, timezone, opening_hours) values ($1, 'Office', 'office', '${TIMEZONE}', $2) returning id),
  t as (insert into streams (tenant_id, site_id) select $1, id from s),
  c as (insert into counters (tenant_id, site_id, name) select $1, s.id, 'Counter ' || n from s, generate_series(1, ${COUNTERS}) n),
  v as (
    insert into services (tenant_id, name, code) select $1, 'By appointment ' || n, 'R' || n from generate_series(1, ${SERVICES}) n
    returning id),
  q as (insert into queues (tenant_id, site_id, service_id, name) select $1, s.id, v.id, 'Queue ' || v.id from s, v returning id),
  b as (
    insert into booking_settings (tenant_id, queue_id, duration_seconds, resource, capacity)
    select $1, id, case id % 3 when 0 then 900 when 1 then 1200 else 1800 end, case id % 2 when 0 then 'counters' else 'none' end, 2 from q)
  select (select id from s) as site`
const TAKEN = `
  insert into appointments (tenant_id, site_id, queue_id, service_id, status, start_at, end_at, busy_from, busy_until, day, code, channel)
  select $1, $2, q.id, q.service_id, 'booked', at, at + interval '15 minutes', at, at + interval '15 minutes', at::date, lpad(n::text, 6, '0'), 'web'
  from generate_series(1, ${APPOINTMENTS}) n
  join lateral (select id, service_id from queues where tenant_id = $1 and site_id = $2 order by id offset n % ${SERVICES} limit 1) q on true
  cross join lateral (
    select date_trunc('day', now(), '${TIMEZONE}') + (1 + n % ${DAYS}) * interval '1 day' + interval '8 hours'
      + (n / ${DAYS} % 36) * interval '15 minutes' as at) w`
const DAY = [
  ['08:30', '12:00'],
  ['13:30', '18:00'],
]

/** What a month of an office's slots costs, all services in one answer; in CPU time too, which others do not change. */
export async function slots(bench: Bench): Promise<Verdict[]> {
  const { server, cluster, world, effort, log } = bench
  const { direct } = cluster
  const hours = { weekly: Object.fromEntries([1, 2, 3, 4, 5].map((day) => [day, DAY])) }
  const [office] = await direct.query<{ site: number }>(OFFICE, [world.tenantId, JSON.stringify(hours)])
  await direct.query(TAKEN, [world.tenantId, office!.site])
  await direct.query('vacuum analyze appointments, booking_settings, queues, services, counters')
  const [clock] = await direct.query<{ from: string; to: string }>(
    `select (now() + interval '1 day')::date as from, (now() + interval '${DAYS} days')::date as to`,
  )
  const op = server.operation('appointments.slots')
  const ask = () => server.execute(op, { site: office!.site, ...clock! })
  const { body } = await ask()
  const { services } = JSON.parse(String(body)) as { services: { days: { slots: unknown[] }[] }[] }
  const free = services.flatMap(({ days }) => days.flatMap((day) => day.slots)).length
  log(`slots: ${services.length} services, ${free} free slots, ${String(body).length >> 10} KiB`)
  const questions = effort.repetitions * QUESTIONS_A_REPETITION
  const times: number[] = []
  const cpu = startCpu(cluster.postmaster)
  for (let n = 0; n < questions; n++) {
    const from = performance.now()
    await ask()
    times.push(performance.now() - from)
  }
  const used = cpu()
  const millis = (microseconds: number) => microseconds / questions / 1000
  log(`slots: Node ${millis(used.server).toFixed(0)} ms, PostgreSQL ${millis(used.postgres).toFixed(0)} ms of CPU`)
  const what = `a month of slots of ${SERVICES} services, ${APPOINTMENTS} appointments`
  return [
    { text: `${what}: CPU milliseconds`, atMost: 100, measured: millis(used.server + used.postgres) },
    { text: `${what}: milliseconds, median`, atMost: 100, measured: median(times) },
  ]
}
