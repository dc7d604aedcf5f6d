import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ExecutionResult } from 'graphql'
import { AppError } from '../../kernel/errors.ts'
import { limitHeaders } from '../../kernel/limits/index.ts'
import { ANONYMOUS, askedLocale, type Authenticator } from '../authenticate.ts'
import { callerLocale } from '../locale.ts'
import { refusalOf } from '../problem.ts'
import { idempotencyKey, solutionOf } from '../rest.ts'
import { GraphqlContext, type Asker, type Shared } from './context.ts'
import { formatError, type Formatting } from './errors.ts'
import { GraphQLErrors, type Executor, type Wish } from './executor.ts'
import { MAX_COST } from './limits.ts'

const GRAPHQL_PATH = '/graphql'

export interface GraphqlHttpOptions {
  shared: Shared
  executor: Executor
  hidesSuggestions: boolean
}

/** Answers documents sent by POST as JSON; nothing else reaches an operation, so no foreign page's form can. */
export function graphqlHttp(app: FastifyInstance, { shared, executor, hidesSuggestions }: GraphqlHttpOptions): void {
  app.post(GRAPHQL_PATH, { config: { operation: 'graphql' } }, async (request, reply) => {
    reply.header('cache-control', 'no-store').type('application/json; charset=utf-8')
    const formatting: Formatting = {
      locale: callerLocale(request),
      requestId: request.id,
      hidesSuggestions,
      log: (err) => request.log.error({ err, transport: 'graphql' }, 'request failed'),
    }
    try {
      const wish = wishOf(request.body)
      const prepared = executor.prepare(wish)
      const { operation } = prepared.operation
      request.measuredAs = `graphql.${operation}`
      if (operation === 'subscription') throw new AppError('invalid_input', 'graphql_subscription_over_http')
      const asker = await askerOf(shared.authenticator, request, reply, operation === 'mutation')
      const context = new GraphqlContext(shared, asker)
      await context.placed().then(
        (caller) => {
          request.caller = caller
          formatting.locale = asker.locale = caller.locale
        },
        // Told by the field that needs a tenant: some do not.
        () => {},
      )
      if (asker.key !== undefined && executor.roots(prepared) > 1)
        throw new AppError('invalid_input', 'idempotency_key_invalid')
      const cost = executor.cost(prepared, wish.variables)
      reply.header('x-graphql-cost', String(cost))
      const { data, errors } = await executor.run(prepared, context, wish.variables)
      const answer = {
        ...(data !== undefined && { data }),
        ...(errors?.length && { errors: errors.map((error) => formatError(error, formatting)) }),
        extensions: {
          cost: { requested: cost, limit: MAX_COST },
          ...(context.replayed.length > 0 && { replayed: context.replayed }),
        },
      }
      if (data === undefined) reply.code(400)
      return answer
    } catch (error) {
      return refuse(reply, error, formatting)
    }
  })
}

/** A request that never ran: its status says why. */
function refuse(reply: FastifyReply, error: unknown, formatting: Formatting): ExecutionResult {
  if (error instanceof GraphQLErrors) {
    reply.code(400)
    return { errors: error.errors.map((each) => formatError(each, formatting)) as never }
  }
  const formatted = formatError(error, formatting)
  const { status, retry_after_seconds: retry } = formatted.extensions as {
    status: number
    retry_after_seconds?: number
  }
  reply.code(status)
  if (retry !== undefined) reply.header('retry-after', String(retry))
  if (refusalOf(error).kind === 'unauthorized') reply.header('www-authenticate', 'Bearer')
  return { errors: [formatted] as never }
}

function wishOf(body: unknown): Wish {
  if (Array.isArray(body)) throw new AppError('invalid_input', 'graphql_batch')
  const { query, operationName, variables } = (body ?? {}) as Record<string, unknown>
  const isText = (value: unknown) => value === undefined || value === null || typeof value === 'string'
  const isObject =
    variables === undefined || variables === null || (typeof variables === 'object' && !Array.isArray(variables))
  if (typeof query !== 'string' || !isText(operationName) || !isObject)
    throw new AppError('invalid_input', 'graphql_malformed')
  return { query, operationName: operationName as string | null, variables: variables as Wish['variables'] }
}

/** Whoever shows a credential is its holder or refused; whoever shows none is a stranger. */
async function askerOf(
  authenticator: Authenticator,
  request: FastifyRequest,
  reply: FastifyReply,
  isChange: boolean,
): Promise<Asker> {
  const { headers } = request
  const actor = await authenticator.shown(request, isChange)
  const slug = headers['x-tenant']
  return {
    actor: actor ?? ANONYMOUS,
    slugs: slug === undefined ? [] : [String(slug)],
    language: headers['accept-language'],
    askedLocale: askedLocale(request),
    locale: askedLocale(request) ?? actor?.locale ?? callerLocale(request),
    requestId: request.id,
    origin: { address: request.ip, userAgent: headers['user-agent'] },
    key: idempotencyKey(headers['idempotency-key']),
    solution: solutionOf(headers),
    limited: (states) => void reply.headers(limitHeaders(states)),
  }
}
