import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import Fastify, { LogController, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { AppError, notFound } from '../kernel/errors.ts'
import { PROBLEM_TYPE, problemOf, sendProblem } from './problem.ts'
import { pathPattern } from './routes.ts'
import { cors } from './security/cors.ts'
import { securityHeaders } from './security/headers.ts'
import { originForm } from './security/host.ts'
import { requireHttps } from './security/https.ts'

export interface HttpOptions {
  isAllowedHost(request: IncomingMessage): boolean
  /** Addresses whose X-Forwarded-* is believed. */
  trustedProxies: readonly string[]
  /** Plain HTTP is sent on or refused, and browsers remember it. */
  isSecure: boolean
  /** Origins whose pages may call the interface with a token of their own. */
  corsAllowedOrigins: readonly string[]
  errorPage?: FastifyInstance['errorPage']
  logger?: FastifyServerOptions['loggerInstance']
}

const MAX_BODY_BYTES = 65_536
/** Longer than the usual proxy's, so that the proxy closes first and never meets a closed connection. */
const KEEP_ALIVE_MS = 75_000

/** A Fastify server that refuses what no route should have to think about, and answers every failure as a problem. */
export function createHttp(options: HttpOptions): FastifyInstance {
  const headers = securityHeaders(options.isSecure)
  const app = Fastify({
    ...(options.logger && { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    bodyLimit: MAX_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 30_000,
    // Node's own answer to a missing Host has no body; the hook below refuses it with a problem document.
    http: { requireHostHeader: false },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
    genReqId: requestId,
    rewriteUrl: (request) => originForm(request),
    clientErrorHandler: refuseMalformed,
    // These never meet the hooks below.
    frameworkErrors: (error, request, reply) =>
      void sendProblem(request, reply.header('x-request-id', request.id).headers(headers), error),
  }) as unknown as FastifyInstance

  app.decorateRequest('caller', null)
  app.decorateRequest('measuredAs', null)
  app.decorate('errorPage', options.errorPage ?? null)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id).headers(headers)
    if (isFramedTwice(request.raw)) {
      reply.header('connection', 'close')
      return done(new AppError('invalid_input', 'malformed_request'))
    }
    done(options.isAllowedHost(request.raw) ? undefined : new AppError('invalid_input', 'host_not_allowed'))
  })
  if (options.isSecure) requireHttps(app)
  cors(app, options.corsAllowedOrigins)
  // An empty body is an empty input: clients set the content type before they know that they have nothing to say.
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined)
    return parseJson(request, body as string, (error, value) =>
      done(error && new AppError('invalid_input', 'malformed_json'), value),
    )
  })
  app.removeContentTypeParser('text/plain')
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error))
  answerUnknownRoutes(app)
  return app
}

/** HTTP/1.0 knows no chunks: whoever is in between may see the end elsewhere (RFC 9112 §6.1). */
const isFramedTwice = ({ httpVersion, headers }: IncomingMessage) =>
  httpVersion === '1.0' && headers['transfer-encoding'] !== undefined

/** 404, or 405 with Allow where the path answers other methods. */
function answerUnknownRoutes(app: FastifyInstance) {
  const paths = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = url.replace(/:(\w+)/g, '{$1}')
    const known = paths.get(pattern) ?? { pattern: pathPattern(pattern), methods: new Set<string>() }
    for (const each of [method].flat()) known.methods.add(each)
    paths.set(pattern, known)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!
    const methods = new Set(
      [...paths.values()].filter(({ pattern }) => pattern.test(path)).flatMap((known) => [...known.methods]),
    )
    if (methods.size === 0) return sendProblem(request, reply, notFound())
    reply.header('allow', [...methods, 'OPTIONS'].toSorted().join(', '))
    if (request.method === 'OPTIONS') return reply.code(204).send()
    return sendProblem(request, reply, new AppError('method_not_allowed', 'method_not_allowed'))
  })
}

const processId = randomBytes(5).toString('hex')
let requests = 0
/** The caller's own X-Request-Id when it is harmless, else one unique among all processes. */
export function requestId(request: { headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{8,100}$/.test(given)
    ? given
    : `${processId}-${(requests++).toString(36)}`
}

/** What is not HTTP reaches no route: it is answered on the bare socket. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const refusal =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new AppError('too_large', 'payload_too_large')
      : new AppError('invalid_input', 'malformed_request')
  const body = JSON.stringify(problemOf(refusal, 'en', `${processId}-${(requests++).toString(36)}`))
  socket.end(
    `HTTP/1.1 ${refusal.status} Refused\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
