import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ClientOptions {
  /** Where the server listens, e.g. `http://localhost:8000`. */
  baseUrl: string
  /** Slug of the tenant. */
  tenant: string
  email: string
  password: string
  /** Ends requests under way and their retries. */
  signal?: AbortSignal | undefined
}

/** A refusal of the server, as its problem document says it. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, what: string) {
    super(`${what}: ${status} ${code}`)
    this.status = status
    this.code = code
  }
}

/** A request is sent again for so long: a server that restarts is back by then. */
const RETRY_MS = 60_000
const LONGEST_PAUSE_MS = 1000
const TIMEOUT_MS = 30_000
/** Latencies kept of each act: a demo runs for weeks. */
const MAX_SAMPLES = 200_000
/** The server did not decide, or says that it has not decided yet: the same key may be sent again. */
const isTransient = (refusal: Refusal) =>
  refusal.status === 429 || refusal.status >= 502 || refusal.code === 'idempotency_in_flight'

/**
 * A caller of one tenant's REST interface, signed in by e-mail and password (again when its token expires).
 * Every POST carries an Idempotency-Key that its retries repeat, so that an answer lost on the way is not an act done twice.
 */
export class ApiClient {
  readonly tenant: string
  readonly baseUrl: string
  /** Milliseconds of every answered request, by what it was for. */
  readonly latencies = new Map<string, number[]>()
  retries = 0
  #hasAnswered = false
  #options: ClientOptions
  #token: Promise<string> | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    this.tenant = options.tenant
    this.baseUrl = options.baseUrl.replace(/\/$/, '')
  }

  /** The access token, signing in when there is none yet. */
  token(): Promise<string> {
    if (!this.#token) {
      const token = this.#signIn()
      this.#token = token
      token.catch(() => {
        // The next request tries anew.
        if (this.#token === token) this.#token = undefined
      })
    }
    return this.#token
  }

  /** Forgets the access token: the next request signs in again. */
  renewToken(): void {
    this.#token = undefined
  }

  get<T>(kind: string, path: string): Promise<T> {
    return this.#request(kind, 'GET', this.#ofTenant(path), undefined)
  }
  post<T>(kind: string, path: string, body: object = {}): Promise<T> {
    return this.#request(kind, 'POST', this.#ofTenant(path), body)
  }
  /** A visitor's act on the own ticket, by its token instead of a sign-in. `path` is below `/api/v1`. */
  postAsVisitor<T>(kind: string, path: string, body: object = {}): Promise<T> {
    return this.#request(kind, 'POST', path, body, false)
  }

  /** All rows of a list, page by page. `path` carries no cursor. */
  async *list<T>(kind: string, path: string): AsyncGenerator<T> {
    let cursor: string | null = null
    do {
      const join = path.includes('?') ? '&' : '?'
      const page: { results: T[]; next: string | null } = await this.get(
        kind,
        `${path}${join}limit=200${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      yield* page.results
      cursor = page.next
    } while (cursor !== null)
  }

  #ofTenant(path: string): string {
    return `/tenants/${this.tenant}${path}`
  }

  /** Throws Refusal for what the server decided against. */
  async #request<T>(kind: string, method: string, path: string, body: object | undefined, signedIn = true): Promise<T> {
    const key = randomUUID()
    const giveUpAt = performance.now() + RETRY_MS
    let signedInAgain = false
    for (let attempt = 1; ; attempt++) {
      try {
        const headers: Record<string, string> = { accept: 'application/json' }
        if (signedIn) headers['authorization'] = `Bearer ${await this.token()}`
        if (body) headers['content-type'] = 'application/json'
        if (method === 'POST') headers['idempotency-key'] = key
        const result = await this.#send<T>(kind, method, `${this.baseUrl}/api/v1${path}`, headers, body)
        this.#hasAnswered = true
        return result
      } catch (error) {
        if (error instanceof Refusal && error.status === 401 && !signedInAgain) {
          signedInAgain = true
          this.renewToken()
          continue
        }
        const isDecided = error instanceof Refusal && !isTransient(error)
        // A server that never answered is not restarting: the address is wrong.
        const isOver = performance.now() > giveUpAt || !this.#hasAnswered || this.#options.signal?.aborted
        if (isDecided || (error instanceof Refusal && isOver)) throw error
        if (isOver) throw new Error(`${this.baseUrl} cannot be reached`, { cause: error })
        this.retries++
        await sleep(Math.min(LONGEST_PAUSE_MS, 25 * 2 ** attempt))
      }
    }
  }

  async #send<T>(
    kind: string,
    method: string,
    url: string,
    headers: Record<string, string>,
    body: object | undefined,
  ): Promise<T> {
    const startedAt = performance.now()
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const { signal } = this.#options
    const init: RequestInit = { method, headers, signal: signal ? AbortSignal.any([signal, timeout]) : timeout }
    if (body) init.body = JSON.stringify(body)
    const response = await fetch(url, init)
    const text = await response.text()
    const milliseconds = performance.now() - startedAt
    const samples = this.latencies.get(kind)
    if (!samples) this.latencies.set(kind, [milliseconds])
    else if (samples.length < MAX_SAMPLES) samples.push(milliseconds)
    if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T
    if (response.status === 429) await sleep(1000 * Number(response.headers.get('retry-after') ?? 0))
    throw new Refusal(response.status, problemCode(text), `${method} ${new URL(url).pathname}`)
  }

  async #signIn(): Promise<string> {
    const { email, password, tenant } = this.#options
    const answer = await this.#send<{ access: string }>(
      'sign in',
      'POST',
      `${this.baseUrl}/api/v1/auth/token/`,
      { 'content-type': 'application/json' },
      { email, password, tenant },
    )
    return answer.access
  }
}

function problemCode(text: string): string {
  try {
    return (JSON.parse(text) as { code?: string }).code ?? 'unknown'
  } catch {
    return 'unknown'
  }
}
