import { randomUUID } from 'node:crypto'
import { Agent, request as send } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'

/** Longer than any limit of the server's. */
const PATIENCE_MS = 30_000

interface Reply {
  status: number
  body: string
  retryAfter: string | undefined
}
export interface Tally {
  requests: number
  /** Under way. */
  open: number
  /** Without a good answer, by what was wrong. */
  failures: Map<string, number>
  /** Sent again on a new connection because the kept one had just been closed, as every browser does (RFC 9112 §9.3.1). */
  resent: number
  /** Told to come again by 503 with Retry-After: sent again then, once, with the same key. */
  putOff: number
}
export const newTally = (): Tally => ({ requests: 0, open: 0, failures: new Map(), resent: 0, putOff: 0 })
export const failedOf = ({ failures }: Tally): number => [...failures.values()].reduce((sum, count) => sum + count, 0)

/** Somebody with a connection of the own over TLS, kept from request to request. */
export class Caller {
  #agent: Agent
  #port: number
  #tally: () => Tally

  /** @param ca the only authority that is believed; @param tally where what becomes of requests is counted at that moment */
  constructor(port: number, ca: string, tally: () => Tally) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca })
    this.#port = port
    this.#tally = tally
  }

  /** Null, and noted, unless the answer is what is expected: 2xx. */
  async ask(method: string, path: string, token?: string, input?: object): Promise<Reply | null> {
    const tally = this.#tally()
    tally.requests++
    tally.open++
    try {
      return await this.#insist(tally, method, path, token, input)
    } finally {
      tally.open--
    }
  }

  async #insist(tally: Tally, method: string, path: string, token?: string, input?: object): Promise<Reply | null> {
    const key = randomUUID()
    let reply = await this.#send(method, path, key, token, input)
    if (reply === 'closed') {
      tally.resent++
      reply = await this.#send(method, path, key, token, input)
    }
    if (typeof reply !== 'string' && reply.status === 503 && reply.retryAfter !== undefined) {
      tally.putOff++
      await sleep(Number(reply.retryAfter) * 1000)
      reply = await this.#send(method, path, key, token, input)
    }
    if (typeof reply !== 'string' && reply.status < 300) return reply
    const what = typeof reply === 'string' ? reply : `${reply.status} ${reply.body.slice(0, 200)}`
    const kind = `${method} ${path}: ${what}`
    tally.failures.set(kind, (tally.failures.get(kind) ?? 0) + 1)
    return null
  }

  close(): void {
    this.#agent.destroy()
  }

  #send(method: string, path: string, key: string, token?: string, input?: object): Promise<Reply | string> {
    const body = input === undefined ? undefined : JSON.stringify(input)
    return new Promise((resolve) => {
      const request = send(
        {
          host: '127.0.0.1',
          servername: 'localhost',
          port: this.#port,
          method,
          path,
          agent: this.#agent,
          timeout: PATIENCE_MS,
          headers: {
            host: `localhost:${this.#port}`,
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(body),
              'idempotency-key': key,
            }),
          },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('error', (error) => resolve(String(error)))
          response.on('end', () =>
            resolve({ status: response.statusCode!, body: text, retryAfter: response.headers['retry-after'] }),
          )
        },
      )
      request.on('error', (error: NodeJS.ErrnoException) =>
        resolve(request.reusedSocket && error.code === 'ECONNRESET' ? 'closed' : String(error)),
      )
      request.on('timeout', () => request.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)))
      request.end(body)
    })
  }
}

/** The same work over and over until the end, by several at once. */
export function overAndOver(count: number, restMs: number, work: (index: number) => Promise<void>) {
  let isOver = false
  const working = Promise.all(
    Array.from({ length: count }, async (_, index) => {
      while (!isOver) {
        await work(index)
        await sleep(restMs)
      }
    }),
  )
  return async () => {
    isOver = true
    await working
  }
}
