import type { FastifyReply, FastifyRequest } from 'fastify'

const FLOW_SECONDS = 600
/** What tells which page asks. */
type Asked = Pick<FastifyRequest, 'headers' | 'protocol'>
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * The console's cookie. With TLS its prefix makes browsers refuse one that another host or path has set
 * (RFC 6265bis §4.1.3.2); development over plain HTTP has to do without.
 */
export class SessionCookie {
  readonly #isSecure: boolean
  readonly #name: string
  readonly #flowName: string
  readonly #attributes: string

  constructor(isSecure: boolean) {
    this.#isSecure = isSecure
    this.#name = isSecure ? '__Host-session' : 'session'
    this.#flowName = isSecure ? '__Host-sso' : 'sso'
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  }

  /** The opaque id, when there is exactly one: two were not both set by us. */
  read({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
    const found = (headers.cookie ?? '')
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${this.#name}=`))
    const value = found.length === 1 ? found[0]!.slice(this.#name.length + 1) : ''
    return /^[\w-]{22,64}$/.test(value) ? value : undefined
  }

  /** Kept until the browser is closed; the server alone knows when the session ends. */
  set(reply: FastifyReply, secret: string): void {
    reply.header('set-cookie', `${this.#name}=${secret}; ${this.#attributes}`)
  }

  clear(reply: FastifyReply): void {
    reply.header('set-cookie', `${this.#name}=; ${this.#attributes}; Max-Age=0`)
    reply.header('clear-site-data', '"cache", "storage"')
  }

  /** What this browser was given when it left for an identity provider. */
  readFlow({ headers }: FastifyRequest): string | undefined {
    const flows = (headers.cookie ?? '').split('; ').filter((pair) => pair.startsWith(`${this.#flowName}=`))
    return flows.length === 1 ? flows[0]!.slice(this.#flowName.length + 1) : undefined
  }
  setFlow(reply: FastifyReply, flow: string): void {
    reply.header('set-cookie', `${this.#flowName}=${flow}; ${this.#attributes}; Max-Age=${FLOW_SECONDS}`)
  }
  clearFlow(reply: FastifyReply): void {
    reply.header('set-cookie', `${this.#flowName}=; ${this.#attributes}; Max-Age=0`)
  }

  isChange({ method }: FastifyRequest): boolean {
    return !SAFE.has(method)
  }

  /** Does the browser say that a page of this very origin asks? By Fetch Metadata, and by Origin where there is one. */
  isOwnPage(request: Asked): boolean {
    const { origin, 'sec-fetch-site': site } = request.headers
    return (origin !== undefined || site !== undefined) && !this.isForeignPage(request)
  }

  /** Does the browser say that a page of another origin asks? Programs say nothing. */
  isForeignPage({ headers, protocol }: Asked): boolean {
    const { origin, host, 'sec-fetch-site': site } = headers
    if (site !== undefined && site !== 'same-origin') return true
    return origin !== undefined && origin !== `${this.#isSecure ? 'https' : protocol}://${host}`
  }
}
