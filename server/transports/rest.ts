import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { etagOf, matchesEtag } from '../kernel/etag.ts'
import { AppError } from '../kernel/errors.ts'
import type { Runtime } from '../kernel/execute.ts'
import { limitHeaders } from '../kernel/limits/index.ts'
import type { Operation, Outcome } from '../kernel/operation.ts'
import { bearerToken, type Authenticator } from './authenticate.ts'
import { gatherInput } from './input.ts'
import { asksForFresh, JSON_TYPE, type Lane } from './lane.ts'
import { deprecationHeaders } from './deprecation.ts'
import { prefersHtml, PROBLEM_TYPE } from './problem.ts'
import { fastifyPath, routesOf, type Route } from './routes.ts'

export interface RestOptions {
  runtime: Runtime
  authenticator: Authenticator
  operations: readonly Operation[]
  /** Pages for browsers at an operation's address, by operation id: taken when the request prefers HTML. */
  pages?: ReadonlyMap<string, (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>>
  /** Answers the same question next time. */
  lane?: Lane
  /** Told of every success before it leaves: cookies are headers, which no operation knows. */
  answered?(request: FastifyRequest, reply: FastifyReply, output: unknown): void
}

/** One route per operation and spelling; nothing here knows any operation by name. */
export function rest(app: FastifyInstance, options: RestOptions): void {
  for (const op of options.operations) for (const route of routesOf(op)) addRoute(app, options, op, route)
}

function addRoute(app: FastifyInstance, options: RestOptions, op: Operation, route: Route) {
  const { runtime, authenticator, pages, lane } = options
  // What a secret in the address opens is somebody's own, and what a change answers may be a secret: nobody on the way keeps it.
  const isPrivate = route.entrance !== 'public' || op.kind === 'mutation' || route.path.includes('{link}')
  const page = op.kind === 'query' ? pages?.get(op.id) : undefined
  app.route({
    method: route.method,
    url: fastifyPath(route.path),
    config: { operation: op.id },
    ...(op.http.maxBodyBytes !== undefined && { bodyLimit: op.http.maxBodyBytes }),
    // Before the body is read: who may not come in sends nothing.
    onRequest: async (request, reply) => {
      if (op.deprecated) reply.headers(deprecationHeaders(op.deprecated))
      request.caller = await authenticator.caller(route.entrance, op, request)
    },
    handler: async (request, reply) => {
      if (page && prefersHtml(request)) return page(request, reply)
      const { headers } = request
      const input = gatherInput(
        op,
        request.params as Record<string, string>,
        request.query as Record<string, string>,
        request.body,
      )
      const outcome = await runtime.execute(op, {
        ...request.caller!,
        input,
        key: route.method === 'POST' ? idempotencyKey(headers['idempotency-key']) : undefined,
        ifMatch: op.kind === 'mutation' ? headers['if-match'] : undefined,
        solution: solutionOf(headers),
        requestId: request.id,
        origin: { address: request.ip, userAgent: headers['user-agent'] },
        limited: (states) => void reply.headers(limitHeaders(states)),
        isFresh: op.kept && asksForFresh(headers),
      })
      if (outcome.status < 300 && !outcome.replayed) options.answered?.(request, reply, outcome.output)
      if (page) reply.header('vary', 'accept')
      if (lane && !op.deprecated && outcome.kept && route.entrance.endsWith('tenant')) {
        const { actor, tenant, locale } = request.caller!
        const token = bearerToken(headers.authorization)
        const named = (request.params as { tenant?: string }).tenant ?? tenant!.id
        const asked = { op, route: request.routeOptions.url, actor, tenant: tenant!, locale, input, named }
        if (token !== undefined) lane.remember(request.raw, outcome.kept, { ...asked, token })
      }
      return answer(request, reply, op, outcome, isPrivate)
    },
  })
}

/** What the caller found for a challenge it was given. */
export function solutionOf(headers: FastifyRequest['headers']): string | undefined {
  const solution = headers['challenge-solution']
  return typeof solution === 'string' ? solution : undefined
}

function answer(request: FastifyRequest, reply: FastifyReply, op: Operation, outcome: Outcome, isPrivate: boolean) {
  reply.header('cache-control', isPrivate ? 'no-store' : 'no-cache').code(outcome.status)
  if (outcome.replayed) reply.header('idempotent-replayed', 'true')
  if (outcome.status === 204) return reply.send()
  if (op.kind === 'query') {
    const { kept } = outcome
    const etag = kept?.etag ?? etagOf(outcome.body)
    reply.header('etag', etag)
    if (kept) reply.header('stream-position', kept.position)
    // Compared weakly: a proxy that compresses marks the tag it passes on.
    const known = request.headers['if-none-match']?.replaceAll('W/', '')
    if (known !== undefined && matchesEtag(known, etag)) return reply.code(304).send()
  }
  return reply
    .type(outcome.status >= 400 ? PROBLEM_TYPE : (op.http.contentType ?? JSON_TYPE))
    .send(outcome.kept?.body ?? outcome.body)
}

/**
 * The key of a POST: 1 to 255 printable ASCII characters, bare or as a structured-field string (RFC 8941 §3.3.3).
 * @throws AppError invalid_input
 */
export function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(String(header))?.[1]?.replace(/\\(["\\])/g, '$1')
  const key = quoted ?? String(header)
  if (Array.isArray(header) || !/^[\x20-\x7e]{1,255}$/.test(key))
    throw new AppError('invalid_input', 'idempotency_key_invalid')
  return key
}
