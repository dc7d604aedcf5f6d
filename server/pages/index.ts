import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import ar from '../../shared/locales/ar.json' with { type: 'json' }
import en from '../../shared/locales/en.json' with { type: 'json' }
import fr from '../../shared/locales/fr.json' with { type: 'json' }
import { systemActor, type Actor } from '../kernel/access.ts'
import { now } from '../kernel/clock.ts'
import { AppError, notFound } from '../kernel/errors.ts'
import type { Cache } from '../kernel/cache/cache.ts'
import type { Runtime } from '../kernel/execute.ts'
import { translate } from '../kernel/i18n.ts'
import type { Operation, Request, Tenant } from '../kernel/operation.ts'
import type { Locale } from '../kernel/schema.ts'
import { callerLocale } from '../transports/locale.ts'
import { allowPage, allowPrinter } from '../transports/security/headers.ts'
import { assets } from './assets.ts'
import { displayAccess, openDisplay } from '../modules/displays/index.ts'
import { accountPages } from './account.ts'
import { manifestLink, manifests } from './manifests.ts'
import { outboxPage } from './outbox.ts'
import { statusPage } from './status.ts'
import { referencePages } from './reference.ts'
import { html, page, textsOf, type Html, type PageOptions } from './html.ts'
import type { Screens } from './screens.ts'

export interface PagesOptions {
  runtime: Runtime
  cache: Cache
  operationById: ReadonlyMap<string, Operation>
  tenantBySlug(slug: string): Promise<Tenant | undefined>
  /** Tenants whose sites the front page lists: in development only. */
  listedTenants(): Promise<readonly Tenant[]>
  screens: Screens
  /** Is the outbox shown, and to whom? */
  outbox: 'nobody' | 'operators' | 'everybody'
  /** Whose console session the request's cookie shows, undefined where it shows none that is good. */
  consoleOf(request: FastifyRequest): Promise<Actor | undefined>
}

const catalogues: Record<Locale, Record<string, string>> = { fr, en, ar }

function send(reply: FastifyReply, options: PageOptions, body: Html, status = 200): FastifyReply {
  const nonce = allowPage(reply)
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('vary', 'accept, accept-language')
    .header('content-language', options.locale)
    .type('text/html; charset=utf-8')
    .send(page({ ...options, nonce }, body))
}
interface Site {
  id: number
  name: string
  slug: string
  address: string
}
/** Small pages that live: enough to take a ticket, follow it, call it and show it. Plain HTML, no build step. */
export class Pages {
  #options: PagesOptions

  constructor(options: PagesOptions) {
    this.#options = options
  }

  register(app: FastifyInstance): void {
    assets(app)
    manifests(app)
    this.#options.screens.register(app)
    app.get('/favicon.ico', (_request, reply) => reply.code(204).send())
    app.get('/', (request, reply) => this.#front(request, reply))
    accountPages(app, send, (request) => {
      const locale = callerLocale(request)
      return textsOf(locale, catalogues[locale])
    })
    referencePages(app, send, catalogues.en)
    statusPage(app, send, async () => (await this.#run('platform.status', null, {})) as never)
    const { outbox, consoleOf } = this.#options
    if (outbox !== 'nobody')
      outboxPage(app, {
        isOpen: outbox === 'everybody',
        consoleOf,
        send,
        messages: async () => ((await this.#run('mail.outbox', null, {})) as { results: never[] }).results,
      })
    app.get('/app', (request, reply) => this.#console(request, reply))
    app.get('/app/*', (request, reply) => this.#console(request, reply))
    app.get('/display', (request, reply) => this.#wall(request, reply, 'SmartQueue', {}))
    app.get('/kiosk', (request, reply) =>
      this.#options.screens.page(allowPrinter(reply), {
        app: 'kiosk',
        locale: callerLocale(request),
        title: 'SmartQueue',
        alsoIn: ['fr', 'en', 'ar'],
        hasWorker: true,
        head: manifestLink('/kiosk.webmanifest'),
      }),
    )
    app.get('/kiosk-worker.js', (_request, reply) => this.#options.screens.worker(reply, 'kiosk'))
    app.get('/app/icon/:file', countIcon)
    app.get('/display/:tenant/:id', (request, reply) => this.#display(request, reply))
    app.get('/display/:tenant/:id/access', (request, reply) => this.#displayAccess(request, reply))
  }

  #run(
    id: string,
    tenant: Tenant | null,
    input: object,
    actor = systemActor(tenant?.id ?? 0),
    options: Partial<Request> = {},
  ): Promise<unknown> {
    const op = this.#options.operationById.get(id)!
    const locale = tenant?.locale ?? 'fr'
    return this.#options.runtime.execute(op, { actor, tenant, locale, input, ...options }).then(({ output }) => output)
  }

  async #tenant(request: FastifyRequest): Promise<Tenant> {
    const tenant = await this.#options.tenantBySlug((request.params as { tenant: string }).tenant)
    if (!tenant) throw notFound()
    if (!tenant.is_active) throw new AppError('forbidden', 'tenant_suspended')
    return tenant
  }

  /** Every row of a list that is short by nature. */
  async #all<Row>(id: string, tenant: Tenant, input: object = {}): Promise<Row[]> {
    return ((await this.#run(id, tenant, { ...input, limit: 200 })) as { results: Row[] }).results
  }

  async #front(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const locale = callerLocale(request)
    const tenants = await this.#options.listedTenants()
    const sections = await Promise.all(
      tenants.map(async (tenant) => {
        const sites = await this.#all<Site>('sites.list', tenant, { is_active: true })
        const links = sites.map(
          ({ slug, name }) =>
            html`<li class="row">
              <strong>${name}</strong>
              <a class="button primary" href="/site/${tenant.slug}/${slug}?lang=${locale}"
                >${translate(locale, 'page.take_number')}</a
              >
            </li>`,
        )
        return html`<section class="card">
          <div class="row">
            <h2>${tenant.name}</h2>
            <a href="/app/agent?tenant=${tenant.slug}&lang=${locale}">${translate(locale, 'page.sign_in')}</a>
          </div>
          <ul class="plain">
            ${links}
          </ul>
        </section>`
      }),
    )
    return send(
      reply,
      { locale, title: 'SmartQueue' },
      html`<main>
        <h1>SmartQueue</h1>
        ${sections}
        <p class="links">
          <a href="/app/agent?lang=${locale}">${translate(locale, 'page.sign_in')}</a>
          <a href="/kiosk?lang=${locale}">${translate(locale, 'page.kiosk')}</a>
          <a href="/display?lang=${locale}">${translate(locale, 'page.display')}</a>
          <a href="/docs">${translate(locale, 'page.reference')}</a>
        </p>
      </main>`,
    )
  }

  async #display(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { tenant, displayId, token } = await this.#displayOf(request)
    const data = { tenant: tenant.slug, display_id: displayId, link_token: token }
    return this.#wall(request, reply, tenant.name, data)
  }

  /** A wall's languages are its display's, which it asks for; the page brings all of them. */
  #wall(request: FastifyRequest, reply: FastifyReply, title: string, data: object): FastifyReply {
    const locale = callerLocale(request)
    return this.#options.screens.page(reply, {
      app: 'display',
      locale,
      title,
      data,
      theme: 'dark',
      density: 'wall',
      alsoIn: ['fr', 'en', 'ar'],
    })
  }

  async #displayAccess(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { tenant, display } = await this.#displayOf(request)
    return reply.header('cache-control', 'no-store').send(displayAccess(tenant.id, display))
  }

  async #displayOf(request: FastifyRequest) {
    const tenant = await this.#tenant(request)
    const displayId = Number((request.params as { id: string }).id)
    const { token = '' } = request.query as { token?: string }
    const display = Number.isSafeInteger(displayId)
      ? await openDisplay(this.#options.runtime.db, tenant.id, displayId, token)
      : undefined
    if (!display) throw new AppError('unauthorized', 'link_expired')
    return { tenant, displayId, token, display }
  }

  /** The console, whose address names a page of it. Who is signed in already begins at once, without asking the server anew. */
  async #console(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { tenant = '' } = request.query as { tenant?: string }
    const locale = callerLocale(request)
    const actor = await this.#options.consoleOf(request)
    const session = actor ? await this.#run('auth.session', null, {}, actor) : null
    return this.#options.screens.page(reply, {
      app: 'console',
      locale,
      title: 'SmartQueue',
      theme: 'dark',
      density: 'console',
      data: { now: now(), session, tenant: String(tenant) },
      head: html`<link rel="icon" href="/app/icon/0.svg" type="image/svg+xml" />`,
    })
  }
}

/** How many wait, for the tab of a console: a square with a number, which browsers draw at 16 pixels. */
function countIcon(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const count = Number(/^(\d{1,3})\.svg$/.exec((request.params as { file: string }).file)?.[1])
  if (!(count <= 100)) throw notFound()
  const text = count > 99 ? '99+' : String(count)
  const size = text.length > 2 ? 15 : 21
  return reply
    .header('cache-control', 'public, max-age=31536000, immutable')
    .type('image/svg+xml')
    .send(
      html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
        <rect width="32" height="32" rx="7" fill="${count ? '#ffd84d' : '#7db3ff'}" />
        <text x="16" y="23" font-family="sans-serif" font-weight="700" font-size="${size}" text-anchor="middle">
          ${text}
        </text>
      </svg>`.markup,
    )
}
