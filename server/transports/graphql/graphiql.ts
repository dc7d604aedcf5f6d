import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { notFound } from '../../kernel/errors.ts'

const PAGE_PATH = '/graphiql'
const STATIC_PATH = `${PAGE_PATH}/static/`

/**
 * GraphiQL for developers, served from here alone. A policy of its own: its editor makes markup from text and styles
 * at will, which no page of the product may. 404 where development dependencies are not installed.
 */
export function graphiql(
  app: FastifyInstance,
  /** What shows that a change comes from a page of the console's session, where there is one. */
  csrfToken: (request: FastifyRequest) => Promise<string | undefined>,
): void {
  app.get(PAGE_PATH, async (request, reply) => {
    const { page, policy } = await (loading ??= load())
    const token = (await csrfToken(request)) ?? ''
    return reply
      .headers({ 'content-security-policy': policy, 'cache-control': 'no-store' })
      .type('text/html; charset=utf-8')
      .send(page.replace('<head>', () => `<head><meta name="csrf-token" content="${token}" />`))
  })
  app.get(`${STATIC_PATH}*`, async (request, reply) => {
    const { getStaticFile } = await import('ruru/static').catch(absent)
    const acceptEncoding = request.headers['accept-encoding']
    const file = await getStaticFile({ staticPath: STATIC_PATH, urlPath: request.url, acceptEncoding })
    if (!file) throw notFound()
    // Workers of the editor have a policy of their own: what they load is here as well.
    return reply.headers({ ...file.headers, 'content-security-policy': "default-src 'self'" }).send(file.content)
  })
}

/** Whoever is signed in at the console asks as themselves, unless the headers beside the query say otherwise. */
const AS_CONSOLE = `{
  const plain = window.fetch
  const token = document.querySelector('meta[name=csrf-token]').content
  window.fetch = (resource, init) => {
    const request = new Request(resource, init)
    const isOwn = new URL(request.url).pathname === '/graphql' && !request.headers.has('authorization')
    if (token && isOwn) request.headers.set('x-csrf-token', token)
    return plain(request)
  }
}`

let loading: ReturnType<typeof load> | undefined
async function load() {
  const { ruruHTML } = await import('ruru/server').catch(absent)
  const whole = ruruHTML({
    staticPath: STATIC_PATH,
    endpoint: '/graphql',
    subscriptionEndpoint: '/graphql',
    htmlParts: { titleTag: '<title>SmartQueue GraphiQL</title>' },
  })
  const page = whole.replace('<head>', () => `<head><script>${AS_CONSOLE}</script>`)
  const inline = [...page.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]!)
  const hashes = inline.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`)
  const policy =
    `default-src 'self'; script-src 'self' ${hashes.join(' ')}; style-src 'self' 'unsafe-inline'; ` +
    `img-src 'self' data:; font-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'`
  return { page, policy }
}

function absent(error: NodeJS.ErrnoException): never {
  if (error.code === 'ERR_MODULE_NOT_FOUND') throw notFound()
  throw error
}
