import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { systemActor } from '../kernel/access.ts'
import { AppError, notFound } from '../kernel/errors.ts'
import type { Runtime } from '../kernel/execute.ts'
import { translate } from '../kernel/i18n.ts'
import type { Operation, Tenant } from '../kernel/operation.ts'
import type { Locale } from '../kernel/schema.ts'
import { ANONYMOUS } from '../transports/authenticate.ts'
import { callerLocale } from '../transports/locale.ts'
import { Html } from './html.ts'
import type { Screens } from './screens.ts'

export interface NearbyPagesOptions {
  runtime: Runtime
  operationById: ReadonlyMap<string, Operation>
  screens: Screens
  tenantBySlug(slug: string): Promise<Tenant | undefined>
}
/** As web/apps/nearby/server.tsx exports it. */
interface Renderer {
  render(locale: Locale, props: object): string
}
/** Branches that are listed before anybody says where they are. */
const MOST_BRANCHES = 20

/** An organisation's branches by distance, and the signs indoors that know the way: lists before any script runs. */
export class NearbyPages {
  #options: NearbyPagesOptions

  constructor(options: NearbyPagesOptions) {
    this.#options = options
  }

  register(app: FastifyInstance): void {
    app.get('/nearby/:tenant', (request, reply) => this.#nearby(request, reply))
    app.get('/nearby/:tenant/sign/:code', (request, reply) => this.#sign(request, reply))
  }

  async #nearby(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const tenant = await this.#tenant(request)
    const { results } = (await this.#run('sites.list', tenant, request, {
      is_active: true,
      limit: MOST_BRANCHES,
    })) as { results: { slug: string }[] }
    const branches = await Promise.all(
      results.map(({ slug }) => this.#run('tickets.sitePage', tenant, request, { slug })),
    )
    return this.#send(request, reply, { page: 'nearby', tenant: tenant.slug, name: tenant.name, branches })
  }

  async #sign(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const tenant = await this.#tenant(request)
    const { code } = request.params as { code: string }
    const found = (await this.#run('ar.anchor', tenant, request, { code })) as object
    return this.#send(request, reply, { page: 'sign', tenant: tenant.slug, name: tenant.name, ...found })
  }

  async #tenant(request: FastifyRequest): Promise<Tenant> {
    const tenant = await this.#options.tenantBySlug((request.params as { tenant: string }).tenant)
    if (!tenant) throw notFound()
    if (!tenant.is_active) throw new AppError('forbidden', 'tenant_suspended')
    return tenant
  }

  async #run(id: string, tenant: Tenant, request: FastifyRequest, input: object): Promise<unknown> {
    const op = this.#options.operationById.get(id)!
    // Which branches there are is no secret; the list asks for a scope, which strangers have not.
    const actor = op.scope === null ? ANONYMOUS : systemActor(tenant.id)
    const { output } = await this.#options.runtime.execute(op, {
      actor,
      tenant,
      locale: callerLocale(request),
      input,
      requestId: request.id,
      origin: { address: request.ip, userAgent: request.headers['user-agent'] },
    })
    return output
  }

  async #send(request: FastifyRequest, reply: FastifyReply, props: object): Promise<FastifyReply> {
    const locale = callerLocale(request)
    const { screens } = this.#options
    const { render } = await screens.renderer<Renderer>('nearby')
    return screens.page(reply, {
      app: 'nearby',
      locale,
      title: translate(locale, 'pages.nearby'),
      data: props,
      content: new Html(render(locale, props)),
    })
  }
}
