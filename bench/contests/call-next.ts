import { BELOW_HTTP, CALLERS, HTTP, PGBENCH, present, type Bench } from '../bench.ts'
import { httpSubject, requestHead } from '../http/driver.ts'
import { alternate } from '../measure/alternate.ts'
import { closedLoop } from '../measure/closed-loop.ts'
import type { Row } from '../measure/sample.ts'
import { equally, fillQueues, queueIds } from '../world.ts'
import { pgbenchSubject } from '../yardstick/pgbench.ts'

export const CALL_NEXT = 'call-next, 100 queues'

/** Every call is by an agent who is free: as many stand ready as a sample can use, and as many people wait. */
export function callNext(bench: Bench): Promise<Row[]> {
  const { server, cluster, world, driver, pgbench } = bench
  const op = server.operation('tickets.callNext')
  const waiting = equally(queueIds(world), Math.ceil((1.2 * world.agents) / world.queues))
  const prepare = () => fillQueues(cluster.direct, world, waiting)
  const head = requestHead('POST', `/api/v1/tenants/${world.slug}/agents/{id}/call-next/`, {
    Authorization: `Bearer ${server.token}`,
  })
  const subjects = present([
    pgbench === undefined
      ? undefined
      : pgbenchSubject(
          pgbench,
          cluster,
          PGBENCH,
          'call-next.sql',
          (clients) => ({
            tenant: world.tenantId,
            first_agent: world.firstAgent,
            agents: world.agents,
            clients,
            n: -1,
          }),
          prepare,
        ),
    {
      name: BELOW_HTTP,
      prepare,
      measure(callers, seconds) {
        let n = 0
        return closedLoop(
          cluster.postmaster,
          callers,
          seconds,
          () => n < world.agents && server.execute(op, { id: world.firstAgent + n++ }),
        )
      },
    },
    httpSubject(
      driver,
      cluster.postmaster,
      HTTP,
      () => ({ port: server.port, head, body: '', ids: { first: world.firstAgent, count: world.agents, wrap: false } }),
      prepare,
    ),
  ])
  return alternate({ name: CALL_NEXT, callers: CALLERS, subjects }, bench.effort, bench.log)
}
