import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import ar from '../../shared/locales/ar.json' with { type: 'json' }
import en from '../../shared/locales/en.json' with { type: 'json' }
import fr from '../../shared/locales/fr.json' with { type: 'json' }
import { systemActor } from '../kernel/access.ts'
import { AppError, notFound } from '../kernel/errors.ts'
import type { Cache } from '../kernel/cache/cache.ts'
import type { Runtime } from '../kernel/execute.ts'
import { translate } from '../kernel/i18n.ts'
import type { Operation, Request, Tenant } from '../kernel/operation.ts'
import type { Locale } from '../kernel/schema.ts'
import { callerLocale } from '../transports/locale.ts'
import { allowPage } from '../transports/security/headers.ts'
import { assets } from './assets.ts'
import { displayAccess, openDisplay } from '../modules/displays/index.ts'
import { accountPages } from './account.ts'
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
const status = html`<p id="status" class="notice" role="status" hidden></p>
  <p id="problem" class="notice" role="alert" hidden></p>`

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
    this.#options.screens.register(app)
    app.get('/favicon.ico', (_request, reply) => reply.code(204).send())
    app.get('/', (request, reply) => this.#front(request, reply))
    accountPages(app, send, (request) => {
      const locale = callerLocale(request)
      return textsOf(locale, catalogues[locale])
    })
    app.get('/app/agent', (request, reply) => this.#agent(request, reply))
    app.get('/display', (request, reply) => this.#wall(request, reply, 'SmartQueue', {}))
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
          ({ slug, name }) => html`<li><a href="/site/${tenant.slug}/${slug}?lang=${locale}">${name}</a></li>`,
        )
        return html`<h2>${tenant.name}</h2>
          <ul class="plain">
            ${links}
          </ul>`
      }),
    )
    return send(
      reply,
      { locale, title: 'SmartQueue' },
      html`<main>
        <h1>SmartQueue</h1>
        <p class="row">
          <a class="button" href="/app/agent?lang=${locale}">${translate(locale, 'role.agent')}</a>
          <a class="button" href="/docs">API</a>
        </p>
        ${sections}
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

  #agent(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const locale = callerLocale(request)
    const t = (key: string) => translate(locale, key)
    const { tenant = '' } = request.query as { tenant?: string }
    const button = (id: string, key: string, kind = '') =>
      html`<button id="${id}" class="${kind}" type="button">${t(key)}</button> `
    const field = (name: string, key: string, type: string, value = '') =>
      html`<label
        >${t(key)}<input
          name="${name}"
          type="${type}"
          value="${value}"
          autocomplete="${type === 'password' ? 'current-password' : 'on'}"
      /></label>`
    return send(
      reply,
      {
        locale,
        title: t('role.agent'),
        script: 'agent',
        query: { tenant },
        data: { locale, texts: textsOf(locale, catalogues[locale]) },
      },
      html`<main>
        ${status}
        <form id="sign-in" class="card">
          <h1>${t('page.sign_in')}</h1>
          ${field('tenant', 'page.organisation', 'text', tenant)}${field('email', 'page.email', 'email')}${field('password', 'page.password', 'password')}
          <button class="primary">${t('page.sign_in')}</button>
        </form>
        <section id="desk" hidden>
          <p class="row">
            <strong id="agent-name"></strong> <span id="agent-status"></span> <span id="seat" class="muted"></span>
          </p>
          <label>${t('page.choose_counter')}<select id="counter"></select></label>
          <p class="acts">
            ${button('go-available', 'page.go_available')}${button('go-break', 'page.go_on_break')}${button('go-offline', 'page.go_offline')}
          </p>
          <div id="current" class="card" aria-live="polite">
            <p class="muted">${t('page.current_ticket')}</p>
            <p id="number" class="number">—</p>
            <p id="state"></p>
          </div>
          <p class="acts">
            ${button('call-next', 'page.call_next', 'primary')}${button('start', 'page.start')}${button('recall', 'page.recall')}${button('complete', 'page.complete')}${button('no-show', 'page.no_show')}${button('hold', 'page.hold')}
          </p>
          <h2>${t('page.waiting')}</h2>
          <ul id="queues" class="plain"></ul>
          <ul id="held" class="plain"></ul>
        </section>
      </main>`,
    )
  }
}
