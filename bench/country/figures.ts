import type { Cluster } from '../cluster.ts'
import type { Verdict } from '../goals.ts'
import { startCpu } from '../measure/cpu.ts'
import { costOf, stockOf, type Stock } from './cost.ts'
import { playDay } from './day.ts'
import type { Line } from './lines.ts'
import { serve } from './program.ts'
import { compareBoards, differingFigures, differingTickets, type BoardReport } from './read-models.ts'
import { seedTowns } from './towns.ts'

const CONNECTIONS = 64

export interface Country {
  sites: number
  lines: readonly Line[]
  /** Of a whole day's tickets, those of its busiest hour. */
  share: number
  linesPerSite: number
  port: number
  secretKey: string
}

/** Plays the day at so many sites against a real server and compares what was told with what the tables say. */
export async function dayFigures(
  cluster: Cluster,
  { sites, lines, share, linesPerSite, port, secretKey }: Country,
): Promise<Verdict[]> {
  const query = cluster.direct.query
  const since = performance.now()
  const progress = (line: string) =>
    console.error(`${((performance.now() - since) / 1000).toFixed(0).padStart(4)} s  ${line}`)
  progress(`making ${sites} sites`)
  const desks = await seedTowns(cluster.direct, sites, lines, linesPerSite)
  progress(
    `starting a server for ${desks.length} queues of ${new Set(desks.map(({ tenantId }) => tenantId)).size} organisations`,
  )
  const program = await serve(cluster, 'api,realtime,worker', port, secretKey)
  try {
    progress(`ready after ${(program.readyMs / 1000).toFixed(1)} s`)
    const stock = await stockOf(query)
    const [cpu, before] = [startCpu(cluster.postmaster), program.cpuSeconds()]
    let boards: BoardReport | undefined
    let wrongFigures = 0
    let atEnd: { used: ReturnType<typeof cpu>; serving: number; left: Stock } | undefined
    const report = await playDay(desks, {
      port,
      connections: CONNECTIONS,
      progress,
      async atHalf(ask) {
        boards = await compareBoards(query, desks, ask)
        progress(`half-time: ${boards.people} people in lines, ${boards.differing} boards differ from the tables`)
      },
      async atEnd(ask, told) {
        atEnd = { used: cpu(), serving: program.cpuSeconds() - before, left: await stockOf(query) }
        progress('comparing what was told, the tables, the log and the figures of the day')
        wrongFigures = await differingFigures(query, desks, told, ask)
      },
    })
    const {
      used: { postgres, server: asking, busyCores },
      serving,
      left,
    } = atEnd!
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
      { text: 'lines at each', measured: linesPerSite },
      { text: 'hours of the day, from the first who comes to the last who goes', measured: daySeconds / 3600 },
      { text: 'tickets', measured: report.tickets },
      { text: 'requests', measured: report.requests },
      { text: 'seconds', measured: report.seconds },
      { text: 'times faster than these hours', measured: daySeconds / report.seconds },
      { text: 'requests a second', measured: report.requests / report.seconds },
      { text: 'answer, p50 ms', measured: report.p50Ms },
      { text: 'answer, p99 ms', measured: report.p99Ms },
      { text: 'put off by 503, and then answered', measured: report.putOff },
      { text: 'requests refused or failed', atMost: 0, measured: report.failures.length },
      { text: 'calls out of turn', atMost: 0, measured: report.outOfTurn },
      { text: 'tickets called twice', atMost: 0, measured: found!.twice },
      { text: 'tickets told of and not there', atMost: 0, measured: Math.abs(report.tickets - found!.tickets) },
      { text: 'tickets left without an end', atMost: 0, measured: found!.live },
      { text: 'holes in offsets', atMost: 0, measured: found!.holes },
      { text: 'gaps in numbers', atMost: 0, measured: found!.gaps },
      { text: 'people in lines at half-time', measured: boards!.people },
      { text: 'boards then that differ from the tables', atMost: 0, measured: boards!.differing },
      { text: 'tickets whose log says otherwise than their table', atMost: 0, measured: await differingTickets(query) },
      { text: 'queues whose figures are not what was told', atMost: 0, measured: wrongFigures },
      { text: 'CPU of the program, ms a ticket', measured: perTicket(serving * 1e6) },
      { text: 'CPU of PostgreSQL, ms a ticket', measured: perTicket(postgres) },
      { text: 'CPU of those who ask, ms a ticket', measured: perTicket(asking) },
      { text: 'cores busy', measured: busyCores },
      { text: 'memory of the program afterwards, MiB', atMost: 1024, measured: program.residentMiB() },
      ...costOf(stock, left, { ...report, program: serving, postgres: postgres / 1e6, share }),
    ]
  } finally {
    await program.stop()
  }
}
