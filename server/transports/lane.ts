import type { IncomingHttpHeaders, IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { Actor } from '../kernel/access.ts'
import type { Kept } from '../kernel/cache/kept.ts'
import { monotonicMs } from '../kernel/clock.ts'
import { matchesEtag } from '../kernel/etag.ts'
import type { Runtime } from '../kernel/execute.ts'
import { limitHeaders } from '../kernel/limits/index.ts'
import type { Operation, Request, Tenant } from '../kernel/operation.ts'
import type { Locale } from '../kernel/schema.ts'
import { upTo } from '../kernel/up-to.ts'
import type { Answered as RecordedAnswer } from '../modules/requests/index.ts'

export const JSON_TYPE = 'application/json; charset=utf-8'
/** Distinct questions remembered, each with the token that asked it. */
const MAX_QUESTIONS = 20_000
const MAX_QUESTION_LENGTH = 4096
/** What makes an answer depend on more than the address, the token and the language. */
const UNUSUAL = [
  'origin',
  'x-tenant',
  'x-biometric-token',
  'x-request-id',
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
] as const

export interface LaneOptions {
  runtime: Runtime
  bearer(token: string): Actor | Promise<Actor>
  /** The tenant if it is known at this moment, by slug or id. */
  tenantNow(named: string | number): Tenant | undefined
  /** Host and TLS as the hooks check them; nobody while the process stops, which the routes know how to tell. */
  isAllowed(request: IncomingMessage): boolean
  addressOf(request: IncomingMessage): string
  requestId(request: IncomingMessage): string
  /** What every answer carries. */
  headers: Readonly<Record<string, string>>
  answered(answer: Answered): void
}
export interface Answered extends RecordedAnswer {
  userId: number | null | undefined
}

/** A question that the routes answered before, and who asked. */
interface Question {
  op: Operation
  route: string | undefined
  token: string
  actor: Actor
  named: string | number
  tenant: Tenant
  locale: Locale
  input: unknown
  kept: Kept
  heads: Heads
}
interface Heads {
  ok: readonly string[]
  notModified: readonly string[]
}
/** What `rest` knows of a request that it answered from memory. */
export type Asked = Pick<Question, 'op' | 'route' | 'token' | 'actor' | 'named' | 'tenant' | 'locale' | 'input'>

/**
 * Answers what was asked before, by the same token at the same address, straight from memory: no routing, no parsing, no
 * statement. Host, token, revocation, tenant, access and limits are looked at each time; whatever is not exactly as it
 * was takes the routes, where everything is decided.
 */
export class Lane {
  #options: LaneOptions
  #questions = new LRUCache<string, Question>(upTo(MAX_QUESTIONS))
  #headers: string[]

  constructor(options: LaneOptions) {
    this.#options = options
    this.#headers = Object.entries(options.headers).flat()
  }

  /** Puts the lane before the routes of a server. */
  attach(server: Server): void {
    const [routes] = server.listeners('request') as RequestListener[]
    if (!routes) throw new Error('a server without routes')
    server.removeListener('request', routes)
    server.on('request', (request, response) => {
      if (!this.#answer(request, response, routes)) routes(request, response)
    })
  }

  /** Nobody who is limited to some places: that takes a statement to check. */
  remember(request: IncomingMessage, kept: Kept, asked: Asked): void {
    const { actor, token } = asked
    if (actor.siteIds || actor.queueIds || !isUsual(request)) return
    const known = this.#options.bearer(token)
    // A token that is looked up is looked up each time.
    if (known instanceof Promise) return void known.catch(() => {})
    const id = questionOf(request)
    if (id.length > MAX_QUESTION_LENGTH) return
    this.#questions.set(id, { ...asked, kept, heads: this.#headsOf(kept, asked.op) })
  }

  #answer(request: IncomingMessage, response: ServerResponse, routes: RequestListener): boolean {
    if (request.method !== 'GET' || request.headers.authorization === undefined) return false
    const question = this.#questions.get(questionOf(request))
    if (!question || !isUsual(request) || !this.#options.isAllowed(request)) return false
    const started = monotonicMs()
    const { op, actor, tenant, locale, input } = question
    const current = this.#options.runtime.answers.current(question.kept.key)?.kept
    if (!current) return false
    if (current !== question.kept) {
      question.kept = current
      question.heads = this.#headsOf(current, op)
    }
    const requestId = this.#options.requestId(request)
    let limits: Record<string, string> = {}
    const wanted: Request = {
      actor,
      tenant,
      locale,
      input,
      requestId,
      origin: { address: this.#options.addressOf(request), userAgent: request.headers['user-agent'] },
      limited: (states) => void (limits = limitHeaders(states)),
    }
    const send = () => this.#send(request, response, question, { requestId, limits, started })
    try {
      if (this.#options.bearer(question.token) !== actor) return false
      const now = this.#options.tenantNow(question.named)
      if (!now || !now.is_active || now.id !== tenant.id || now.locale !== tenant.locale) return false
      const counting = this.#options.runtime.admit(op, wanted)
      // The routes say what is wrong.
      if (counting) counting.then(send, () => routes(request, response as never))
      else send()
      return true
    } catch {
      return false
    }
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    { op, route, kept, heads, tenant, actor }: Question,
    { requestId, limits, started }: { requestId: string; limits: Record<string, string>; started: number },
  ): void {
    const known = request.headers['if-none-match']
    const isKnown = known !== undefined && (known === kept.etag || matchesEtag(known.replaceAll('W/', ''), kept.etag))
    const head = [...(isKnown ? heads.notModified : heads.ok), 'x-request-id', requestId]
    for (const name in limits) head.push(name, limits[name]!)
    const status = isKnown ? 304 : 200
    response.writeHead(status, head)
    response.end(isKnown ? undefined : kept.body)
    this.#options.answered({
      operation: op.id,
      method: 'GET',
      route,
      status,
      seconds: (monotonicMs() - started) / 1000,
      requestId,
      tenantId: tenant.id,
      userId: actor.userId,
      principal: actor.principal,
    })
  }

  #headsOf({ etag, position, body }: Kept, op: Operation): Heads {
    const common = [...this.#headers, 'cache-control', 'no-store', 'etag', etag, 'stream-position', position]
    const content = ['content-type', op.http.contentType ?? JSON_TYPE, 'content-length', String(body.length)]
    return { ok: [...common, ...content], notModified: common }
  }
}

const questionOf = ({ url, headers }: IncomingMessage): string =>
  `${headers.authorization} ${headers['accept-language'] ?? ''} ${url}`

function isUsual({ headers }: IncomingMessage): boolean {
  if (asksForFresh(headers)) return false
  for (const name of UNUSUAL) if (headers[name] !== undefined) return false
  return true
}

/**
 * A forced reload, or a program that must see what another process has just done (RFC 9111 §5.2.1.4). Beside a tag it is
 * fetch's own doing (Fetch standard §4.5) and asks for nothing more than whether the tag still holds.
 */
export const asksForFresh = ({ 'cache-control': control, 'if-none-match': tag }: IncomingHttpHeaders): boolean =>
  control !== undefined && tag === undefined && /\bno-cache\b/i.test(control)
