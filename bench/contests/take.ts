import { BELOW_HTTP, CALLERS, HTTP, NO_DATABASE, PGBENCH, PGBENCH_STEPS, present, type Bench } from '../bench.ts'
import { httpSubject, requestHead } from '../http/driver.ts'
import type { Load } from '../http/client.ts'
import { alternate } from '../measure/alternate.ts'
import { closedLoop } from '../measure/closed-loop.ts'
import type { Row, Subject } from '../measure/sample.ts'
import { startServerWithoutDatabase } from '../server.ts'
import { pgbenchSubject } from '../yardstick/pgbench.ts'

export const TAKE_COLD = 'take, 100 queues'
export const TAKE_HOT = 'take, one hot queue'

interface Range {
  first: number
  count: number
}

/** POST of a ticket into each queue of the range by turns. */
export function takeLoad(
  { server, world }: Bench,
  queues: Range,
  port = server.port,
): Omit<Load, 'connections' | 'seconds'> {
  return {
    port,
    head: requestHead('POST', `/api/v1/tenants/${world.slug}/tickets/`, {
      Authorization: `Bearer ${server.token}`,
      'Content-Type': 'application/json',
    }),
    body: '{"queue_id":{id},"channel":"kiosk","language":"fr"}',
    ids: { ...queues, wrap: true },
  }
}

export async function takeCold(bench: Bench): Promise<Row[]> {
  const { server, world } = bench
  const queues = { first: world.firstQueue, count: world.queues }
  const op = server.operation('tickets.take')
  const example = await server.execute(op, { queue_id: world.firstQueue, channel: 'kiosk', language: 'fr' })
  const bare = await startServerWithoutDatabase(server, op, example.output)
  try {
    const noDatabase = httpSubject(bench.driver, bench.cluster.postmaster, NO_DATABASE, () =>
      takeLoad(bench, queues, bare.port),
    )
    const subjects = present([
      pgbenchTake(bench, PGBENCH, 'take.sql', queues),
      pgbenchTake(bench, PGBENCH_STEPS, 'take-steps.sql', queues),
      belowHttp(bench, queues),
      httpSubject(bench.driver, bench.cluster.postmaster, HTTP, () => takeLoad(bench, queues)),
      noDatabase,
    ])
    return await alternate({ name: TAKE_COLD, callers: CALLERS, subjects }, bench.effort, bench.log)
  } finally {
    await bare.close()
  }
}

export function takeHot(bench: Bench): Promise<Row[]> {
  const queue = { first: bench.world.hotQueue, count: 1 }
  const subjects = present([
    pgbenchTake(bench, PGBENCH, 'take.sql', queue),
    belowHttp(bench, queue),
    httpSubject(bench.driver, bench.cluster.postmaster, HTTP, () => takeLoad(bench, queue)),
  ])
  return alternate({ name: TAKE_HOT, callers: CALLERS, subjects }, bench.effort, bench.log)
}

function pgbenchTake(
  { pgbench, cluster, world }: Bench,
  name: string,
  script: string,
  { first, count }: Range,
): Subject | undefined {
  const variables = { tenant: world.tenantId, first_queue: first, last_queue: first + count - 1 }
  return pgbench === undefined ? undefined : pgbenchSubject(pgbench, cluster, name, script, () => variables)
}

function belowHttp({ server, cluster }: Bench, { first, count }: Range): Subject {
  const op = server.operation('tickets.take')
  let n = 0
  return {
    name: BELOW_HTTP,
    measure: (callers, seconds) =>
      closedLoop(cluster.postmaster, callers, seconds, () =>
        server.execute(op, { queue_id: first + (n++ % count), channel: 'kiosk', language: 'fr' }),
      ),
  }
}
