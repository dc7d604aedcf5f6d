import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  buildSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
} from 'graphql'
import { WebSocket } from 'ws'
import type { ServerProcess } from '../faults/processes.ts'
import type { Client, Reply } from './client.ts'
import { GHOST, likeness } from './matrix.ts'
import { REFERS } from './references.ts'
import { idsOf, tokenFor, type World } from './world.ts'

export interface CanaryReport {
  /** Fields of GraphQL asked with another organisation's number and with nobody's. */
  fields: number
  fieldsTold: number
  /** Feeds over WebSocket and Server-Sent Events asked for the same way. */
  feeds: number
  feedsTold: number
  subscriptions: number
  subscriptionsTold: number
  exports: number
  /** Files in which one's own rows were found, so that others' would have been. */
  exportsRead: number
  /** Times that a word of the other organisation came along. */
  canaries: number
}
interface CanaryOptions {
  world: World
  client: Client
  /** Does background work from when it is called. */
  startWorker(): Promise<ServerProcess>
  found(line: string): void
}

const SCHEMA = new URL('../../docs/schema.graphql', import.meta.url)
const FEEDS = [
  ['queues', 'queues'],
  ['displays', 'displays'],
  ['agents', 'agents'],
  ['sites', 'sites'],
] as const

/** Everything but REST that could tell one organisation of another: GraphQL, feeds, subscriptions and files. */
export async function canaries({ world, client, startWorker, found }: CanaryOptions): Promise<CanaryReport> {
  const { own, other } = world
  const report: CanaryReport = {
    fields: 0,
    fieldsTold: 0,
    feeds: 0,
    feedsTold: 0,
    subscriptions: 0,
    subscriptionsTold: 0,
    exports: 0,
    exportsRead: 0,
    canaries: 0,
  }
  const foreign = await idsOf(world, other)
  const token = tokenFor(own, 'admin')
  const look = (where: string, text: string) => {
    if (!text.includes(other.canary)) return
    report.canaries++
    found(`canary of another organisation: ${where}: ${text.slice(0, 200)}`)
  }

  const schema = buildSchema(readFileSync(SCHEMA, 'utf8'))
  const strangers = [...foreign.values()].flat()
  for (const root of [schema.getQueryType()!, schema.getMutationType()!])
    for (const field of Object.values(root.getFields())) {
      if (!mentionsId(field)) continue
      if (!documentOf(root, field, GHOST, '').includes(String(GHOST))) continue
      const isChange = root !== schema.getQueryType()
      const ask = async (id: number): Promise<Reply> =>
        client.json('POST', '/graphql', token, { query: documentOf(root, field, id, own.visits[0]!) })
      // Numbers of all tables: whatever the field is of, one of them is of its kind.
      for (const id of new Set([strangers[0]!, ...idsFor(field, foreign)])) {
        const [ghost, hit] = await Promise.all([ask(GHOST), ask(id)])
        report.fields++
        look(`GraphQL ${field.name}`, hit.body)
        const isMade = isChange && [ghost, hit].every(({ body }) => !body.includes('"errors"'))
        if (isMade || likeness(ghost, GHOST, id) === likeness(hit, GHOST, id)) continue
        report.fieldsTold++
        found(`told apart: GraphQL ${field.name}: ${ghost.body.slice(0, 200)} and ${hit.body.slice(0, 200)}`)
      }
    }

  for (const [path, table] of FEEDS) {
    const id = foreign.get(table)?.[0]
    if (id === undefined) continue
    for (const slug of [own.slug, other.slug]) {
      const address = (each: number) => `/tenants/${slug}/${path}/${each}/`
      const [ghost, hit] = await Promise.all(
        [GHOST, id].map((each) => firstOf(client.port, `/ws${address(each)}`, token)),
      )
      const [silent, event] = await Promise.all(
        [GHOST, id].map((each) => client.json('GET', `/sse${address(each)}`, token)),
      )
      report.feeds += 2
      look(`WebSocket ${path}`, hit!)
      look(`events of ${path}`, event!.body)
      if (ghost!.replaceAll(String(GHOST), '#') !== hit!.replaceAll(String(id), '#')) {
        report.feedsTold++
        found(`told apart: WebSocket of ${slug}/${path}: ${ghost} and ${hit}`)
      }
      if (likeness(silent!, GHOST, id) !== likeness(event!, GHOST, id)) {
        report.feedsTold++
        found(`told apart: events of ${slug}/${path}: ${silent!.body} and ${event!.body}`)
      }
    }
  }
  for (const field of Object.values(schema.getSubscriptionType()!.getFields())) {
    if (!mentionsId(field)) continue
    const ask = (id: number) =>
      subscribed(client.port, token, documentOf(schema.getSubscriptionType()!, field, id, own.visits[0]!))
    for (const id of idsFor(field, foreign).slice(0, 2)) {
      const [ghost, hit] = await Promise.all([ask(GHOST), ask(id)])
      report.subscriptions++
      look(`subscription ${field.name}`, hit)
      if (ghost.replaceAll(String(GHOST), '#') === hit.replaceAll(String(id), '#')) continue
      report.subscriptionsTold++
      found(`told apart: subscription ${field.name}: ${ghost} and ${hit}`)
    }
  }

  const base = `/api/v1/tenants/${own.slug}/exports/`
  const [from, to] = [-2, 1].map((days) => Temporal.Now.plainDateISO('UTC').add({ days }).toString())
  const worker = await startWorker()
  try {
    for (const format of ['csv', 'parquet']) {
      const asked = await client.json('POST', base, token, { kind: 'tickets', format, from, to })
      const { id } = JSON.parse(asked.body) as { id: number }
      const isDone = async () =>
        /"status":"(done|failed)"/.test((await client.json('GET', `${base}${id}/`, token)).body)
      for (let waited = 0; waited < 60_000 && !(await isDone()); waited += 250) await sleep(250)
      const { body } = await client.json('POST', `${base}${id}/link/`, token, {})
      const { url } = JSON.parse(body) as { url: string }
      const file = await client.send({ method: 'GET', path: new URL(url).pathname })
      report.exports++
      look(`export ${id}`, file.body)
      if (file.status === 200 && file.body.includes(own.canary)) report.exportsRead++
    }
  } finally {
    await worker.stop()
  }
  return report
}

const mentionsId = ({ args }: GraphQLField<unknown, unknown>) =>
  args.some(({ name }) => name === 'input' || REFERS.test(name))

/** Numbers of the tables that the field's name and arguments could be about. */
function idsFor(
  { name, args, type }: GraphQLField<unknown, unknown>,
  foreign: ReadonlyMap<string, number[]>,
): number[] {
  const words = [name, getNamedType(type).name, ...args.map((each) => each.name)]
    .join(' ')
    .toLowerCase()
    .replaceAll('_', '')
  const known = [...foreign].filter(([table]) => words.includes(table.replaceAll('_', '').replace(/ies$|s$/, '')))
  return [...new Set(known.flatMap(([, ids]) => ids.slice(0, 1)))].slice(0, 6)
}

/** The field with a number wherever one can stand, and all its plain properties, two levels deep. */
function documentOf(
  root: GraphQLObjectType,
  { name, args, type }: GraphQLField<unknown, unknown>,
  id: number,
  visit: string,
): string {
  const kind = { Query: 'query', Mutation: 'mutation', Subscription: 'subscription' }[root.name] ?? 'query'
  const given = args.flatMap((each) => {
    const value = literal(each.type, each.name, id, visit)
    return value === undefined ? [] : [`${each.name}: ${value}`]
  })
  const named = getNamedType(type)
  return `${kind} { ${name}${given.length > 0 ? `(${given.join(', ')})` : ''} ${isObjectType(named) ? selection(named, 2) : ''} }`
}

function selection(type: GraphQLObjectType, depth: number): string {
  const parts = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some(({ type: each }) => isNonNullType(each))) return []
    const named = getNamedType(field.type)
    if (isLeafType(named)) return [field.name]
    return depth > 0 && isObjectType(named) && field.args.length === 0
      ? [`${field.name} ${selection(named, depth - 1)}`]
      : []
  })
  return `{ ${['__typename', ...parts].join(' ')} }`
}

/** A value for an argument: numbers for what refers to rows, something fitting for what must be there, else nothing. */
function literal(type: GraphQLInputType, name: string, id: number, visit: string): string | undefined {
  const inner = getNullableType(type)
  if (isListType(inner)) {
    const each = literal(inner.ofType as GraphQLInputType, name, id, visit)
    return each === undefined ? undefined : `[${each}]`
  }
  if (isInputObjectType(inner)) {
    const fields = Object.values(inner.getFields()).flatMap((field) => {
      const value = literal(field.type, field.name, id, visit)
      return value === undefined ? [] : [`${field.name}: ${value}`]
    })
    return `{ ${fields.join(', ')} }`
  }
  if (name === 'token') return JSON.stringify(visit)
  if (String(inner) === 'ID' && REFERS.test(name)) return `"${id}"`
  if (!isNonNullType(type)) return undefined
  if ('getValues' in inner) return (inner as { getValues(): readonly { name: string }[] }).getValues()[0]!.name
  const samples: Record<string, string> = {
    ID: `"${id}"`,
    Int: '1',
    Float: '1',
    Boolean: 'true',
    String: '"x"',
    DateTime: '"2026-12-01T08:30:00Z"',
    Date: '"2026-12-01"',
    JSON: '{}',
  }
  return samples[String(inner)] ?? '"x"'
}

/** What a socket is told first: a frame, or how it is refused. */
function firstOf(port: number, path: string, token: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['smartqueue.v1', `bearer.${token}`])
    socket.on('message', (data) => {
      resolve(`message ${(data as Buffer).toString()}`)
      socket.terminate()
    })
    socket.on('close', (code, reason) => resolve(`closed ${code} ${reason.toString()}`))
    socket.on('unexpected-response', (request, { statusCode }) => {
      resolve(`refused ${statusCode}`)
      request.destroy()
    })
    socket.on('error', (error) => resolve(`failed ${error.message}`))
  })
}

/** What a subscription is answered first. */
function subscribed(port: number, token: string, query: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws')
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
    )
    socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as { type: string; payload?: unknown }
      if (message.type === 'connection_ack')
        return socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }))
      if (message.type === 'ping') return
      resolve(JSON.stringify(message).replace(/"request_id":"[^"]*"/, ''))
      socket.terminate()
    })
    socket.on('close', (code) => resolve(`closed ${code}`))
    socket.on('error', (error) => resolve(`failed ${error.message}`))
  })
}
