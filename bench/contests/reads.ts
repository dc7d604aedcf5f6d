import { CALLERS, EMPTY_HANDLER, HTTP, PGBENCH, present, type Bench } from '../bench.ts'
import { httpSubject, requestHead } from '../http/driver.ts'
import type { Load } from '../http/client.ts'
import { alternate } from '../measure/alternate.ts'
import type { Row } from '../measure/sample.ts'
import { startEmptyServer, startServer, type Server } from '../server.ts'
import { equally, fillQueues, queueIds } from '../world.ts'
import { pgbenchSubject } from '../yardstick/pgbench.ts'

export const LIST = 'list of 50 with positions'
export const POSITION = 'one ticket with position'
export const HTTP_UNCHANGED = `${HTTP}, unchanged (304)`
export const HTTP_BOARD = `${HTTP}, board of the queue`
const WAITING = 1000
const BOARD_WAITING = 50

type Get = Omit<Load, 'connections' | 'seconds'>
const get = (port: number, path: string, ids: Get['ids'], headers: Record<string, string> = {}): Get => ({
  port,
  head: requestHead('GET', path, headers),
  body: '',
  ids,
})

/** Reads of 100 queues with 1 000 waiting each, of a process that has read them before; beside a handler that does nothing. */
export async function reads(bench: Bench): Promise<Row[]> {
  const { cluster, world, driver, pgbench } = bench
  const ids = queueIds(world)
  const queues = { first: world.firstQueue, count: world.queues, wrap: true }
  await fillQueues(cluster.direct, world, [...equally(ids, WAITING), { queueId: world.hotQueue, count: BOARD_WAITING }])
  const [range] = await cluster.direct.query<{ first: number; last: number }>(
    'select min(id) as first, max(id) as last from tickets',
  )
  // A process of its own, so to say: what others remember of these sites is no longer true.
  const server = await startServer(cluster, world)
  const empty = await startEmptyServer()
  const auth = { Authorization: `Bearer ${server.token}` }
  const base = `/api/v1/tenants/${world.slug}`
  const listPath = (queue: number | string) =>
    `${base}/tickets/?queue=${queue}&status=en_attente&ordering=rank&limit=50`
  const http = (name: string, load: Get) => httpSubject(driver, cluster.postmaster, name, () => load)
  const bare = (name: string, script: string, variables: Record<string, number>) =>
    pgbench === undefined
      ? undefined
      : pgbenchSubject(pgbench, cluster, name, script, () => ({ tenant: world.tenantId, ...variables }))
  const emptyHandler = () => http(EMPTY_HANDLER, get(empty.port, '/', queues))
  try {
    const known = { ...auth, 'If-None-Match': await etagOf(server, listPath(world.firstQueue), auth) }
    const list = present([
      bare(PGBENCH, 'list.sql', { first_queue: world.firstQueue, last_queue: world.firstQueue + world.queues - 1 }),
      emptyHandler(),
      http(HTTP, get(server.port, listPath('{id}'), queues, auth)),
      http(HTTP_UNCHANGED, get(server.port, listPath(world.firstQueue), { ...queues, count: 1 }, known)),
      http(HTTP_BOARD, get(server.port, `${base}/queues/${world.hotQueue}/board/`, { ...queues, count: 1 }, auth)),
    ])
    const position = present([
      bare(PGBENCH, 'position.sql', { first_ticket: range!.first, last_ticket: range!.last }),
      emptyHandler(),
      http(HTTP, get(server.port, `${base}/tickets/{id}/`, { first: range!.first, count: 1000, wrap: true }, auth)),
    ])
    return [
      ...(await alternate({ name: LIST, callers: CALLERS, subjects: list }, bench.effort, bench.log)),
      ...(await alternate({ name: POSITION, callers: CALLERS, subjects: position }, bench.effort, bench.log)),
    ]
  } finally {
    await empty.close()
    await server.close()
  }
}

async function etagOf({ port }: Server, path: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(`http://localhost:${port}${path}`, { headers })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.headers.get('etag') ?? ''
}
