import type { FastifyInstance } from 'fastify'
import type { Shared } from './context.ts'
import { Executor } from './executor.ts'
import { graphqlHttp } from './http.ts'
import { graphqlSockets, type GraphqlSocketOptions, type GraphqlSockets } from './socket.ts'
import { buildGraphqlSchema, type Registry } from './schema.ts'

export { graphiql } from './graphiql.ts'
export { buildGraphqlSchema } from './schema.ts'

export interface GraphqlOptions {
  registry: Registry
  shared: Shared
  mayIntrospect: boolean
  hidesSuggestions: boolean
}
export interface Graphql {
  /** Serves queries and mutations. */
  http(app: FastifyInstance): void
  /** Serves subscriptions too. */
  sockets(options: Omit<GraphqlSocketOptions, 'shared' | 'executor' | 'hidesSuggestions'>): GraphqlSockets
}

/** Everything the registry can do, as GraphQL. */
export function graphql({ registry, shared, mayIntrospect, hidesSuggestions }: GraphqlOptions): Graphql {
  const executor = new Executor(buildGraphqlSchema(registry), { mayIntrospect })
  return {
    http: (app) => graphqlHttp(app, { shared, executor, hidesSuggestions }),
    sockets: (options) => graphqlSockets({ ...options, shared, executor, hidesSuggestions }),
  }
}
