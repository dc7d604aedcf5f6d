/**
 * `npm run bench:indexes [-- --visits 600 --repetitions 3]`: what each index and trigger of the tables that every visit writes to costs a visit, with it
 * and without it by turns. The log of the database tells it also on a busy machine; CPU time nearly so.
 */
import { parseArgs } from 'node:util'
import { startCluster } from './cluster.ts'
import { startCpu } from './measure/cpu.ts'
import { resultTable } from './table.ts'
import { startServer } from './server.ts'
import { fillQueues, equally, queueIds, seed } from './world.ts'

const { values: options } = parseArgs({
  options: {
    visits: { type: 'string', default: '600' },
    repetitions: { type: 'string', default: '3' },
  },
})
const TABLES = ['tickets', 'ticket_legs', 'events']
const CALLERS = 16

interface Part {
  name: string
  drop: string
  make: string
}
/** Keys stay: without them nothing is right. Those of the whole log stand for those of its parts. */
const PARTS = `
  select c.relname as name, format('drop index %s', i.indexrelid::regclass) as drop, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') as make
  from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid::regclass::text = any($1) and not i.indisunique
  union all
  select tgname || ' of ' || tgrelid::regclass, format('alter table %s disable trigger %I', tgrelid::regclass, tgname),
    format('alter table %s enable trigger %I', tgrelid::regclass, tgname)
  from pg_trigger where tgrelid::regclass::text = any($1) and not tgisinternal order by 1`

interface Cost {
  wal: number
  postgres: number
}
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

const cluster = await startCluster()
const query = cluster.direct.query
try {
  // Whole pages, logged after each checkpoint, would hide the little that an index adds; nor does the cleaning of tables belong to a visit.
  for (const setting of ['full_page_writes', 'autovacuum']) await query(`alter system set ${setting} = off`)
  await query('select pg_reload_conf()')
  const visits = Number(options.visits)
  const parts = await query<Part>(PARTS, [TABLES])
  const world = await seed(cluster.direct, CALLERS * 100)
  await fillQueues(cluster.direct, world, equally(queueIds(world), 5))
  const server = await startServer(cluster, world)
  const [take, call, start, complete] = ['take', 'callNext', 'start', 'complete'].map((verb) =>
    server.operation(`tickets.${verb}`),
  )
  let n = 0
  const visit = async () => {
    const turn = n++ % world.agents
    await server.execute(take!, { queue_id: world.firstQueue + (turn % world.queues), channel: 'kiosk' })
    const { output } = await server.execute(call!, { id: world.firstAgent + turn })
    const { id } = (output as { ticket: { id: number } }).ticket
    await server.execute(start!, { id })
    await server.execute(complete!, { id })
  }
  const wal = async () =>
    (await query<{ at: number }>(`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as at`))[0]!.at
  const measure = async (): Promise<Cost> => {
    await round(20)
    const [cpu, before] = [startCpu(cluster.postmaster), await wal()]
    await round(visits)
    return { postgres: cpu().postgres / visits, wal: ((await wal()) - before) / visits }
  }
  const round = async (count: number) => {
    let left = count
    const caller = async () => {
      while (left-- > 0) await visit()
    }
    await Promise.all(Array.from({ length: CALLERS }, caller))
  }
  await round(200)
  const results: { name: string; withIt: Cost; without: Cost }[] = []
  for (const { name, drop, make } of parts) {
    const [withIt, without]: [Cost[], Cost[]] = [[], []]
    for (let repetition = 0; repetition < Number(options.repetitions); repetition++) {
      withIt.push(await measure())
      await query(drop)
      without.push(await measure())
      await query(make)
    }
    const of = (costs: readonly Cost[]): Cost => ({
      wal: median(costs.map((each) => each.wal)),
      postgres: median(costs.map((each) => each.postgres)),
    })
    results.push({ name, withIt: of(withIt), without: of(without) })
    const { wal: a, postgres: b } = results.at(-1)!.withIt
    const { wal: c, postgres: d } = results.at(-1)!.without
    console.error(`${name}: ${(a - c).toFixed(0)} bytes of log, ${(b - d).toFixed(0)} µs of ${b.toFixed(0)} a visit`)
  }
  results.sort((a, b) => b.withIt.wal - b.without.wal - (a.withIt.wal - a.without.wal))
  type Result = (typeof results)[number]
  console.log(
    resultTable<Result>(
      [
        ['log, bytes a visit', ({ withIt }) => withIt.wal, 0],
        ['without', ({ without }) => without.wal, 0],
        ['costs', ({ withIt, without }) => withIt.wal - without.wal, 0],
        ['PG µs a visit', ({ withIt }) => withIt.postgres, 0],
        ['without', ({ without }) => without.postgres, 0],
      ],
      results,
    )
      .split('\n')
      .map((line, i) => `${line}  ${i === 0 ? 'of' : results[i - 1]!.name}`)
      .join('\n'),
  )
  await server.close()
} finally {
  await cluster.close()
}
