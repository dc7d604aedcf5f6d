import type { FastifyRequest } from 'fastify'
import type { Actor } from '../kernel/access.ts'
import { AppError, notFound } from '../kernel/errors.ts'
import { negotiateLocale } from '../kernel/i18n.ts'
import type { Operation, Tenant } from '../kernel/operation.ts'
import type { Locale } from '../kernel/schema.ts'
import type { Entrance } from './routes.ts'
import type { SessionCookie } from './security/session-cookie.ts'

/** Who asks, where, and in which language the answer is due. */
export interface Caller {
  actor: Actor
  /** null outside tenants. */
  tenant: Tenant | null
  locale: Locale
}
/** What the modules know of credentials and tenants. */
export interface Credentials {
  /** @throws AppError unauthorized */
  bearer(token: string): Actor | Promise<Actor>
  /** Whose console session this is; `isFresh` reads it anew. */
  console(secret: string, isFresh: boolean): Promise<Actor | undefined>
  isCsrfToken(sessionId: string, token: string): boolean
  /** The actor with what an X-Biometric-Token shows. @throws AppError unauthorized */
  proven(actor: Actor, token: string): Actor
  /** The holder of a visitor's ticket. */
  visitor(token: string): Promise<Actor | undefined>
  tenantBySlug(slug: string): Promise<Tenant | undefined>
  tenantById(id: number): Promise<Tenant | undefined>
}

export const ANONYMOUS: Actor = {
  role: 'anonymous',
  principal: 'anonymous',
  tenantId: null,
  userId: null,
  scopes: new Set<string>(),
  sessionId: null,
  ticketId: null,
}

/** The token of an Authorization header. */
export const bearerToken = (header: string | undefined): string | undefined =>
  /^Bearer ([\w.~+/=-]{1,4096})$/i.exec(header ?? '')?.[1]

const LOCALES: readonly unknown[] = ['fr', 'en', 'ar'] satisfies Locale[]

/** The language a request asks for by `?lang=`, before anything else that is known. */
export function askedLocale({ query }: Pick<FastifyRequest, 'query'>): Locale | undefined {
  const asked = (query as Record<string, unknown> | undefined)?.['lang']
  return LOCALES.includes(asked) ? (asked as Locale) : undefined
}

/** Whether the moment of a session's last proof matters, so that it is read anew. */
const asksForProof = ({ needsProof, mayNeedProof }: Operation): boolean => needsProof ?? mayNeedProof ?? false

/** Turns requests into callers. Every transport that speaks HTTP asks here. */
export class Authenticator {
  #cookie: SessionCookie
  #credentials: Credentials

  constructor(cookie: SessionCookie, credentials: Credentials) {
    this.#cookie = cookie
    this.#credentials = credentials
  }

  /** @throws AppError unauthorized, or the one not-found error for a tenant that is missing or another's */
  async caller(entrance: Entrance, op: Operation, request: FastifyRequest): Promise<Caller> {
    const caller = await this.#caller(entrance, op, request)
    const locale = askedLocale(request)
    return locale ? { ...caller, locale } : caller
  }

  async #caller(entrance: Entrance, op: Operation, request: FastifyRequest): Promise<Caller> {
    const { headers } = request
    const params = request.params as Record<string, string>
    const language = headers['accept-language']
    if (op.http.cookie && this.#cookie.isForeignPage(request)) throw new AppError('forbidden', 'origin_not_allowed')
    if (entrance === 'visitor') return this.visitor(params['token']!, language)
    if (entrance === 'public') return this.place(ANONYMOUS, [params['tenant']!], language)
    const actor = await this.#actor(op, request)
    if (entrance === 'root') return this.place(actor, null, language)
    const slugs = [params['tenant'], headers['x-tenant']].filter((slug) => slug !== undefined)
    return this.place(actor, slugs.map(String), language)
  }

  /**
   * Puts an actor into the tenant that path and header name, with the language of the person, else the browser's, else
   * the tenant's. `null` means outside tenants, `[]` the actor's own.
   * @throws AppError not_found when they name two, or one that is missing or another's; forbidden when it is suspended
   */
  async place(actor: Actor, slugs: readonly string[] | null, language: string | undefined): Promise<Caller> {
    if (!slugs) return { actor, tenant: null, locale: actor.locale ?? negotiateLocale(language, 'fr') }
    if (new Set(slugs).size > 1) throw notFound()
    const tenant = await this.#tenant(slugs[0] ?? actor.tenantId)
    if (actor.tenantId !== null && actor.tenantId !== tenant.id) throw notFound()
    if (!tenant.is_active) throw new AppError('forbidden', 'tenant_suspended')
    return { actor, tenant, locale: actor.locale ?? negotiateLocale(language, tenant.locale) }
  }

  /** The caller behind a visitor's token. @throws the one not-found error */
  async visitor(token: string, language: string | undefined): Promise<Caller> {
    const actor = await this.#credentials.visitor(token)
    if (!actor) throw notFound()
    return this.place(actor, [], language)
  }

  /** @throws AppError unauthorized */
  async bearer(token: string): Promise<Actor> {
    return this.#credentials.bearer(token)
  }

  /**
   * The actor of a console's page that asks for a stream, which can carry no token in a header. The browser adds the
   * cookie whoever asks, so it must say that a page of our own does. @throws AppError
   */
  async page(request: Pick<FastifyRequest, 'headers' | 'protocol'>): Promise<Actor | undefined> {
    const secret = this.#cookie.read(request)
    if (secret === undefined) return undefined
    if (!this.#cookie.isOwnPage(request)) throw new AppError('forbidden', 'origin_not_allowed')
    const actor = await this.#credentials.console(secret, false)
    if (!actor) throw new AppError('unauthorized', 'session_expired')
    return actor
  }

  /** Whose console session the cookie of a page's own request shows; undefined when it shows none that is good. */
  async consoleOf(request: Pick<FastifyRequest, 'headers'>): Promise<Actor | undefined> {
    const secret = this.#cookie.read(request)
    return secret === undefined ? undefined : this.#credentials.console(secret, false)
  }

  /**
   * The holder of the credential a request shows, undefined where it shows none; `isFresh` reads a session anew.
   * @throws AppError unauthorized for a credential that is not good
   */
  async shown(request: FastifyRequest, isFresh: boolean): Promise<Actor | undefined> {
    const { authorization } = request.headers
    const token = bearerToken(authorization)
    if (authorization !== undefined && token === undefined) throw new AppError('unauthorized', 'unauthorized')
    return this.#holder(request, token, isFresh)
  }

  async #holder(request: FastifyRequest, token: string | undefined, isFresh: boolean): Promise<Actor | undefined> {
    const actor = await (token ? this.#credentials.bearer(token) : this.#console(request, isFresh))
    const proof = request.headers['x-biometric-token']
    return actor && typeof proof === 'string' ? this.#credentials.proven(actor, proof) : actor
  }

  /** Where no credential is needed a stale one does no harm: whoever signs in again still carries the old one. */
  async #actor(op: Operation, request: FastifyRequest): Promise<Actor> {
    const isOpen = op.roles.includes('anonymous')
    try {
      const token = bearerToken(request.headers.authorization)
      const actor = await this.#holder(request, token, asksForProof(op))
      if (actor) return actor
    } catch (error) {
      if (!isOpen) throw error
    }
    if (isOpen) return ANONYMOUS
    throw new AppError('unauthorized', 'unauthorized')
  }

  /** The browser adds the cookie whoever asks, so a change must show that it comes from a page of the session. */
  async #console(request: FastifyRequest, isFresh: boolean): Promise<Actor | undefined> {
    const secret = this.#cookie.read(request)
    if (secret === undefined) return undefined
    const isChange = this.#cookie.isChange(request)
    if (isChange && !this.#cookie.isOwnPage(request)) throw new AppError('forbidden', 'origin_not_allowed')
    const actor = await this.#credentials.console(secret, isFresh)
    if (!actor) throw new AppError('unauthorized', 'session_expired')
    const token = request.headers['x-csrf-token']
    if (isChange && !(typeof token === 'string' && this.#credentials.isCsrfToken(actor.sessionId!, token)))
      throw new AppError('forbidden', 'csrf_token_invalid')
    return actor
  }

  async #tenant(named: string | number | null): Promise<Tenant> {
    if (named === null) throw new AppError('invalid_input', 'tenant_required')
    const tenant = await (typeof named === 'number'
      ? this.#credentials.tenantById(named)
      : this.#credentials.tenantBySlug(named))
    if (!tenant) throw notFound()
    return tenant
  }
}
