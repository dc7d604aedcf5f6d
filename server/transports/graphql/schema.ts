import {
  GraphQLBoolean,
  GraphQLID,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  type GraphQLFieldConfig,
} from 'graphql'
import Type, { type TObject, type TSchema } from 'typebox'
import { ticketStatusName, type TicketStatus } from '../../../shared/ticket-status.ts'
import type { Edge } from '../../kernel/edge.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Feed } from '../../kernel/feed.ts'
import type { PageOf } from '../../kernel/list.ts'
import type { Operation } from '../../kernel/operation.ts'
import { paramsOf, routesOf } from '../routes.ts'
import { BOTH_WAYS, connectionOf, Connections, FORWARD, pageInput, type PageArguments } from './connection.ts'
import type { ChildrenArguments, GraphqlContext, Row } from './context.ts'
import type { Frame } from './follow.ts'
import { read } from './json-schema.ts'
import { fieldName, pascal, typeName, whyAbsent } from './names.ts'
import { DateTime, Json, Long } from './scalars.ts'
import { Types, type Fields } from './types.ts'
import { converterOf } from './values.ts'

export interface Registry {
  operations: readonly Operation[]
  feeds: readonly Feed[]
  edges: readonly Edge[]
}
// oxlint-disable-next-line no-explicit-any -- each field has arguments of its own
type Field = GraphQLFieldConfig<unknown, GraphqlContext, any>

/** Types and root fields from the operations, edges from the modules, subscriptions from the feeds. */
export function buildGraphqlSchema(registry: Registry): GraphQLSchema {
  const operations = registry.operations.filter((op) => whyAbsent(op) === undefined)
  const byId = new Map(registry.operations.map((op) => [op.id, op]))
  const types = new Types((type) => edgesOf(type))
  const connections = new Connections(types)

  // Entities first: what other operations answer with the same shape is the same type.
  for (const op of operations) if (op.id.endsWith('.get')) types.output(op.output as TSchema, typeName(op))
  const entity = (id: string) => {
    const op = byId.get(id)
    if (!op?.readMany) throw new Error(`an edge leads to ${id}, which cannot read many`)
    return types.object(op.output as TSchema, typeName(op))
  }

  function edgesOf(type: string): Fields {
    const own = registry.edges.filter((edge) => edge.types.includes(type))
    return Object.fromEntries(own.map((edge) => [edge.field, edgeField(edge)]))
  }
  function edgeField(edge: Edge): Field {
    const { key, children, summary: description, to } = edge
    if (!children) {
      return {
        description,
        type: entity(to),
        resolve: (source, _, context) => {
          const id = (source as Row)[key!] as number | null | undefined
          return id === null || id === undefined ? null : context.row(to, id)
        },
      }
    }
    const { args } = children
    return {
      description,
      type: connections.of(entity(to)),
      args: { ...(args && types.arguments(args, pascal(edge.types[0]!) + pascal(edge.field))), ...FORWARD },
      resolve: (source, given: ChildrenArguments, context) =>
        context.children(edge, (source as Row)['id'] as number, given),
    }
  }

  const fieldsOf = (kind: Operation['kind']) =>
    Object.fromEntries(
      operations.filter((op) => op.kind === kind).map((op) => [fieldName(op), rootField(op, types, connections)]),
    )
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: fieldsOf('query') }),
    mutation: new GraphQLObjectType({ name: 'Mutation', fields: fieldsOf('mutation') }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: Object.fromEntries(registry.feeds.map((feed) => [feed.name, feedField(feed, types, byId)])),
    }),
  })
}

const isPage = (output: TSchema) => {
  const { properties = {} } = read(output)
  return 'results' in properties && 'next' in properties && 'previous' in properties
}
/** Nothing but a list in an object: the list itself. */
const isPlainList = (output: TSchema) => {
  const { properties = {} } = read(output)
  return Object.keys(properties).join() === 'results' && read(properties['results']!).type === 'array'
}
const itemsOf = (output: TSchema) => read(read(output).properties!['results']!).items!

function rootField(op: Operation, types: Types, connections: Connections): Field {
  const output = op.output as TSchema
  const description = [op.summary, op.description].filter(Boolean).join('. ')
  const type = isPage(output)
    ? new GraphQLNonNull(connections.of(types.object(itemsOf(output), typeName(op, true))))
    : isPlainList(output)
      ? new GraphQLNonNull(new GraphQLList(types.output(itemsOf(output), typeName(op, true))))
      : op.http.status === 204
        ? new GraphQLNonNull(GraphQLBoolean)
        : types.output(output, typeName(op))
  const told = (answer: unknown): unknown => {
    if (isPage(output)) return connectionOf(answer as PageOf<unknown>)
    if (isPlainList(output)) return (answer as { results: unknown }).results
    return op.http.status === 204 ? true : answer
  }
  const isVisitors = routesOf(op)[0]!.entrance === 'visitor'
  const token = isVisitors && { token: { type: new GraphQLNonNull(GraphQLString), description: 'Of the ticket' } }
  const convert = converterOf(op.input as TSchema)
  const inputOf = (given: object) => (convert ? convert(given) : { ...given }) as Row

  if (op.kind === 'query') {
    const args = queryArguments(op, types)
    return {
      type,
      description,
      args: { ...args, ...token },
      async resolve(_, { token: ticket, ...given }: Row & { token?: string }, context) {
        const answer = await context.run(op, queryInput(op, inputOf, given), { token: ticket }).catch(asArguments)
        return told(answer)
      },
    }
  }
  const input = op.input as TObject
  const isNeeded = (read(input).required?.length ?? 0) > 0
  const hasInput = Object.keys(input.properties).length > 0
  const inputType = hasInput && types.inputObject(input, `${pascal(fieldName(op))}Input`)
  return {
    type,
    description,
    args: {
      ...(inputType && { input: { type: isNeeded ? new GraphQLNonNull(inputType) : inputType } }),
      ...token,
      idempotency_key: { type: GraphQLString, description: 'The same key gives the same answer for 24 hours' },
      ...(op.http.method !== 'POST' && {
        if_match: { type: GraphQLString, description: 'ETag the row must still have' },
      }),
    },
    async resolve(_, given: MutationArguments, context) {
      const { input: wanted, token: ticket, idempotency_key: key, if_match: ifMatch } = given
      return told(
        await context.run(op, inputOf(wanted ?? {}), {
          key: key ?? context.asker.key,
          ifMatch: ifMatch ?? undefined,
          token: ticket,
        }),
      )
    },
  }
}
interface MutationArguments {
  input?: object | null
  token?: string
  idempotency_key?: string | null
  if_match?: string | null
}

/** `status` of tickets takes one text with commas over HTTP and a list here. */
const takesStatuses = (op: Operation) => op.id === 'tickets.list'

function queryArguments(op: Operation, types: Types) {
  const { limit: _, cursor: __, ...properties } = op.input.properties as Record<string, TSchema>
  const isList = isPage(op.output as TSchema)
  const shown = isList ? Type.Object({ ...properties }) : (op.input as TObject)
  return {
    ...types.arguments(shown, isList ? typeName(op, true) : pascal(fieldName(op))),
    ...(takesStatuses(op) && { status: { type: new GraphQLList(new GraphQLNonNull(types.ticketStatus)) } }),
    ...(isList && BOTH_WAYS),
  }
}

function queryInput(op: Operation, inputOf: (given: object) => Row, given: Row): Row {
  // An argument that is null is an argument that was not given: reads have no null to set.
  const isList = isPage(op.output as TSchema)
  const { first, after, last, before, ...others } = given
  const named = Object.fromEntries(
    Object.entries(isList ? others : given).filter(([, value]) => value !== null && value !== undefined),
  )
  const { status } = named
  const statuses = takesStatuses(op) && Array.isArray(status) && (status as TicketStatus[]).map(ticketStatusName).join()
  const page = isList ? pageInput({ first, after, last, before } as PageArguments) : {}
  return { ...inputOf(named), ...(statuses && { status: statuses }), ...page }
}

/** A refusal names what the caller wrote. */
const ARGUMENTS: Readonly<Record<string, string>> = { '/limit': '/first', '/cursor': '/after' }
function asArguments(error: unknown): never {
  if (!(error instanceof AppError) || error.fields.length === 0) throw error
  const { kind, code, params } = error
  throw new AppError(kind, code, {
    params,
    fields: error.fields.map((field) => ({ ...field, path: ARGUMENTS[field.path] ?? field.path })),
  })
}

/** What a feed's snapshot looks like, from the operation that answers the same. */
function snapshotType({ name }: Feed, types: Types, byId: ReadonlyMap<string, Operation>) {
  if (name === 'ticket') {
    const { epoch, offset, ticket } = byId.get('tickets.mine')!.output.properties as Record<string, TSchema>
    return types.object(Type.Object({ epoch: epoch!, offset: offset!, ticket: ticket! }), 'VisitorSnapshot')
  }
  const board = byId.get(`${name}s.board`)
  return board && types.object(board.output as TSchema, typeName(board))
}

function feedField(feed: Feed, types: Types, byId: ReadonlyMap<string, Operation>): Field {
  const snapshot = snapshotType(feed, types, byId)
  const params = paramsOf(feed.path).filter((name) => name !== 'tenant')
  const frame = types.made(
    `${pascal(feed.name)}Frame`,
    () => ({
      type: { type: new GraphQLNonNull(GraphQLString), description: '`snapshot`, `resync` or the type of an event' },
      epoch: { type: GraphQLString },
      offset: { type: Long, description: 'Of this event, or of the last one the snapshot includes' },
      after: { type: Long, description: 'Offset of the frame before it: a client that holds it has missed nothing' },
      at: { type: DateTime },
      reason: { type: GraphQLString, description: 'Why the position given could not be continued' },
      ...(snapshot && {
        snapshot: {
          type: snapshot,
          resolve: (source: unknown) => ((source as Frame).type === 'snapshot' ? source : null),
        },
      }),
      frame: {
        type: new GraphQLNonNull(Json),
        description: 'The whole frame as the WebSocket feed sends it',
        resolve: (source: unknown) => source,
      },
    }),
    'See docs/realtime.md',
  )
  return {
    type: new GraphQLNonNull(frame),
    description: feed.summary,
    args: {
      ...Object.fromEntries(
        params.map((name) => [name, { type: new GraphQLNonNull(name.endsWith('_id') ? GraphQLID : GraphQLString) }]),
      ),
      epoch: { type: GraphQLString, description: 'With `since`: where to go on' },
      since: { type: Long, description: 'Offset of the last frame received' },
    },
    subscribe: (_, args: Record<string, string | number>, context) => context.shared.follow!(feed, args, context),
    resolve: (value) => value,
  }
}
