import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLive } from '../../shared/ticket-status.ts'
import type { Actor } from '../kernel/access.ts'
import { now } from '../kernel/clock.ts'
import type { Cache } from '../kernel/cache/cache.ts'
import { shapeOf, type CacheKey } from '../kernel/cache/key.ts'
import { AppError, notFound } from '../kernel/errors.ts'
import type { Runtime } from '../kernel/execute.ts'
import { translate } from '../kernel/i18n.ts'
import type { Operation, Tenant } from '../kernel/operation.ts'
import { pushKey } from '../kernel/push/index.ts'
import type { Locale } from '../kernel/schema.ts'
import { ANONYMOUS } from '../transports/authenticate.ts'
import { callerLocale } from '../transports/locale.ts'
import { refusalOf } from '../transports/problem.ts'
import { formKey, sameOriginOnly, sentence, textOf, withForms, type Form } from './forms.ts'
import { html, Html } from './html.ts'
import { offeredLocale } from './brand.ts'
import { manifestLink } from './manifests.ts'
import { noticesAbove } from './notices.ts'
import type { Screens } from './screens.ts'

export interface VisitorPagesOptions {
  runtime: Runtime
  cache: Cache
  operationById: ReadonlyMap<string, Operation>
  screens: Screens
  tenantBySlug(slug: string): Promise<Tenant | undefined>
  tenantById(id: number): Promise<Tenant | undefined>
  /** Who holds a visitor's token, if anybody. */
  visitor(token: string): Promise<Actor | undefined>
  isSecure: boolean
}
/** As web/apps/visitor/server.tsx exports it. */
interface Renderer {
  render(locale: Locale, props: object): string
}
interface Mine {
  ticket: { number: string; status: string; language: Locale | null; service_id: number }
  service_code: string
}
/** Properties of web/apps/visitor/data.ts. */
type PageProps = { page: 'site' | 'ticket' | 'find' | 'erased' } & Record<string, unknown>
const DEVICE = /^[\w-]{22,36}$/
/** Tickets that a browser finds again at a site. */
const MOST_OWN = 5
const DAY_SECONDS = 86_400
/** A page of a site may be this old: whoever presses a button of it is told what holds. */
const PAGE_MS = 1000

/** Operation and input of each act that a ticket's form can send. */
const ACTS: Record<string, (form: Form) => [id: string, input: object]> = {
  here: () => ['tickets.here', {}],
  delay: ({ places, minutes }) => [
    'tickets.postpone',
    places ? { places: Number(places) } : { minutes: Number(minutes) },
  ],
  leave: () => ['tickets.leave', {}],
  undo: () => ['tickets.stay', {}],
  reply: ({ reply }) => ['tickets.reply', { reply }],
  rate: ({ rating, comment }) => ['tickets.rate', { rating: Number(rating), ...(comment && { comment }) }],
  erase: () => ['tickets.erase', {}],
  tomorrow: ({ answer }) => ['tickets.answerTomorrow', { answer }],
  tomorrow_here: () => ['tickets.takeUpPlace', {}],
}

/** The visitor's pages: whole before any script runs, and every button is a form. */
export class VisitorPages {
  #options: VisitorPagesOptions

  constructor(options: VisitorPagesOptions) {
    this.#options = options
  }

  register(app: FastifyInstance): void {
    app.get('/site/:tenant/:site', (request, reply) => this.#site(request, reply))
    app.get('/site/:tenant/:site/find', (request, reply) => this.#findPage(request, reply))
    app.get('/t/sw.js', (_request, reply) => this.#options.screens.worker(reply, 'visitor'))
    withForms(app, (forms) => {
      forms.post('/site/:tenant/:site', (request, reply) => this.#take(request, reply))
      forms.post('/site/:tenant/:site/find', (request, reply) => this.#find(request, reply))
      forms.post('/t/:token/act', (request, reply) => this.#act(request, reply))
    })
  }

  /** The page at the address of `tickets.mine`. */
  ticket = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { actor, tenant } = request.caller!
    return this.#ticketPage(request, reply, actor, tenant!)
  }

  async #ticketPage(
    request: FastifyRequest,
    reply: FastifyReply,
    actor: Actor,
    tenant: Tenant,
    refusal?: AppError,
  ): Promise<FastifyReply> {
    const mine = (await this.#run('tickets.mine', tenant, {}, actor, request)) as Mine
    const { lang } = request.query as { lang?: string }
    const locale = lang ? callerLocale(request) : (mine.ticket.language ?? callerLocale(request))
    const { token } = request.params as { token: string }
    const props: PageProps = {
      page: 'ticket',
      token,
      mine,
      now: new Date(now()).toISOString(),
      pushKey: pushKey(),
      formKey: randomUUID(),
      ...(refusal && { refusal: sentence(locale, refusal) }),
    }
    reply.header('x-robots-tag', 'noindex')
    return this.#send(reply, tenant, locale, mine.ticket.number, props, refusal?.status)
  }

  async #send(reply: FastifyReply, tenant: Tenant, wanted: Locale, title: string, props: PageProps, status = 200) {
    const { screens } = this.#options
    const { render } = await screens.renderer<Renderer>('visitor')
    const locale = offeredLocale(tenant, wanted)
    const data = { ...props, ...(tenant.languages && { languages: tenant.languages }) }
    const isTicket = props.page === 'ticket'
    return screens.page(reply, {
      app: 'visitor',
      locale,
      title,
      data,
      content: new Html(render(locale, data)),
      above: noticesAbove(tenant, locale),
      brand: tenant.brand_colour ?? null,
      hasWorker: isTicket,
      status,
      ...(isTicket && {
        head: html`<meta name="robots" content="noindex" />${manifestLink('/t/ticket.webmanifest')}<noscript
            ><meta http-equiv="refresh" content="20"
          /></noscript>`,
      }),
    })
  }

  async #tenant(request: FastifyRequest): Promise<Tenant> {
    const tenant = await this.#options.tenantBySlug((request.params as { tenant: string }).tenant)
    if (!tenant) throw notFound()
    if (!tenant.is_active) throw new AppError('forbidden', 'tenant_suspended')
    return tenant
  }

  #run(
    id: string,
    tenant: Tenant,
    input: object,
    actor: Actor,
    request?: FastifyRequest,
    { key, solution }: { key?: string | undefined; solution?: string | undefined } = {},
  ) {
    const op = this.#options.operationById.get(id)!
    return this.#options.runtime
      .execute(op, {
        actor,
        tenant,
        locale: request ? callerLocale(request) : tenant.locale,
        input,
        key,
        solution,
        requestId: request?.id,
        origin: request && { address: request.ip, userAgent: request.headers['user-agent'] },
      })
      .then(({ output }) => output)
  }

  async #site(request: FastifyRequest, reply: FastifyReply, refusal?: AppError): Promise<FastifyReply> {
    const locale = callerLocale(request)
    const tenant = await this.#tenant(request)
    const { site: slug } = request.params as { site: string }
    const { erased } = request.query as { erased?: string }
    if (erased) return this.#send(reply, tenant, locale, tenant.name, { page: 'erased', tenant: tenant.slug, slug })
    const key: CacheKey = {
      what: 'site-page',
      version: shapeOf(this.#options.operationById.get('tickets.sitePage')!),
      tenant: tenant.id,
      reader: 'anonymous',
      language: tenant.locale,
      of: slug,
    }
    const site = await this.#options.cache.get(key, PAGE_MS, async () => {
      return (await this.#run('tickets.sitePage', tenant, { slug }, ANONYMOUS)) as { site: { name: string } }
    })
    const own = await this.#own(request, tenant)
    const challenge = refusal?.members['challenge']
    const form = (request.body ?? {}) as Form
    const { queue_id: queueId, needs } = form
    const phone = textOf(form, 'phone')
    return this.#send(
      reply,
      tenant,
      locale,
      site.site.name,
      {
        page: 'site',
        tenant: tenant.slug,
        slug,
        site,
        own: own.map(({ token, mine }) => ({ token, number: mine.ticket.number, code: mine.service_code })),
        formKey: randomUUID(),
        ...(refusal && { refusal: sentence(locale, refusal) }),
        ...(challenge !== undefined && {
          work: { challenge, queueId, needs: [needs ?? []].flat(), phone: phone ?? '' },
        }),
        ...(phone && { phone }),
        ...(refusal && { chosen: Number(queueId), needs: [needs ?? []].flat() }),
      },
      refusal?.status,
    )
  }

  /** Live tickets of this tenant that this browser has taken, newest first. */
  async #own(request: FastifyRequest, tenant: Tenant): Promise<{ token: string; mine: Mine }[]> {
    const tokens = (cookie(request, 'tickets') ?? '').split('.').filter(Boolean).slice(0, MOST_OWN)
    const found = await Promise.all(
      tokens.map(async (token) => {
        const actor = await this.#options.visitor(token)
        if (actor?.tenantId !== tenant.id) return undefined
        const mine = (await this.#run('tickets.mine', tenant, {}, actor)) as Mine
        return isLive(mine.ticket.status) ? { token, mine } : undefined
      }),
    )
    return found.filter((each) => each !== undefined)
  }

  /** Works without scripts. The form's key makes a second press of the button show the same ticket. */
  async #take(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    sameOriginOnly(request)
    const locale = callerLocale(request)
    const tenant = await this.#tenant(request)
    const form = (request.body ?? {}) as Form
    const { queue_id: queueId, key, needs, solution } = form
    const phone = textOf(form, 'phone')
    const location = textOf(form, 'location')
    const known = cookie(request, 'device')
    const idempotency = formKey(key)
    // A second press of the first form must say the same, or it would be another wish.
    const device = known && DEVICE.test(known) ? known : (idempotency ?? randomUUID())
    const input = {
      queue_id: Number(queueId),
      channel: 'qr',
      language: locale,
      device_id: device,
      ...(needs && { needs: [needs].flat() }),
      ...(phone && { customer: { phone, locale } }),
      ...(location && { location }),
    }
    try {
      const taken = (await this.#run('tickets.take', tenant, input, ANONYMOUS, request, {
        key: idempotency,
        solution: typeof solution === 'string' && solution !== '' ? solution : undefined,
      })) as {
        public_token: string
      }
      if (phone) await this.#consent(taken.public_token, tenant, request)
      this.#remember(request, reply, device, taken.public_token)
      return reply.code(303).header('location', `/t/${taken.public_token}/?lang=${locale}`).send()
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal.kind === 'internal') throw error
      const existing =
        refusal.code === 'duplicate_ticket' ? await this.#sameService(request, tenant, queueId) : undefined
      if (existing) return reply.code(303).header('location', `/t/${existing}/?lang=${locale}`).send()
      return this.#site(request, reply, refusal)
    }
  }

  /** The form says that who gives a number agrees to texts. Of somebody we know already a stranger decides nothing. */
  async #consent(token: string, tenant: Tenant, request: FastifyRequest): Promise<void> {
    try {
      await this.#run('messages.prefer', tenant, { sms: true }, (await this.#options.visitor(token))!, request)
    } catch (error) {
      if (refusalOf(error).kind === 'internal') throw error
    }
  }

  /** Whoever asks twice is shown the ticket of the first time. */
  async #sameService(request: FastifyRequest, tenant: Tenant, queueId: unknown): Promise<string | undefined> {
    const [queue] = await this.#options.runtime.db
      .reader(tenant.id)
      .query<{ service_id: number }>('select service_id from queues where id = $1', [Number(queueId)])
    const own = await this.#own(request, tenant)
    return own.find(({ mine }) => mine.ticket.service_id === queue?.service_id)?.token
  }

  #remember(request: FastifyRequest, reply: FastifyReply, device: string, token: string) {
    const { isSecure } = this.#options
    const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
    const tokens = [token, ...(cookie(request, 'tickets') ?? '').split('.').filter((each) => each && each !== token)]
    reply.header('set-cookie', [
      `device=${device}; Max-Age=${365 * DAY_SECONDS}; ${attributes}`,
      `tickets=${tokens.slice(0, MOST_OWN).join('.')}; Max-Age=${DAY_SECONDS}; ${attributes}`,
    ])
  }

  async #findPage(request: FastifyRequest, reply: FastifyReply, failed = false, status = 200): Promise<FastifyReply> {
    const locale = callerLocale(request)
    const tenant = await this.#tenant(request)
    const { site: slug } = request.params as { site: string }
    const limited = status === 429 && { refusal: translate(locale, 'errors.rate_limited') }
    const props: PageProps = { page: 'find', tenant: tenant.slug, slug, name: tenant.name, failed, ...limited }
    return this.#send(reply, tenant, locale, tenant.name, props, status)
  }

  async #find(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    sameOriginOnly(request)
    const tenant = await this.#tenant(request)
    const { site: slug } = request.params as { site: string }
    const { number = '', check = '' } = (request.body ?? {}) as Form
    try {
      const found = (await this.#run('tickets.find', tenant, { slug, number, check }, ANONYMOUS, request)) as {
        public_token: string
      }
      const lang = callerLocale(request)
      return reply.code(303).header('location', `/t/${found.public_token}/?lang=${lang}`).send()
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal.kind === 'internal') throw error
      return this.#findPage(request, reply, true, refusal.status)
    }
  }

  async #act(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    sameOriginOnly(request)
    const { token } = request.params as { token: string }
    const actor = await this.#options.visitor(token)
    if (!actor) throw notFound()
    const caller = await this.#place(actor)
    const form = (request.body ?? {}) as Form
    const name = String(form['act'])
    const act = Object.hasOwn(ACTS, name) && ACTS[name]
    if (!act) throw notFound()
    const locale = callerLocale(request)
    try {
      const [id, input] = act(form)
      if (id === 'tickets.erase') {
        const mine = (await this.#run('tickets.mine', caller, {}, actor)) as { site_slug: string }
        await this.#run(id, caller, input, actor, request)
        return reply
          .code(303)
          .header('location', `/site/${caller.slug}/${mine.site_slug}?lang=${locale}&erased=1`)
          .send()
      }
      const answer = await this.#run(id, caller, input, actor, request)
      // Who takes up a place of yesterday goes on with a new ticket.
      const next = (answer as { ticket?: { public_token?: string } } | null)?.ticket?.public_token ?? token
      return reply.code(303).header('location', `/t/${next}/?lang=${locale}`).send()
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal.kind === 'internal') throw error
      return this.#ticketPage(request, reply, actor, caller, refusal)
    }
  }

  async #place(actor: Actor): Promise<Tenant> {
    const tenant = await this.#options.tenantById(actor.tenantId!)
    if (!tenant) throw notFound()
    if (!tenant.is_active) throw new AppError('forbidden', 'tenant_suspended')
    return tenant
  }
}

function cookie({ headers }: FastifyRequest, name: string): string | undefined {
  const pair = (headers.cookie ?? '').split(';').find((each) => each.trim().startsWith(`${name}=`))
  return pair?.trim().slice(name.length + 1)
}
