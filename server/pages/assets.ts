import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import type { FastifyInstance } from 'fastify'
import { etagOf, matchesEtag } from '../kernel/etag.ts'
import { notFound } from '../kernel/errors.ts'

interface Asset {
  body: string
  etag: string
  type: string
}
const SHARED = new URL('../../shared/', import.meta.url)
const PAGES = new URL('./browser/', import.meta.url)
/** Of this module, so of the others: `.js` once it is installed as a package. */
const EXTENSION = import.meta.url.slice(-3)
const cache = new Map<string, Promise<Asset>>()

/** A module as browsers run it: without its types, importing its neighbours by their addresses here. */
async function script(file: URL): Promise<Asset> {
  const source = await readFile(file, 'utf8')
  const body = quietly(() => stripTypeScriptTypes(source))
    .replace(/(from\s+|import\s+)'(?:\.\.\/)+shared\/([\w-]+)\.[jt]s'/g, "$1'/assets/shared/$2.js'")
    .replace(/(from\s+|import\s+)'\.\/([\w-]+)\.[jt]s'/g, "$1'./$2.js'")
  return { body, etag: etagOf(body), type: 'text/javascript; charset=utf-8' }
}
/** The stripper calls itself experimental on the terminal of whoever starts the server; it is the one Node itself runs on. */
function quietly<T>(work: () => T): T {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return work()
  } finally {
    process.emitWarning = emitWarning
  }
}
async function style(): Promise<Asset> {
  const body = await readFile(new URL('./pages.css', import.meta.url), 'utf8')
  return { body, etag: etagOf(body), type: 'text/css; charset=utf-8' }
}

/** The pages' files: the code that screens and server share, the pages' scripts and their style. */
export function assets(app: FastifyInstance): void {
  const serve = (url: string, load: (name: string) => Promise<Asset>) =>
    app.get<{ Params: { name?: string } }>(url, async (request, reply) => {
      const name = request.params.name?.replace(/\.js$/, '') ?? ''
      if (!/^[a-z-]*$/.test(name)) throw notFound()
      let loading = cache.get(url + name)
      if (!loading) {
        cache.set(url + name, (loading = load(name)))
        loading.catch(() => cache.delete(url + name))
      }
      const { body, etag, type } = await loading.catch(() => {
        throw notFound()
      })
      reply.header('cache-control', 'no-cache').header('etag', etag)
      if (matchesEtag(request.headers['if-none-match'] ?? '', etag)) return reply.code(304).send()
      return reply.type(type).send(body)
    })
  serve('/assets/pages.css', style)
  serve('/assets/shared/:name', (name) => script(new URL(name + EXTENSION, SHARED)))
  serve('/assets/pages/:name', (name) => script(new URL(name + EXTENSION, PAGES)))
}
