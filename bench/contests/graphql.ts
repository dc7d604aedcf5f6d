import { EMPTY_HANDLER, HTTP, type Bench } from '../bench.ts'
import { httpSubject, requestHead } from '../http/driver.ts'
import { alternate } from '../measure/alternate.ts'
import type { Row } from '../measure/sample.ts'
import { startEmptyServer, startServer } from '../server.ts'
import { equally, fillQueues, queueIds } from '../world.ts'

const GRAPHQL_LIST = '50 tickets over GraphQL and REST'
const GRAPHQL_FLAT = 'GraphQL, no links'
const GRAPHQL_LINKS = 'GraphQL, four links each'
const REST_LIST = `${HTTP}, page by arrival`
const WAITING = 1000
const CALLERS = [16]

const FLAT = 'id number status rank position channel created_at'
/** Two levels: five entities for each ticket, 200 beside the tickets themselves. */
const LINKS = `${FLAT} queue { name site { name } } service { code } customer { name }`

/** The same page of the same queues by both interfaces, beside a handler that does nothing. */
export async function graphqlLists(bench: Bench): Promise<Row[]> {
  const { cluster, world, driver, effort, log } = bench
  await fillQueues(cluster.direct, world, equally(queueIds(world), WAITING))
  const server = await startServer(cluster, world)
  const empty = await startEmptyServer()
  const queues = { first: world.firstQueue, count: world.queues, wrap: true }
  const auth = { Authorization: `Bearer ${server.token}` }
  const document = (fields: string) =>
    `query ($queue: ID!) { tickets(queue: $queue, status: [waiting], ordering: created_at, first: 50) { nodes { ${fields} } pageInfo { endCursor } } }`
  const post = (fields: string) => ({
    port: server.port,
    head: requestHead('POST', '/graphql', { ...auth, 'Content-Type': 'application/json' }),
    body: JSON.stringify({ query: document(fields), variables: { queue: '{id}' } }),
    ids: queues,
  })
  const path = `/api/v1/tenants/${world.slug}/tickets/?queue={id}&status=en_attente&ordering=created_at&limit=50`
  const get = { port: server.port, head: requestHead('GET', path, auth), body: '', ids: queues }
  const nothing = { port: empty.port, head: requestHead('GET', '/', {}), body: '', ids: queues }
  try {
    for (const fields of [FLAT, LINKS]) await check(server.port, auth, document(fields), world.firstQueue)
    const subject = (name: string, load: typeof get) => httpSubject(driver, cluster.postmaster, name, () => load)
    const subjects = [
      subject(EMPTY_HANDLER, nothing),
      subject(REST_LIST, get),
      subject(GRAPHQL_FLAT, post(FLAT)),
      subject(GRAPHQL_LINKS, post(LINKS)),
    ]
    return await alternate({ name: GRAPHQL_LIST, callers: CALLERS, subjects }, effort, log)
  } finally {
    await empty.close()
    await server.close()
  }
}

/** An answer of errors has status 200 as well: whether the document answers is seen once, before it is measured. */
async function check(port: number, auth: Record<string, string>, document: string, queue: number): Promise<void> {
  const answer = await fetch(`http://localhost:${port}/graphql`, {
    method: 'POST',
    headers: { ...auth, 'content-type': 'application/json' },
    body: JSON.stringify({ query: document, variables: { queue } }),
  })
  const { data, errors } = (await answer.json()) as { data?: { tickets: { nodes: unknown[] } }; errors?: unknown }
  if (errors || data?.tickets.nodes.length !== 50) throw new Error(JSON.stringify(errors ?? data))
}
