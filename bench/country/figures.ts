import type { Cluster } from '../cluster.ts'
import type { Verdict } from '../goals.ts'
import { startCpu } from '../measure/cpu.ts'
import { playDay } from './day.ts'
import type { Line } from './lines.ts'
import { serve } from './program.ts'
import { seedTowns } from './towns.ts'

const CONNECTIONS = 64

export interface Country {
  sites: number
  lines: readonly Line[]
  port: number
  secretKey: string
}

/** Plays the day at so many sites against a real server and compares what was told with what the tables say. */
export async function dayFigures(cluster: Cluster, { sites, lines, port, secretKey }: Country): Promise<Verdict[]> {
  const query = cluster.direct.query
  const desks = await seedTowns(cluster.direct, sites, lines)
  const program = await serve(cluster, 'api,realtime,worker', port, secretKey)
  try {
    const [cpu, before] = [startCpu(cluster.postmaster), program.cpuSeconds()]
    const report = await playDay(port, desks, CONNECTIONS, (done, of, requests) =>
      console.error(`${((100 * done) / of).toFixed(0)} % of the day, ${requests} requests`),
    )
    const { postgres, server: asking, busyCores } = cpu()
    const serving = program.cpuSeconds() - before
    for (const failure of report.failures.slice(0, 5)) console.error(failure)
    const times = lines.flatMap(({ steps }) => steps.map(({ at }) => at)).filter(Number.isFinite)
    const daySeconds = times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b))
    const [found] = await query<{ tickets: number; live: number; twice: number; holes: number; gaps: number }>(
      `select (select count(*) from tickets)::int as tickets,
         (select count(*) from tickets where ended_at is null)::int as live,
         (select count(*) from (select from events where type = 'ticket.called' group by tenant_id, ticket_id having count(*) > 1) again)::int as twice,
         (select coalesce(sum(s.last_offset - e.n), 0) from streams s
            cross join lateral (select count(*) as n from events where tenant_id = s.tenant_id and site_id = s.site_id) e
            where s.site_id > 0)::int as holes,
         (select coalesce(sum(last - n), 0) from (select max(serial) as last, count(*) as n from tickets group by tenant_id, queue_id) q)::int as gaps`,
    )
    const perTicket = (microseconds: number) => microseconds / 1000 / report.tickets
    return [
      { text: 'sites', measured: sites },
      { text: 'tickets of the day', measured: report.tickets },
      { text: 'requests', measured: report.requests },
      { text: 'seconds', measured: report.seconds },
      { text: 'times faster than the day', measured: daySeconds / report.seconds },
      { text: 'requests a second', measured: report.requests / report.seconds },
      { text: 'answer, p50 ms', measured: report.p50Ms },
      { text: 'answer, p99 ms', measured: report.p99Ms },
      { text: 'requests refused or failed', atMost: 0, measured: report.failures.length },
      { text: 'calls out of turn', atMost: 0, measured: report.outOfTurn },
      { text: 'tickets called twice', atMost: 0, measured: found!.twice },
      { text: 'tickets told of and not there', atMost: 0, measured: Math.abs(report.tickets - found!.tickets) },
      { text: 'tickets left without an end', atMost: 0, measured: found!.live },
      { text: 'holes in offsets', atMost: 0, measured: found!.holes },
      { text: 'gaps in numbers', atMost: 0, measured: found!.gaps },
      { text: 'CPU of the program, ms a ticket', measured: perTicket(serving * 1e6) },
      { text: 'CPU of PostgreSQL, ms a ticket', measured: perTicket(postgres) },
      { text: 'CPU of those who ask, ms a ticket', measured: perTicket(asking) },
      { text: 'cores busy', measured: busyCores },
      { text: 'memory of the program afterwards, MiB', atMost: 1024, measured: program.residentMiB() },
    ]
  } finally {
    await program.stop()
  }
}
