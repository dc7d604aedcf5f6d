import { GraphQLBoolean, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLString, type GraphQLObjectType } from 'graphql'
import { backward, ROW_CURSOR, type PageOf } from '../../kernel/list.ts'
import type { Connection } from './context.ts'
import type { Types } from './types.ts'

/** Cursor connections (the Relay specification) over the pages of list operations. */
export class Connections {
  #types: Types
  #pageInfo: GraphQLObjectType
  #known = new Map<GraphQLObjectType, GraphQLObjectType>()

  constructor(types: Types) {
    this.#types = types
    this.#pageInfo = types.made('PageInfo', () => ({
      hasNextPage: { type: new GraphQLNonNull(GraphQLBoolean) },
      hasPreviousPage: { type: new GraphQLNonNull(GraphQLBoolean) },
      startCursor: { type: GraphQLString },
      endCursor: { type: GraphQLString },
    }))
  }

  of(node: GraphQLObjectType): GraphQLObjectType {
    const known = this.#known.get(node)
    if (known) return known
    const edge = this.#types.made(`${node.name}Edge`, () => ({
      node: { type: new GraphQLNonNull(node) },
      cursor: { type: new GraphQLNonNull(GraphQLString) },
    }))
    const list = new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(edge)))
    const connection = this.#types.made(`${node.name}Connection`, () => ({
      edges: { type: list },
      nodes: {
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(node))),
        resolve: (source) => (source as Connection).edges.map((each) => each.node),
      },
      pageInfo: { type: new GraphQLNonNull(this.#pageInfo) },
    }))
    this.#known.set(node, connection)
    return connection
  }
}

/** Arguments that go forward, which is all that children of a row offer. */
export const FORWARD = {
  first: { type: GraphQLInt, description: 'At most so many, 1 to 200' },
  after: { type: GraphQLString, description: 'Cursor of the last one seen' },
}
export const BOTH_WAYS = {
  ...FORWARD,
  last: { type: GraphQLInt, description: 'With `before`: at most so many' },
  before: { type: GraphQLString, description: 'Cursor of the first one seen' },
}

export interface PageArguments {
  first?: number | null
  after?: string | null
  last?: number | null
  before?: string | null
}

/** Connection arguments as a list operation takes them. */
export function pageInput({ first, after, last, before }: PageArguments): { limit?: number; cursor?: string } {
  const limit = before ? (last ?? first) : (first ?? last)
  const cursor = before ? backward(before) : after
  return { ...(limit !== undefined && limit !== null && { limit }), ...(cursor && { cursor }) }
}

/** A page of a list operation as a connection. */
export function connectionOf(page: PageOf<unknown>): Connection {
  const cursorOf = page[ROW_CURSOR]
  if (!cursorOf && page.results.length > 0) throw new Error('a list without cursors of its rows')
  const edges = page.results.map((node, i) => ({ node, cursor: cursorOf!(i) }))
  return {
    edges,
    pageInfo: {
      hasNextPage: page.next !== null,
      hasPreviousPage: page.previous !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}
