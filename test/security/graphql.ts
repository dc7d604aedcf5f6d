import { buildSchema, getIntrospectionQuery, GraphQLError, parse, validate } from 'graphql'
import { readFileSync } from 'node:fs'
import { WebSocket } from 'ws'
import type { Client, Reply } from './client.ts'
import { tokenFor, type World } from './world.ts'

export interface GraphqlReport {
  attacks: number
  /** Attacks that were answered as if they were fair. */
  granted: number
  faults: number
  slowestMs: number
  /** How long an ordinary request waited meanwhile. */
  othersWaitedMs: number
  subscriptions: number
  schemaTold: number
  controlGranted: number
}
interface GraphqlAttackOptions {
  world: World
  client: Client
  /** A server as in production. */
  production: Client
  found(line: string): void
}

const repeat = (count: number, text: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ')
const nested = (rounds: number) =>
  `{ queues(first: 1) { nodes { ${'site { queues(first: 1) { nodes { '.repeat(rounds)} id ${'} } }'.repeat(rounds)} } } }`
const folded = (levels: number, width: number) =>
  `query { queue(id: 1) { ...f0 } } ${repeat(levels, (n) => `fragment f${n} on Queue { ${repeat(width, () => `...f${n + 1}`)} }`)} fragment f${levels} on Queue { id }`

/** Documents that ask for more than anybody needs. */
const ATTACKS: Readonly<Record<string, string>> = {
  'thirteen levels': nested(4),
  'five hundred levels': nested(160),
  'a hundred root fields': `{ ${repeat(100, (n) => `a${n}: __typename`)} }`,
  'a thousand aliases of one list': `{ ${repeat(1000, (n) => `a${n}: queues(first: 200) { nodes { id } }`)} }`,
  'lists of lists of lists': `{ sites(first: 200) { nodes { queues(first: 200) { nodes { tickets(first: 200) { nodes { id } } } } } } }`,
  'a million fields from fragments': folded(6, 10),
  'fragments of thirty levels that double': folded(30, 2),
  'a circle of fragments': `{ queues { nodes { ...a } } } fragment a on Queue { site { queues { nodes { ...a } } } }`,
  'the same field three thousand times': `{ ${repeat(3000, () => 'queues { nodes { id } }')} }`,
  'fields that must be compared with each other': `{ ${repeat(300, (n) => `queues { nodes { id name x${n}: site { id name y: queues { nodes { id } } } } }`)} }`,
  'a thousand directives': `{ __typename ${repeat(1000, () => '@include(if: true)')} }`,
  'a thousand operations': `${repeat(1000, (n) => `query q${n} { __typename }`)}`,
  'a page of two thousand million': `{ queues(first: 2147483647) { nodes { id } } }`,
  'sixty changes at once': `mutation { ${repeat(60, (n) => `a${n}: createCustomer(input: {name: "x"}) { id }`)} }`,
  'brackets alone': '{'.repeat(30_000),
  'a type of a type of a type': `{ __schema { types { ${'fields { type { '.repeat(40)} name ${'} }'.repeat(40)} } } }`,
  'a list of ten thousand': `{ tickets(status: [${repeat(10_000, () => 'waiting')}]) { nodes { id } } }`,
}

/** GraphQL as somebody with a token uses it who wants to keep the server busy, or to learn what it does not tell. */
export async function graphqlAbuse({ world, client, production, found }: GraphqlAttackOptions): Promise<GraphqlReport> {
  const token = tokenFor(world.own, 'admin')
  const report: GraphqlReport = {
    attacks: 0,
    granted: 0,
    faults: 0,
    slowestMs: 0,
    othersWaitedMs: 0,
    subscriptions: 0,
    schemaTold: 0,
    controlGranted: 0,
  }
  let isOver = false
  const others = (async () => {
    while (!isOver) {
      const { milliseconds } = await client.json('GET', `/api/v1/tenants/${world.own.slug}/queues/`, token)
      report.othersWaitedMs = Math.max(report.othersWaitedMs, Math.round(milliseconds))
    }
  })()
  const judge = (name: string, { status, body, milliseconds }: Reply) => {
    report.attacks++
    report.slowestMs = Math.max(report.slowestMs, Math.round(milliseconds))
    if (status >= 500) report.faults++
    const isRefused = status >= 400 || body.startsWith('{"data":null,"errors"')
    if (!isRefused) {
      report.granted++
      found(`granted: ${name}: ${status} ${body.slice(0, 200)}`)
    }
    if (milliseconds > 1000) found(`${Math.round(milliseconds)} ms: ${name}`)
  }
  for (const [name, query] of Object.entries(ATTACKS))
    judge(name, await client.json('POST', '/graphql', token, { query }))
  judge('a list of documents', await client.send(batchOf(token, 100)))
  for (const [type, body] of [
    ['application/x-www-form-urlencoded', 'query={__typename}'],
    ['text/plain', '{"query":"{__typename}"}'],
    ['multipart/form-data; boundary=x', '--x--'],
  ] as const)
    judge(
      `a document as ${type}`,
      await client.send({ method: 'POST', path: '/graphql', headers: { 'content-type': type }, body }),
    )
  judge('a document in the address', await client.send({ method: 'GET', path: '/graphql?query={__typename}' }))
  judge(
    'a subscription over HTTP',
    await client.json('POST', '/graphql', token, { query: 'subscription { ticket(token: "x") { type } }' }),
  )
  isOver = true
  await others

  // In production nobody learns the schema, not even by mistakes.
  const asked = [
    getIntrospectionQuery(),
    '{ __type(name: "Ticket") { name } }',
    '{ quesues { id } }',
    '{ queues { nodes { idd } } }',
  ]
  for (const query of asked) {
    const { body, status } = await production.json('POST', '/graphql', undefined, { query })
    if (status < 400 || /Did you mean|"__schema"|"name":"Ticket"/.test(body)) {
      report.schemaTold++
      found(`told in production: ${query.slice(0, 60)}: ${body.slice(0, 200)}`)
    }
  }
  report.subscriptions = await openSubscriptions(client.port, token, world, 80)

  const schema = buildSchema(readFileSync(new URL('../../docs/schema.graphql', import.meta.url), 'utf8'))
  for (const query of Object.values(ATTACKS)) {
    try {
      if (validate(schema, parse(query)).length === 0) report.controlGranted++
    } catch (error) {
      if (!(error instanceof GraphQLError) && !(error instanceof RangeError)) throw error
    }
  }
  return report
}

const batchOf = (token: string, count: number) => ({
  method: 'POST',
  path: '/graphql',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  body: JSON.stringify(Array.from({ length: count }, () => ({ query: '{ __typename }' }))),
})

/** How many of so many subscriptions one socket gets. */
function openSubscriptions(port: number, token: string, { own }: World, count: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws')
    const answered = new Set<string>()
    let open = 0
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
    )
    socket.on('message', (data) => {
      const { type, id, payload } = JSON.parse((data as Buffer).toString()) as {
        type: string
        id?: string
        payload?: { data?: unknown }
      }
      if (type === 'connection_ack')
        for (let n = 0; n < count; n++)
          socket.send(
            JSON.stringify({
              id: String(n),
              type: 'subscribe',
              payload: { query: `subscription { queue(queue_id: ${own.queues[0]!.id}) { type } }` },
            }),
          )
      if (id === undefined || answered.has(id)) return
      answered.add(id)
      if (type === 'next' && payload?.data) open++
      if (answered.size === count) socket.close()
    })
    socket.on('close', () => resolve(open))
    socket.on('error', () => resolve(-1))
  })
}
