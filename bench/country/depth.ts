import type { Direct } from '../../server/kernel/db/direct.ts'
import type { Cluster } from '../cluster.ts'
import type { Verdict } from '../goals.ts'
import { alternate, type Effort } from '../measure/alternate.ts'
import { closedLoop } from '../measure/closed-loop.ts'
import type { Sample, Subject } from '../measure/sample.ts'
import { startServer, type Server } from '../server.ts'
import { equally, fillQueues, queueIds, seed, TIMEZONE, type World } from '../world.ts'

/** Tickets of the past and queues of a database. */
interface Size {
  name: string
  past: number
  sites: number
}
const SMALL: Size = { name: 'small', past: 10_000, sites: 20 }
const LARGE: Size = { name: 'large', past: 1_000_000, sites: 200 }
const CALLERS = 16
const WAITING = 10
const MOST = 1.15

interface Place {
  size: Size
  cluster: Cluster
  world: World
  server: Server
  tickets: { first: number; count: number }
}

/**
 * Whether work costs more CPU (of the program and of PostgreSQL together) where a million tickets and a thousand queues
 * are in the tables than where there are ten thousand and a hundred; both turn by turn.
 */
export async function depth(clusters: readonly [Cluster, Cluster], effort: Effort): Promise<Verdict[]> {
  const places = [await place(clusters[0], SMALL, 1), await place(clusters[1], LARGE, 100_001)]
  try {
    const verdicts: Verdict[] = []
    for (const [name, subject] of Object.entries({
      'a whole visit': visits,
      'a list of 50': lists,
      'one ticket': reads,
    })) {
      const contest = { name, callers: [CALLERS], subjects: places.map(subject) }
      const [small, large] = await alternate(contest, effort, (line) => console.error(line))
      verdicts.push(
        { text: `${name}: µs of CPU, ${SMALL.name}`, measured: costOf(small!.sample) },
        { text: `${name}: µs of CPU, ${LARGE.name}`, measured: costOf(large!.sample) },
        { text: `${name}: ratio`, atMost: MOST, measured: costOf(large!.sample) / costOf(small!.sample) },
      )
    }
    return verdicts
  } finally {
    for (const { server } of places) await server.close()
  }
}

const costOf = ({ serverMicroseconds, postgresMicroseconds }: Sample) => serverMicroseconds + postgresMicroseconds

/** @param firstTenant one process knows organisations by their ids, so those of two databases must differ */
async function place(cluster: Cluster, size: Size, firstTenant: number): Promise<Place> {
  const db = cluster.direct
  await db.query(`alter table tenants alter column id restart with ${firstTenant}`)
  const world = await seed(db, size.sites * 5, size.sites)
  await fillQueues(db, world, equally(queueIds(world), WAITING))
  const [range] = await db.query<{ first: number; count: number }>(
    'select min(id)::int as first, count(*)::int as count from tickets',
  )
  await seedPast(db, world, size.past)
  return { size, cluster, world, server: await startServer(cluster, world), tickets: range! }
}

/** Tickets of the last thirty days, served. */
async function seedPast(db: Direct, { tenantId }: World, count: number): Promise<void> {
  await db.query(
    `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel,
       language, rank, status, entered_at, created_at, called_at, last_called_at, started_at, ended_at, call_count)
     select $1, q.site_id, q.id, q.service_id, d.day, q.id, d.day, n, 'A' || n, 'kiosk', 'fr',
       (extract(epoch from at) * 1000000)::bigint, 'terminé', at, at, at + interval '9 minutes', at + interval '9 minutes',
       at + interval '10 minutes', at + interval '15 minutes', 1
     from queues q
     cross join (select (now() at time zone '${TIMEZONE}')::date - back as day from generate_series(1, 30) back) d
     cross join lateral generate_series(1, ceil($2::float8 / 30 / (select count(*) from queues))::int) n
     cross join lateral (select d.day + interval '8 hours' + n * interval '6 minutes' as at) arrival
     where q.tenant_id = $1`,
    [tenantId, count],
  )
  await db.query('vacuum analyze')
  await db.query('checkpoint')
}

/** Asked for so few different ones that both programs have all in memory. */
const TICKETS_READ = 1000

/** A ticket is taken, somebody called, served and done with, at all queues by turns: the line stays as long as it was. */
function visits({ size, cluster, world, server }: Place): Subject {
  const [take, call, start, complete] = ['take', 'callNext', 'start', 'complete'].map((verb) =>
    server.operation(`tickets.${verb}`),
  )
  let n = 0
  return {
    name: size.name,
    measure: (callers, seconds) =>
      closedLoop(cluster.postmaster, callers, seconds, async () => {
        const turn = n++ % world.agents
        await server.execute(take!, { queue_id: world.firstQueue + (turn % world.queues), channel: 'kiosk' })
        const { output } = await server.execute(call!, { id: world.firstAgent + turn })
        const { id } = (output as { ticket: { id: number } }).ticket
        await server.execute(start!, { id })
        await server.execute(complete!, { id })
      }),
  }
}

/** The latest of a queue, past days included; each asked for otherwise, so that no answer is kept. */
function lists({ size, cluster, world, server }: Place): Subject {
  const op = server.operation('tickets.list')
  let n = 0
  return {
    name: size.name,
    measure: (callers, seconds) =>
      closedLoop(cluster.postmaster, callers, seconds, () =>
        server.execute(op, { queue: world.firstQueue + (n++ % world.queues), created_after: longAgo(n), limit: 50 }),
      ),
  }
}

const longAgo = (n: number) => new Date(n * 1000).toISOString()

function reads({ size, cluster, tickets, server }: Place): Subject {
  const op = server.operation('tickets.get')
  let n = 0
  return {
    name: size.name,
    measure: (callers, seconds) =>
      closedLoop(cluster.postmaster, callers, seconds, () =>
        server.execute(op, { id: tickets.first + (n++ % Math.min(TICKETS_READ, tickets.count)) }),
      ),
  }
}
