import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { now } from '../kernel/clock.ts'
import { AppError, notFound } from '../kernel/errors.ts'
import type { Runtime } from '../kernel/execute.ts'
import { translate } from '../kernel/i18n.ts'
import { tenantOfToken } from '../kernel/ids.ts'
import type { Operation, Tenant } from '../kernel/operation.ts'
import type { Locale } from '../kernel/schema.ts'
import { ANONYMOUS } from '../transports/authenticate.ts'
import { callerLocale } from '../transports/locale.ts'
import { refusalOf } from '../transports/problem.ts'
import { formKey, sameOriginOnly, sentence, textOf, withForms, type Form } from './forms.ts'
import { html, Html } from './html.ts'
import { monthOf, type Slots } from './month.ts'
import { offeredLocale } from './brand.ts'
import { noticesAbove } from './notices.ts'
import type { Screens } from './screens.ts'

export interface BookingPagesOptions {
  runtime: Runtime
  operationById: ReadonlyMap<string, Operation>
  screens: Screens
  tenantBySlug(slug: string): Promise<Tenant | undefined>
  tenantById(id: number): Promise<Tenant | undefined>
}
/** As web/apps/booking/server.tsx exports it. */
interface Renderer {
  render(locale: Locale, props: object): string
}
interface Service {
  service_id: number
  queue_id: number
}
interface Place {
  tenant_name: string
  site: { id: number; name: string; timezone: string }
  today: string
  last_day: string
  services: Service[]
}
interface Mine {
  service_id: number
  site_id: number
  site_slug: string
  start_at: string
  language: Locale | null
}
/** Properties of web/apps/booking/data.ts. */
type PageProps = { page: 'book' | 'mine' | 'move' | 'waiting' } & Record<string, unknown>
interface Refused {
  refusal: AppError
  form: Form
}
interface Sent {
  key?: string | undefined
  solution?: string | undefined
}

/** What a form of the page at `/a/{token}` may do: the operation of each act. Reading the page does nothing. */
const ACTS: Record<string, string> = {
  confirm: 'appointments.confirmMine',
  cancel: 'appointments.cancelMine',
  'check-in': 'appointments.checkInMine',
}
const FIELDS = ['name', 'phone', 'email', 'party_size', 'note'] as const

/** The pages that book, show, move and cancel an appointment: whole before any script runs, every button a form. */
export class BookingPages {
  #options: BookingPagesOptions

  constructor(options: BookingPagesOptions) {
    this.#options = options
  }

  register(app: FastifyInstance): void {
    app.get('/site/:tenant/:site/book', (request, reply) => this.#bookPage(request, reply))
    app.get('/site/:tenant/:site/book/:service', (request, reply) => this.#bookPage(request, reply))
    app.get('/w/:token', (request, reply) => this.#waitingPage(request, reply))
    app.get('/a/:token', (request, reply) => this.#minePage(request, reply))
    app.get('/a/:token/move', (request, reply) => this.#movePage(request, reply))
    withForms(app, (forms) => {
      forms.post('/site/:tenant/:site/book', (request, reply) => this.#book(request, reply))
      forms.post('/site/:tenant/:site/book/:service', (request, reply) => this.#book(request, reply))
      forms.post('/site/:tenant/:site/book/:service/wait', (request, reply) => this.#wait(request, reply))
      forms.post('/w/:token', (request, reply) => this.#confirmOrLeave(request, reply))
      forms.post('/a/:token/act', (request, reply) => this.#act(request, reply))
      forms.post('/a/:token/move', (request, reply) => this.#move(request, reply))
    })
  }

  async #bookPage(request: FastifyRequest, reply: FastifyReply, refused?: Refused): Promise<FastifyReply> {
    const locale = callerLocale(request)
    const tenant = await this.#tenant(request)
    const { site: slug, service: wanted } = request.params as { site: string; service?: string }
    const place = (await this.#run('appointments.bookingPage', tenant, { slug })) as Place
    const query = request.query as Record<string, string | undefined>
    const service = place.services.find((each) => String(each.service_id) === wanted) ?? onlyOne(place.services)
    const asked = { month: query['month'], day: textOf(refused?.form ?? {}, 'day') ?? query['day'] }
    const month = service && (await monthOf(this.#slots(tenant, place.site.id, service.service_id), asked, place))
    const challenge = refused?.refusal.members['challenge']
    return this.#send(
      reply,
      tenant,
      locale,
      place.site.name,
      {
        page: 'book',
        tenant: tenant.slug,
        slug,
        place,
        ...(service && { service_id: service.service_id }),
        ...month,
        form: Object.fromEntries(FIELDS.map((name) => [name, textOf(refused?.form ?? {}, name) ?? ''])),
        ...(refused && { chosen: textOf(refused.form, 'start_at') ?? '', ...problems(locale, refused.refusal) }),
        formKey: randomUUID(),
        ...(challenge !== undefined && { challenge }),
        ...(refused?.form['from_day'] !== undefined && { waits: true }),
      },
      refused?.refusal.status,
    )
  }

  /** Works without scripts. The form's key makes a second press of the button show the same appointment. */
  async #book(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    sameOriginOnly(request)
    const locale = callerLocale(request)
    const tenant = await this.#tenant(request)
    const form = (request.body ?? {}) as Form
    const [name, phone, email, people, note] = FIELDS.map((field) => textOf(form, field))
    const customer = { ...(name && { name }), ...(phone && { phone }), ...(email && { email }), locale }
    const input = {
      queue_id: Number(form['queue_id']),
      start_at: textOf(form, 'start_at') ?? '',
      language: locale,
      ...((name || phone || email) && { customer }),
      ...(people && { party_size: Number(people) }),
      ...(note && { note }),
    }
    try {
      if (input.start_at === '') throw new AppError('invalid_input', 'choose_a_time')
      const sent = { key: formKey(form['key']), solution: textOf(form, 'solution') }
      const booked = (await this.#run('appointments.book', tenant, input, request, sent)) as { public_token: string }
      return reply.code(303).header('location', `/a/${booked.public_token}?lang=${locale}`).send()
    } catch (error) {
      return this.#bookPage(request, reply, { refusal: refusalFor(error), form })
    }
  }

  async #wait(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    sameOriginOnly(request)
    const locale = callerLocale(request)
    const tenant = await this.#tenant(request)
    const form = (request.body ?? {}) as Form
    const [name, email] = [textOf(form, 'name'), textOf(form, 'email')]
    const input = {
      queue_id: Number(form['queue_id']),
      from_day: textOf(form, 'from_day') ?? '',
      to_day: textOf(form, 'to_day') ?? '',
      customer: { ...(name && { name }), ...(email && { email }), locale },
      language: locale,
    }
    try {
      const sent = { key: formKey(form['key']), solution: textOf(form, 'solution') }
      const joined = (await this.#run('waiting-list.join', tenant, input, request, sent)) as { public_token: string }
      return reply.code(303).header('location', `/w/${joined.public_token}?lang=${locale}`).send()
    } catch (error) {
      return this.#bookPage(request, reply, { refusal: refusalFor(error), form })
    }
  }

  async #waitingPage(request: FastifyRequest, reply: FastifyReply, refusal?: AppError): Promise<FastifyReply> {
    const { token, tenant, locale } = await this.#opened(request)
    const waiter = await this.#run('waiting-list.mine', tenant, { link: token })
    const props: PageProps = { page: 'waiting', token, waiter, ...(refusal && problems(locale, refusal)) }
    return this.#send(reply, tenant, locale, tenant.name, props, refusal?.status)
  }

  async #confirmOrLeave(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    sameOriginOnly(request)
    const { token, tenant, locale } = await this.#opened(request)
    const verb = ((request.body ?? {}) as Form)['act'] === 'confirm' ? 'confirm' : 'leave'
    try {
      await this.#run(`waiting-list.${verb}`, tenant, { link: token }, request)
    } catch (error) {
      return this.#waitingPage(request, reply, refusalFor(error))
    }
    return reply.code(303).header('location', `/w/${token}?lang=${locale}`).send()
  }

  async #minePage(request: FastifyRequest, reply: FastifyReply, refusal?: AppError): Promise<FastifyReply> {
    const { token, tenant, mine, locale } = await this.#mine(request)
    const instant = new Date(now()).toISOString()
    const props: PageProps = {
      page: 'mine',
      tenant: tenant.slug,
      token,
      mine,
      now: instant,
      formKey: randomUUID(),
      ...(refusal && problems(locale, refusal)),
    }
    return this.#send(reply, tenant, locale, translate(locale, 'page.appointment'), props, refusal?.status)
  }

  async #act(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    sameOriginOnly(request)
    const { token, tenant, locale } = await this.#opened(request)
    const form = (request.body ?? {}) as Form
    const name = String(form['act'])
    const operation = Object.hasOwn(ACTS, name) && ACTS[name]
    if (!operation) throw notFound()
    try {
      const sent = { key: formKey(form['key']) }
      const done = (await this.#run(operation, tenant, { link: token, ...positionOf(form) }, request, sent)) as {
        ticket?: { public_token: string }
      }
      const to = done.ticket ? `/t/${done.ticket.public_token}/` : `/a/${token}`
      return reply.code(303).header('location', `${to}?lang=${locale}`).send()
    } catch (error) {
      return this.#minePage(request, reply, refusalFor(error))
    }
  }

  async #movePage(request: FastifyRequest, reply: FastifyReply, refused?: Refused): Promise<FastifyReply> {
    const { token, tenant, mine, locale } = await this.#mine(request)
    const place = (await this.#run('appointments.bookingPage', tenant, { slug: mine.site_slug })) as Place
    const query = request.query as Record<string, string | undefined>
    const asked = { month: query['month'], day: textOf(refused?.form ?? {}, 'day') ?? query['day'] }
    const month = await monthOf(this.#slots(tenant, mine.site_id, mine.service_id), asked, place)
    const props: PageProps = {
      page: 'move',
      tenant: tenant.slug,
      token,
      mine,
      place,
      ...month,
      ...(refused && problems(locale, refused.refusal)),
      formKey: randomUUID(),
    }
    return this.#send(reply, tenant, locale, translate(locale, 'page.appointment'), props, refused?.refusal.status)
  }

  async #move(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    sameOriginOnly(request)
    const { token, tenant, locale } = await this.#opened(request)
    const form = (request.body ?? {}) as Form
    try {
      const start_at = textOf(form, 'start_at')
      if (start_at === undefined) throw new AppError('invalid_input', 'choose_a_time')
      const sent = { key: formKey(form['key']) }
      await this.#run('appointments.rescheduleMine', tenant, { link: token, start_at }, request, sent)
      return reply.code(303).header('location', `/a/${token}?lang=${locale}`).send()
    } catch (error) {
      return this.#movePage(request, reply, { refusal: refusalFor(error), form })
    }
  }

  async #send(reply: FastifyReply, tenant: Tenant, wanted: Locale, title: string, props: PageProps, status = 200) {
    const { screens } = this.#options
    const { render } = await screens.renderer<Renderer>('booking')
    const locale = offeredLocale(tenant, wanted)
    const data = { ...props, ...(tenant.languages && { languages: tenant.languages }) }
    const isSecret = props.page !== 'book'
    if (isSecret) reply.header('x-robots-tag', 'noindex')
    return screens.page(reply, {
      app: 'booking',
      locale,
      title,
      data,
      content: new Html(render(locale, data)),
      above: noticesAbove(tenant, locale),
      brand: tenant.brand_colour ?? null,
      status,
      ...(isSecret && { head: html`<meta name="robots" content="noindex" />` }),
    })
  }

  #run(id: string, tenant: Tenant, input: object, request?: FastifyRequest, sent: Sent = {}): Promise<unknown> {
    const locale = request ? callerLocale(request) : tenant.locale
    const origin = request && { address: request.ip, userAgent: request.headers['user-agent'] }
    const wanted = { actor: ANONYMOUS, tenant, locale, input, ...sent, requestId: request?.id, origin }
    return this.#options.runtime.execute(this.#options.operationById.get(id)!, wanted).then(({ output }) => output)
  }

  #slots(tenant: Tenant, site: number, service: number) {
    return (from: string, to: string) =>
      this.#run('appointments.slots', tenant, { site, service, from, to }) as Promise<Slots>
  }

  async #tenant(request: FastifyRequest): Promise<Tenant> {
    return standing(await this.#options.tenantBySlug((request.params as { tenant: string }).tenant))
  }

  /** What the secret in the address names, without a look at whether it opens anything. */
  async #opened(request: FastifyRequest) {
    const { token } = request.params as { token: string }
    const id = tenantOfToken(token)
    const tenant = standing(id === undefined ? undefined : await this.#options.tenantById(id))
    return { token, tenant, locale: callerLocale(request) }
  }

  async #mine(request: FastifyRequest) {
    const { token, tenant } = await this.#opened(request)
    const mine = (await this.#run('appointments.mine', tenant, { link: token })) as Mine
    const { lang } = request.query as { lang?: string }
    return { token, tenant, mine, locale: lang ? callerLocale(request) : (mine.language ?? callerLocale(request)) }
  }
}

/** What the page's script found where the place asks for it. */
function positionOf(form: Form) {
  const [latitude, longitude, accuracy] = ['latitude', 'longitude', 'accuracy'].map((name) => textOf(form, name))
  if (form['act'] !== 'check-in' || !latitude || !longitude) return {}
  const position = { latitude: Number(latitude), longitude: Number(longitude) }
  return { position: { ...position, ...(accuracy && { accuracy_metres: Number(accuracy) }) } }
}

const onlyOne = <Each>(list: readonly Each[]) => (list.length === 1 ? list[0] : undefined)

function standing(tenant: Tenant | undefined): Tenant {
  if (!tenant) throw notFound()
  if (!tenant.is_active) throw new AppError('forbidden', 'tenant_suspended')
  return tenant
}

/** What a person is told on the page; a fault of the program's own is not theirs. */
function refusalFor(error: unknown): AppError {
  const refusal = refusalOf(error)
  if (refusal.kind === 'internal' || refusal.kind === 'not_found') throw error
  return refusal
}

/** A refusal as the page says it: at its fields where it has some, and whether the times are to be looked at again. */
function problems(locale: Locale, refusal: AppError) {
  const fields = Object.fromEntries(
    refusal.fields.map(({ path, code, params = {} }) => [
      path.split('/').at(-1)!,
      translate(locale, `fields.${code}`, params),
    ]),
  )
  const isAboutTime =
    refusal.code === 'slot_taken' || refusal.code === 'choose_a_time' || fields['start_at'] !== undefined
  return { refusal: sentence(locale, refusal), fields, isAboutTime }
}
