import { randomUUID } from 'node:crypto'
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
import { ANONYMOUS } from '../transports/authenticate.ts'
import { callerLocale } from '../transports/locale.ts'
import { refusalOf } from '../transports/problem.ts'
import { allowPage } from '../transports/security/headers.ts'
import { assets } from './assets.ts'
import { displayAccess, openDisplay } from '../modules/displays/index.ts'
import { accountPages } from './account.ts'
import { html, page, textsOf, type Html, type PageOptions } from './html.ts'
import { Screens } from './screens.ts'

export interface PagesOptions {
  runtime: Runtime
  cache: Cache
  operationById: ReadonlyMap<string, Operation>
  tenantBySlug(slug: string): Promise<Tenant | undefined>
  /** Tenants whose sites the front page lists: in development only. */
  listedTenants(): Promise<readonly Tenant[]>
  isDevelopment: boolean
}

/** What the form was given; anything else is no key. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
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
interface Queue {
  id: number
  name: string
  service_id: number
  status: string
  is_active: boolean
}
interface Service {
  id: number
  code: string
  name: string
  names: Partial<Record<Locale, string>>
}

interface SiteView {
  site: Site | null
  queues: Queue[]
  services: Service[]
}
/** A page of a site may be this old: whoever presses a button of it is told what holds. */
const PAGE_MS = 1000

/** Small pages that live: enough to take a ticket, follow it, call it and show it. Plain HTML, no build step. */
export class Pages {
  #options: PagesOptions
  #screens: Screens

  constructor(options: PagesOptions) {
    this.#options = options
    this.#screens = new Screens(options)
  }

  register(app: FastifyInstance): void {
    assets(app)
    this.#screens.register(app)
    app.get('/favicon.ico', (_request, reply) => reply.code(204).send())
    app.get('/', (request, reply) => this.#front(request, reply))
    accountPages(app, send, (request) => {
      const locale = callerLocale(request)
      return textsOf(locale, catalogues[locale])
    })
    app.get('/app/agent', (request, reply) => this.#agent(request, reply))
    app.get('/display/:tenant/:id', (request, reply) => this.#display(request, reply))
    app.get('/display/:tenant/:id/access', (request, reply) => this.#displayAccess(request, reply))
    app.get('/site/:tenant/:site', (request, reply) => this.#site(request, reply))
    void app.register(async (forms) => {
      // Only here: everywhere else a form's encoding is refused, so no foreign page can post what a browser would send.
      forms.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
        done(null, Object.fromEntries(new URLSearchParams(body as string))),
      )
      forms.post('/site/:tenant/:site', (request, reply) => this.#take(request, reply))
    })
  }

  /** The visitor's page at the address of `tickets.mine`. */
  ticket = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const locale = callerLocale(request)
    const t = (key: string) => translate(locale, key)
    const { token } = request.params as { token: string }
    const mine = (await this.#run('tickets.mine', request.caller!.tenant, {}, request.caller!.actor)) as {
      ticket: { number: string; status: string }
      service_name: string
      service_names: Partial<Record<Locale, string>>
      site_name: string
    }
    const button = (verb: string, key: string, kind = '') =>
      html`<button id="${verb}" class="${kind}" type="button" hidden>${t(key)}</button> `
    const data = { locale, texts: textsOf(locale, catalogues[locale]), token }
    return send(
      reply,
      { locale, title: mine.ticket.number, script: 'ticket', data },
      html`<main>
        <p class="muted">${mine.site_name} · ${mine.service_names[locale] ?? mine.service_name}</p>
        ${status}
        <div id="card" class="card" aria-live="polite">
          <p class="muted">${t('page.your_number')}</p>
          <p id="number" class="number">${mine.ticket.number}</p>
          <p id="state" class="figure"></p>
          <div id="facts"></div>
        </div>
        <p class="acts">
          ${button('here', 'page.im_here', 'primary')}${button('delay', 'page.let_pass')}${button('cancel', 'page.leave_queue')}${button('undo', 'page.undo', 'primary')}
        </p>
      </main>`,
    )
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

  async #site(request: FastifyRequest, reply: FastifyReply, refusal?: AppError): Promise<FastifyReply> {
    const locale = callerLocale(request)
    const t = (key: string) => translate(locale, key)
    const tenant = await this.#tenant(request)
    const { site: slug } = request.params as { site: string }
    const { site, queues, services } = await this.#options.cache.get(['site page', tenant.id, slug], PAGE_MS, () =>
      this.#siteView(tenant, slug),
    )
    if (!site) throw notFound()
    const serviceOf = new Map(services.map((service) => [service.id, service]))
    const shown = ({ service_id, name }: Queue) => serviceOf.get(service_id)?.names[locale] ?? name
    const byName = new Intl.Collator(locale, { numeric: true })
    const sorted = queues.toSorted((a, b) => byName.compare(shown(a), shown(b)))
    const rows = sorted.map((queue) => {
      const { id, service_id, status: queueStatus } = queue
      const service = serviceOf.get(service_id)
      const isOpen = queueStatus === 'open' || queueStatus === 'closing'
      return html`<li class="row">
        <span><span class="letter">${service?.code}</span> ${shown(queue)}</span>
        ${!isOpen && html`<span class="muted">${t(`queue_status.${queueStatus}`)}</span>`}
        <button class="primary" name="queue_id" value="${id}" ${!isOpen && html`disabled`}>
          ${t('page.take_number')}
        </button>
      </li>`
    })
    return send(
      reply,
      { locale, title: site.name },
      html`<main>
        <p class="muted">${tenant.name}</p>
        <h1>${site.name}</h1>
        ${refusal && html`<p class="notice" role="alert">${translate(locale, `errors.${refusal.code}`, refusal.params)}</p>`}
        <h2>${t('page.choose_service')}</h2>
        <form method="post" action="?lang=${locale}">
          <input type="hidden" name="key" value="${randomUUID()}" />
          <ul class="plain choices">
            ${rows}
          </ul>
        </form>
      </main>`,
      refusal?.status,
    )
  }

  /** What a site's page shows to everybody; a missing site is known as missing too. */
  async #siteView(tenant: Tenant, slug: string): Promise<SiteView> {
    const site = (await this.#all<Site>('sites.list', tenant, { is_active: true })).find((each) => each.slug === slug)
    if (!site) return { site: null, queues: [], services: [] }
    const [queues, services] = await Promise.all([
      this.#all<Queue>('queues.list', tenant, { site: site.id, is_active: true }),
      this.#all<Service>('services.list', tenant),
    ])
    return { site, queues, services }
  }

  /** Works without scripts. The form's key makes a second press of the button show the same ticket. */
  async #take(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const origin = request.headers['sec-fetch-site']
    if (origin !== undefined && origin !== 'same-origin' && origin !== 'none')
      throw new AppError('forbidden', 'origin_not_allowed')
    const locale = callerLocale(request)
    const tenant = await this.#tenant(request)
    const { queue_id: queueId, key } = (request.body ?? {}) as Record<string, unknown>
    const input = { queue_id: Number(queueId), channel: 'web', language: locale }
    try {
      const taken = (await this.#run('tickets.take', tenant, input, ANONYMOUS, {
        key: typeof key === 'string' && UUID.test(key) ? key : undefined,
        requestId: request.id,
        origin: { address: request.ip, userAgent: request.headers['user-agent'] },
      })) as { public_token: string }
      return reply.code(303).header('location', `/t/${taken.public_token}?lang=${locale}`).send()
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal.kind === 'internal') throw error
      return this.#site(request, reply, refusal)
    }
  }

  async #display(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { tenant, displayId, token } = await this.#displayOf(request)
    const locale = callerLocale(request)
    const data = {
      locale,
      texts: textsOf(locale, catalogues[locale]),
      tenant: tenant.slug,
      displayId,
      linkToken: token,
    }
    return send(
      reply,
      { locale, title: tenant.name, theme: 'wall', script: 'display', query: { token }, data },
      html`<section id="calling" class="quiet" aria-live="assertive">
          <p class="muted">${translate(locale, 'page.now_calling')}</p>
          <p id="number" class="number">—</p>
          <p id="where" class="where"></p>
        </section>
        <aside>
          <h2>${translate(locale, 'page.recent_calls')}</h2>
          <ul id="calls" class="plain"></ul>
        </aside>
        <footer>
          <span>${translate(locale, 'page.waiting')}</span><span id="waiting" class="row"></span>${status}
        </footer>`,
    )
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
