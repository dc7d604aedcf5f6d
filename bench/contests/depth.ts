import type { Bench } from '../bench.ts'
import type { Verdict } from '../goals.ts'
import { median } from '../measure/stats.ts'
import { startServer } from '../server.ts'
import { fillQueues } from '../world.ts'

/** How many wait in each of the four queues compared, each at a site of its own. */
const DEPTHS = [10, 1000, 10_000, 100_000] as const
const QUEUES_A_SITE = 5
const SAMPLES = 60
/** Longest a figure may be at any depth, as a multiple of the same at ten waiting. */
const FLAT = 1.3

/**
 * Latency of one caller below HTTP by the length of the queue: calling its head (a take restores the length each time),
 * and reading the last ticket with its position. The queues take turns, so that all meet the same machine.
 */
export async function depth(bench: Bench): Promise<Verdict[]> {
  const { cluster, world, effort } = bench
  const queues = DEPTHS.map((count, i) => ({ count, queueId: world.firstQueue + i * QUEUES_A_SITE }))
  await fillQueues(cluster.direct, world, queues)
  const lasts = await cluster.direct.query<{ queue_id: number; id: number }>(
    'select queue_id, max(id) as id from tickets group by queue_id',
  )
  const lastOf = new Map(lasts.map(({ queue_id, id }) => [queue_id, id]))
  const server = await startServer(cluster, world)
  const operations = {
    callNext: server.operation('tickets.callNext'),
    take: server.operation('tickets.take'),
    get: server.operation('tickets.get'),
  }
  const head = DEPTHS.map((): number[] => [])
  const place = DEPTHS.map((): number[] => [])
  const timed = async (times: number[], work: Promise<unknown>) => {
    const from = performance.now()
    await work
    times.push(performance.now() - from)
  }
  try {
    const rounds = Math.min(SAMPLES * effort.repetitions, Math.floor(world.agents / world.queues))
    for (let round = 0; round < rounds; round++) {
      for (const [i, { queueId }] of queues.entries()) {
        const agent = world.firstAgent + (queueId - world.firstQueue) + round * world.queues
        await timed(head[i]!, server.execute(operations.callNext, { id: agent }))
        await server.execute(operations.take, { queue_id: queueId, channel: 'kiosk' })
        await timed(place[i]!, server.execute(operations.get, { id: lastOf.get(queueId)! }))
      }
    }
  } finally {
    await server.close()
  }
  return [flatness('head of the queue', head, bench), flatness('position of the last ticket', place, bench)]
}

function flatness(name: string, times: readonly number[][], { log }: Bench): Verdict {
  // The first calls of a process are cold.
  const medians = times.map((own) => median(own.slice(Math.ceil(own.length / 5))))
  log(`${name}: ${DEPTHS.map((count, i) => `${count} waiting ${medians[i]!.toFixed(2)} ms`).join(' · ')}`)
  return {
    text: `${name}: slowest of ${DEPTHS.join(', ')} waiting by the same at ${DEPTHS[0]}`,
    atMost: FLAT,
    measured: Math.max(...medians) / medians[0]!,
  }
}
