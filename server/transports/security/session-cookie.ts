import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * The console's cookie. With TLS its prefix makes browsers refuse one that another host or path has set
 * (RFC 6265bis §4.1.3.2); development over plain HTTP has to do without.
 */
export class SessionCookie {
  readonly #name: string
  readonly #attributes: string

  constructor(isSecure: boolean) {
    this.#name = isSecure ? '__Host-session' : 'session'
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  }

  /** The opaque id, when there is exactly one: two were not both set by us. */
  read({ headers }: FastifyRequest): string | undefined {
    const found = (headers.cookie ?? '')
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${this.#name}=`))
    const value = found.length === 1 ? found[0]!.slice(this.#name.length + 1) : ''
    return /^[\w-]{22,64}$/.test(value) ? value : undefined
  }

  /** A session cookie in the browser's sense: the server alone knows when it ends. */
  set(reply: FastifyReply, secret: string): void {
    reply.header('set-cookie', `${this.#name}=${secret}; ${this.#attributes}`)
  }

  clear(reply: FastifyReply): void {
    reply.header('set-cookie', `${this.#name}=; ${this.#attributes}; Max-Age=0`)
    reply.header('clear-site-data', '"cache", "storage"')
  }
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * May a page have sent this with the reader's cookie? What changes something must come from a page of this very origin:
 * by what the browser says (Fetch Metadata, else Origin), and by the session's own token, which no other page can read.
 */
export function isSameOrigin({ method, headers, protocol }: FastifyRequest): boolean {
  if (SAFE.has(method)) return true
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  const { origin, host } = headers
  return origin === undefined ? site === 'same-origin' : origin === `${protocol}://${host}`
}
export const needsCsrfToken = ({ method }: FastifyRequest): boolean => !SAFE.has(method)
