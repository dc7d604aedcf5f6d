import { applyAgent, applyDisplay, type AgentView, type Display } from '../../shared/views.ts'
import { applyEvent, type Board, type Feed, type Frame, type LiveEvent } from '../../shared/board.ts'
import { LiveClient, type LiveStatus, type Socket } from '../../shared/live-client.ts'
import type { Operation } from './operation.ts'
import { eventsList, type EventsList } from './operations.ts'
import { Problem } from './problem.ts'

export interface ClientOptions {
  /** Origin of the server: `https://queue.example.org`. */
  baseUrl: string
  /** Slug of the organisation. */
  tenant: string
  /** An API key (`sk_…`) or an access token; asked before every request where it is a function. */
  token?: string | (() => string | Promise<string>)
  /** Language of texts and refusals. */
  language?: 'fr' | 'en' | 'ar'
  /** Requests that met a busy or restarting server, or none, are repeated so often; 2 when absent. */
  retries?: number
  fetch?: typeof fetch
  WebSocket?: new (url: string, protocols?: string[]) => Socket
}
export interface CallOptions {
  /** Repeating a change with the same key changes nothing a second time; one is made when absent. */
  idempotencyKey?: string
  /** Only if the row is still this version (ETag). */
  ifMatch?: string
  signal?: AbortSignal
}
/** One event of the log; its type tells what `data` holds (docs/events.md). */
export type Event = EventsList['results'][number]

/** The organisation in an address is the client's own; some operations take one in their body. */
type InputOf<Input> = Omit<Input, 'tenant'> & { tenant?: string }
/** Live views, by what is followed. */
interface Views {
  queues: Board
  displays: Display
  agents: AgentView
}
const REDUCERS = { queues: applyEvent, displays: applyDisplay, agents: applyAgent } as unknown as Record<
  keyof Views,
  (view: Feed, event: LiveEvent) => Feed
>
export interface FollowOptions<View> {
  onChange(view: View): void
  onStatus?(status: LiveStatus): void
}

const FIRST_WAIT_MS = 300

/** A server of SmartQueue, as one organisation's program sees it. */
export class SmartQueue {
  readonly #options: ClientOptions
  readonly #origin: string

  constructor(options: ClientOptions) {
    this.#options = options
    this.#origin = options.baseUrl.replace(/\/+$/, '')
  }

  /**
   * Runs an operation: parameters of the path are taken out of the input, the rest goes into the query or the body.
   * A change carries an Idempotency-Key, so that a repetition after a lost answer changes nothing twice.
   * @throws Problem when it is refused, or when the server is not reached
   */
  async call<Input, Output>(
    { method, path }: Operation<Input, Output>,
    input: InputOf<Input>,
    options: CallOptions = {},
  ): Promise<Output> {
    const rest: Record<string, unknown> = { ...input }
    const address = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = name === 'tenant' ? this.#options.tenant : rest[name]
      delete rest[name]
      return encodeURIComponent(String(value))
    })
    const isRead = method === 'GET' || method === 'DELETE'
    const query = new URLSearchParams()
    if (isRead)
      for (const [name, value] of Object.entries(rest))
        for (const each of [value].flat()) if (each !== undefined && each !== null) query.append(name, String(each))
    const headers: Record<string, string> = {}
    if (options.ifMatch) headers['if-match'] = options.ifMatch
    if (method === 'POST') headers['idempotency-key'] = options.idempotencyKey ?? crypto.randomUUID()
    const isRepeatable = isRead || method === 'POST'
    const body = isRead ? undefined : JSON.stringify(rest)
    const search = query.size > 0 ? `?${query}` : ''
    return (await this.#ask(method, address + search, {
      headers,
      body,
      signal: options.signal,
      isRepeatable,
    })) as Output
  }

  /** Asks GraphQL; types of the schema are in `smartqueue-sdk/graphql`. @throws Problem with the first error's code */
  async graphql<Data = Record<string, unknown>>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const body = JSON.stringify({ query, variables })
    const answer = (await this.#ask('POST', '/graphql', { body, headers: {}, isRepeatable: false })) as {
      data: Data
      errors?: { message: string; extensions?: { code?: string } }[]
    }
    const first = answer.errors?.[0]
    if (first) throw new Problem(200, { title: first.message, code: first.extensions?.code ?? 'graphql' })
    return answer.data
  }

  /**
   * The log, from a cursor on and then as it grows, nothing left out. Whoever keeps the `cursor` of each event once it has been
   * dealt with, and begins there after a crash, misses none and meets those of one page again at worst.
   * @param given `after: 'now'` begins with what happens next; `pollMs`: how often the end of the log is looked at
   */
  async *events(
    given: {
      after?: string
      since?: string
      types?: string[]
      site?: number
      pollMs?: number
      signal?: AbortSignal
    } = {},
  ): AsyncGenerator<{ event: Event; cursor: string | undefined }> {
    const { pollMs = 1000, signal, after, since, ...choice } = given
    let cursor = after
    while (!signal?.aborted) {
      const from = cursor ? { after: cursor } : since ? { since } : {}
      const page = await this.call(eventsList, { ...choice, ...from, limit: 200 }, signal ? { signal } : {})
      for (const [i, event] of page.results.entries())
        yield { event, cursor: i === page.results.length - 1 ? page.next : cursor }
      cursor = page.next
      if (!page.has_more) await wait(pollMs, signal)
    }
  }

  /** Follows a live view through breaks: the whole of it, then every change. */
  follow<Kind extends keyof Views>(kind: Kind, id: number, options: FollowOptions<Views[Kind]>): { close(): void } {
    const url = `${this.#origin.replace(/^http/, 'ws')}/ws/tenants/${this.#options.tenant}/${kind}/${id}/`
    const client = new LiveClient<Feed, Frame>({
      address: async () => ({ url, protocols: ['smartqueue.v1', `bearer.${await this.#token()}`] }),
      WebSocket: (this.#options.WebSocket ?? WebSocket) as new (url: string, protocols?: string[]) => Socket,
      reduce: REDUCERS[kind] as (view: Feed, event: Frame) => Feed,
      onChange: (view) => options.onChange(view as Views[Kind]),
      ...(options.onStatus && { onStatus: options.onStatus }),
    })
    return { close: () => client.close() }
  }

  async #token(): Promise<string> {
    const { token } = this.#options
    return (typeof token === 'function' ? await token() : token) ?? ''
  }

  async #ask(
    method: string,
    address: string,
    given: {
      headers: Record<string, string>
      body: string | undefined
      signal?: AbortSignal | undefined
      isRepeatable: boolean
    },
  ): Promise<unknown> {
    const { retries = 2, language, fetch: ask = fetch, tenant } = this.#options
    for (let attempt = 0; ; attempt++) {
      const token = await this.#token()
      const problem = await ask(this.#origin + address, {
        method,
        headers: {
          accept: 'application/json',
          'x-tenant': tenant,
          ...(language && { 'accept-language': language }),
          ...(token && { authorization: `Bearer ${token}` }),
          ...(given.body !== undefined && { 'content-type': 'application/json' }),
          ...given.headers,
        },
        ...(given.body !== undefined && { body: given.body }),
        ...(given.signal && { signal: given.signal }),
      }).then(answerOf, (error: unknown) => {
        if (given.signal?.aborted) throw error
        return new Problem(0, { title: `the server was not reached at ${this.#origin}` }, undefined, error)
      })
      if (!(problem instanceof Problem)) return problem.body
      const mayPass = [0, 429, 502, 503, 504].includes(problem.status)
      if (!mayPass || !given.isRepeatable || attempt >= retries) throw problem
      const asked =
        problem.retryAfterSeconds === undefined ? FIRST_WAIT_MS * 2 ** attempt : problem.retryAfterSeconds * 1000
      await wait(asked * (0.75 + Math.random() / 2), given.signal)
    }
  }
}

async function answerOf(response: Response): Promise<Problem | { body: unknown }> {
  const text = await response.text()
  // JSON lines (`application/x-ndjson`) are not one value.
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '')
  const body: unknown = text && isJson ? JSON.parse(text) : text || null
  if (response.ok) return { body }
  const after = Number(response.headers.get('retry-after') ?? NaN)
  const members = isJson ? (body as Record<string, unknown>) : { title: response.statusText, code: 'not_understood' }
  return new Problem(response.status, members, Number.isFinite(after) ? after : undefined)
}

/** Ends early, and quietly, when the signal says so. */
const wait = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
    if (signal?.aborted) done()
  })
