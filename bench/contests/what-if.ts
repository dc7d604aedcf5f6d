import type { Bench } from '../bench.ts'
import type { Verdict } from '../goals.ts'
import { startCpu } from '../measure/cpu.ts'
import { fillQueues, TIMEZONE } from '../world.ts'

/** A large branch at its worst hour. */
const WAITING = 120
const COUNTERS = 8
const VISITS_A_DAY = 400
const DAYS = 55
const QUESTIONS_A_REPETITION = 10

/**
 * What a branch manager's "and with one more counter?" costs: eight weeks of history read, eighty hours played. Told as CPU
 * time, Node's and PostgreSQL's together, because whoever else uses the machine changes the time on the wall.
 */
export async function whatIf(bench: Bench): Promise<Verdict[]> {
  const { server, cluster, world, effort, log } = bench
  const { direct } = cluster
  const { tenantId, hotQueue, firstAgent } = world
  await fillQueues(direct, world, [{ queueId: hotQueue, count: WAITING }])
  await direct.query(
    `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel,
       status, rank, entered_at, created_at, called_at, started_at, ended_at)
     select $1, q.site_id, q.id, q.service_id, at::date, q.id, at::date, n, 'A' || n, 'kiosk', 'terminé',
       (extract(epoch from at) * 1000000)::bigint, at, at, at, at, at + interval '5 minutes'
     from queues q cross join generate_series(1, $3::int) d cross join generate_series(1, $4::int) n
     cross join lateral (
       select date_trunc('day', now() - d * interval '1 day', '${TIMEZONE}') + interval '9 hours' + n * interval '8 hours' / $4::int) t(at)
     where q.tenant_id = $1 and q.id = $2`,
    [tenantId, hotQueue, DAYS, VISITS_A_DAY],
  )
  await direct.query(
    `insert into agent_queues (tenant_id, agent_id, queue_id) select $1, $2 + n, $3 from generate_series(0, $4::int - 1) n`,
    [tenantId, firstAgent, hotQueue, COUNTERS],
  )
  await direct.query('vacuum analyze tickets, agent_queues')
  const op = server.operation('queues.whatIf')
  const ask = () => server.execute(op, { id: hotQueue, change: 1 })
  const { output } = await ask()
  log(`what-if: ${(output as { text: string }).text}`)
  const questions = effort.repetitions * QUESTIONS_A_REPETITION
  const cpu = startCpu(cluster.postmaster)
  for (let n = 0; n < questions; n++) await ask()
  const used = cpu()
  await direct.query('delete from agent_queues where tenant_id = $1 and queue_id = $2', [tenantId, hotQueue])
  const millis = (microseconds: number) => microseconds / questions / 1000
  log(`what-if: Node ${millis(used.server).toFixed(0)} ms, PostgreSQL ${millis(used.postgres).toFixed(0)} ms of CPU`)
  return [
    {
      text: `what-if, ${WAITING} waiting, ${VISITS_A_DAY} visits a day: CPU milliseconds a question`,
      atMost: 500,
      measured: millis(used.server + used.postgres),
    },
  ]
}
