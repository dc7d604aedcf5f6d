import { createHash } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Feed } from '../kernel/feed.ts'
import { etagOf, matchesEtag } from '../kernel/etag.ts'
import { AppError, notFound } from '../kernel/errors.ts'
import { translate } from '../kernel/i18n.ts'
import type { Operation } from '../kernel/operation.ts'
import { callerLocale } from './locale.ts'
import { asyncApiDocument } from './asyncapi.ts'
import { openApiDocument } from './openapi.ts'

export interface DocumentsOptions {
  operations: readonly Operation[]
  feeds: readonly Feed[]
  version: string
}

/**
 * Alive: the process answers. Ready: it may be given work; not when the database does not answer, or when it is
 * stopping.
 */
export function health(app: FastifyInstance, isReady: () => Promise<boolean>): void {
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', async () => {
    if (!(await isReady())) throw new AppError('unavailable', 'shutting_down', { retryAfterSeconds: 2 })
    return { status: 'ok' }
  })
}

/** What the server says about itself: its interface and its errors. */
export function documents(app: FastifyInstance, options: DocumentsOptions): void {
  const described = {
    '/api/v1/openapi.json': () => openApiDocument(options.operations, { version: options.version }),
    '/api/v1/asyncapi.json': () => asyncApiDocument(options),
  }
  for (const [path, describe] of Object.entries(described)) {
    // By the first who reads it: describing it takes longer than the rest of a start.
    let written: { text: string; etag: string } | undefined
    app.get(path, (request, reply) => {
      if (!written) {
        const text = JSON.stringify(describe())
        written = { text, etag: etagOf(text) }
      }
      const { text, etag } = written
      reply.header('cache-control', 'no-cache').header('etag', etag)
      if (matchesEtag(request.headers['if-none-match'] ?? '', etag)) return reply.code(304).send()
      return reply.type('application/json; charset=utf-8').send(text)
    })
  }
  app.get<{ Params: { code: string } }>('/errors/:code', (request, reply) => {
    const { code } = request.params
    const locale = callerLocale(request)
    const text = translate(locale, `errors.${code}`)
    if (text === `errors.${code}`) throw notFound()
    // People who follow the type of a refusal read it among the others.
    if (/text\/html/.test(request.headers.accept ?? ''))
      return reply.redirect(`/developer/errors?lang=${locale}#${code}`)
    return { code, text }
  })
  // What the page loads is relative to it.
  app.get('/docs', (request, reply) =>
    request.url.startsWith('/docs/') ? reference(request, reply) : reply.redirect('/docs/', 308),
  )
  app.get('/docs/*', reference)
}

/**
 * The API reference for people: served from here alone, its one inline script allowed by its hash. It weighs 40 MB of
 * memory, so it is loaded by the first who reads it.
 */
async function reference(request: FastifyRequest, reply: FastifyReply) {
  const { inside, policy } = await (loading ??= loadReference())
  const path = new URL(request.url, 'http://localhost').pathname
  const { statusCode, headers, rawPayload } = await inside.inject(path)
  if (statusCode !== 200) throw notFound()
  return reply
    .header('content-security-policy', policy)
    .header('cache-control', 'max-age=3600')
    .type(String(headers['content-type']))
    .send(rawPayload)
}

let loading: ReturnType<typeof loadReference> | undefined
async function loadReference() {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const inside = Fastify()
  await inside.register(scalar, {
    routePrefix: '/docs',
    configuration: {
      url: '/api/v1/openapi.json',
      pageTitle: 'SmartQueue API',
      withDefaultFonts: false,
      hideClientButton: true,
      telemetry: false,
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  })
  const { payload } = await inside.inject('/docs/')
  const scripts = [...payload.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]!)
  const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`)
  const policy =
    `default-src 'self'; script-src 'self' ${hashes.join(' ')}; style-src 'self' 'unsafe-inline'; ` +
    `img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'`
  return { inside, policy }
}
