import type { FastifyInstance } from 'fastify'

const EXPOSED =
  'content-language, etag, idempotent-replayed, ratelimit, ratelimit-policy, retry-after, stream-position, x-request-id'
const ALLOWED =
  'accept-language, authorization, challenge-solution, content-type, idempotency-key, if-match, if-none-match, x-biometric-token, x-request-id, x-tenant'
const PREFLIGHT_SECONDS = 600

/**
 * Lets pages of the listed origins call the interface with a bearer token (Fetch standard §3.2). Cookies are never among
 * it: there is no Access-Control-Allow-Credentials. Whoever is not listed gets no header, and the browser refuses.
 */
export function cors(app: FastifyInstance, allowedOrigins: readonly string[]): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    // Caches must keep the answers apart, also those to requests without an Origin.
    if (allowedOrigins.length > 0) reply.header('vary', 'origin')
    const isAllowed = origin !== undefined && allowedOrigins.includes(origin)
    if (isAllowed) {
      reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', EXPOSED)
      // The answer is for another site's page, by its own wish.
      reply.header('cross-origin-resource-policy', 'cross-origin')
    }
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return done()
    if (isAllowed) {
      reply
        .header('access-control-allow-methods', 'GET, POST, PATCH, PUT, DELETE')
        .header('access-control-allow-headers', ALLOWED)
        .header('access-control-max-age', String(PREFLIGHT_SECONDS))
    }
    return reply.code(204).send()
  })
}
