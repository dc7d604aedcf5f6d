import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { notFound } from '../kernel/errors.ts'
import type { Locale } from '../kernel/schema.ts'
import { allowPage } from '../transports/security/headers.ts'
import { brandAddress, brandStyles } from './brand.ts'
import { html, Html } from './html.ts'
import { widgetPreview } from './widget-preview.ts'

/** As web/build writes it; one of these an app. */
interface BuiltApp {
  main: string
  messages: Record<Locale, string>
  preloads: string[]
  styles: string[]
  /** What a page asks for before its styles do. */
  fonts: { url: string; script: 'latin' | 'arabic' }[]
  worker?: string
}
interface Manifest {
  hash: string
  apps: Record<string, BuiltApp>
  renderers: Record<string, string>
}
interface File {
  type: string
  bytes: Buffer
  /** The same, compressed when the screens were built. */
  br?: Buffer
  gzip?: Buffer
}

export interface ScreenOptions {
  /** Folder of web/apps. */
  app: string
  locale: Locale
  title: string
  /** What the app needs at its start: JSON, never run. */
  data?: unknown
  /** Markup inside `#app`: what is there before, and without, scripts. */
  content?: Html
  theme?: 'dark'
  density?: 'console' | 'wall'
  /** Colour of the organisation's own, for what is pressed. */
  brand?: string | null
  /** Languages whose texts the app needs beside the page's own. */
  alsoIn?: readonly Locale[]
  /** What stands above the app whatever it shows. */
  above?: Html
  /** Further elements of the head. */
  head?: Html
  /** The page may register the service worker of its app. */
  hasWorker?: boolean
  status?: number
}

const DIST = new URL('../../dist/web/', import.meta.url)
const TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.mp3': 'audio/mpeg',
  '.wav': 'audio/wav',
  '.png': 'image/png',
}
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** What pages of others name has one address for all times. */
const EMBEDDED = 'public, max-age=600'

/** The built apps of web/: their files, and pages that start them. */
export class Screens {
  readonly #isDevelopment: boolean
  #manifest: Manifest | undefined
  /** By address. */
  #files = new Map<string, File>()

  constructor(options: { isDevelopment: boolean }) {
    this.#isDevelopment = options.isDevelopment
  }

  register(app: FastifyInstance): void {
    app.get<{ Params: { app: string; file: string } }>('/assets/:app/:file', (request, reply) =>
      this.#send(request, reply, () => `/assets/${request.params.app}/${request.params.file}`),
    )
    brandStyles(app)
    app.get('/widget.js', (request, reply) => {
      reply.header('cross-origin-resource-policy', 'cross-origin')
      return this.#send(request, reply, ({ apps }) => apps['widget']!.main, EMBEDDED)
    })
    widgetPreview(app)
    if (!this.#isDevelopment) return
    app.get('/__kit', (request, reply) => {
      const { lang, theme } = request.query as Record<string, string>
      const locale = lang === 'en' || lang === 'ar' ? lang : 'fr'
      return this.page(reply, { app: 'kit', locale, title: 'Kit', ...(theme === 'dark' && { theme: 'dark' }) })
    })
  }

  /** A whole page that runs one app. Nothing inline is executed: the app's files carry the answer's nonce. */
  page(reply: FastifyReply, options: ScreenOptions): FastifyReply {
    const {
      app,
      locale,
      title,
      data,
      content,
      theme,
      density,
      brand,
      head,
      above,
      alsoIn = [],
      hasWorker = false,
    } = options
    const styles = (href: string) => html`<link rel="stylesheet" href="${href}" />`
    const built = this.#load().apps[app]!
    const nonce = allowPage(reply, { hasWorker })
    const json = data === undefined ? '' : JSON.stringify(data).replaceAll('<', '\\u003c')
    const fonts = built.fonts.filter(({ script }) => script === (locale === 'ar' ? 'arabic' : 'latin'))
    const scripts = [...new Set([locale, ...alsoIn])].map((each) => built.messages[each])
    const attributes = [`lang="${locale}"`, `dir="${locale === 'ar' ? 'rtl' : 'ltr'}"`]
    if (theme) attributes.push(`data-theme="${theme}"`)
    if (density) attributes.push(`data-density="${density}"`)
    const body = html`<!doctype html>
      ${new Html(`<html ${attributes.join(' ')}>`)}
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="referrer" content="no-referrer" />
          <title>${title}</title>
          ${built.styles.map(styles)} ${brand && styles(brandAddress(brand))}
          ${fonts.map(({ url }) => html`<link rel="preload" href="${url}" as="font" type="font/woff2" crossorigin />`)}
          ${built.preloads.map((href) => html`<link rel="modulepreload" href="${href}" nonce="${nonce}" />`)} ${head}
          ${
            json &&
            html`<script type="application/json" id="data">
              ${new Html(json)}
            </script>`
          }
          ${[...scripts, built.main].map((src) => html`<script type="module" nonce="${nonce}" src="${src}"></script>`)}
        </head>
        <body>
          ${above}
          <div id="app">${content}</div>
        </body>
      </html>`
    return reply
      .code(options.status ?? 200)
      .header('cache-control', 'no-store')
      .header('vary', 'accept, accept-language')
      .header('content-language', locale)
      .type('text/html; charset=utf-8')
      .send(body.markup.replace(/>\n\s+</g, '>\n<'))
  }

  /** The module that renders an app's pages on the server: its exports, as web/apps/<app>/server.tsx has them. */
  async renderer<Module>(app: string): Promise<Module> {
    const manifest = this.#load()
    const file = new URL(manifest.renderers[app]!, DIST)
    // The address changes with what was built: a module is loaded once per address.
    return (await import(`${pathToFileURL(file.pathname).href}?${manifest.hash}`)) as Module
  }

  /** The service worker of an app. It may ask this origin only, which its own policy says. */
  worker(reply: FastifyReply, app: string): FastifyReply {
    const file = new URL(this.#load().apps[app]!.worker!, DIST)
    return reply
      .header('cache-control', 'no-cache')
      .header('content-security-policy', "default-src 'self'")
      .type(TYPES['.js']!)
      .send(readFileSync(file))
  }

  /** Reads what was built; again in development, where it may have been built anew. */
  #load(): Manifest {
    if (this.#manifest && !this.#isDevelopment) return this.#manifest
    let text: string
    try {
      text = readFileSync(new URL('manifest.json', DIST), 'utf8')
    } catch {
      throw new Error('the screens are not built: run `npm run build`')
    }
    const manifest = JSON.parse(text) as Manifest
    if (manifest.hash === this.#manifest?.hash) return this.#manifest
    const root = new URL('assets/', DIST)
    const files = new Map<string, File>()
    for (const app of readdirSync(root)) {
      const folder = new URL(`${app}/`, root)
      const names = new Set(readdirSync(folder))
      for (const name of names) {
        if (/\.(br|gz)$/.test(name)) continue
        const read = (file: string) => readFileSync(new URL(file, folder))
        files.set(`/assets/${app}/${name}`, {
          type: TYPES[extname(name)] ?? 'application/octet-stream',
          bytes: read(name),
          ...(names.has(`${name}.br`) && { br: read(`${name}.br`) }),
          ...(names.has(`${name}.gz`) && { gzip: read(`${name}.gz`) }),
        })
      }
    }
    this.#files = files
    this.#manifest = manifest
    return manifest
  }

  /** By default for ever: the name of a file changes with what is in it. */
  #send(
    request: FastifyRequest,
    reply: FastifyReply,
    addressIn: (manifest: Manifest) => string,
    caching = IMMUTABLE,
  ): FastifyReply {
    const address = addressIn(this.#load())
    const file = this.#files.get(address)
    if (!file) throw notFound()
    const accepted = String(request.headers['accept-encoding'] ?? '')
    reply.header('cache-control', caching).type(file.type)
    if (file.br || file.gzip) reply.header('vary', 'accept-encoding')
    if (file.br && /\bbr\b/.test(accepted)) return reply.header('content-encoding', 'br').send(file.br)
    if (file.gzip && /\bgzip\b/.test(accepted)) return reply.header('content-encoding', 'gzip').send(file.gzip)
    return reply.send(file.bytes)
  }
}
