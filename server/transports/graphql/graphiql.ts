import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { notFound } from '../../kernel/errors.ts'

const PAGE_PATH = '/graphiql'
const STATIC_PATH = `${PAGE_PATH}/static/`

/**
 * GraphiQL for developers, served from here alone. A policy of its own: its editor makes markup from text and styles
 * at will, which no page of the product may. 404 where development dependencies are not installed.
 */
export function graphiql(app: FastifyInstance): void {
  app.get(PAGE_PATH, async (_, reply) => {
    const { page, policy } = await (loading ??= load())
    return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(page)
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

let loading: ReturnType<typeof load> | undefined
async function load() {
  const { ruruHTML } = await import('ruru/server').catch(absent)
  const page = ruruHTML({
    staticPath: STATIC_PATH,
    endpoint: '/graphql',
    subscriptionEndpoint: '/graphql',
    htmlParts: { titleTag: '<title>SmartQueue GraphiQL</title>' },
  })
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
