import { Agent, request as send } from 'node:http'

export interface Answer {
  status: number
  body: string
  /** The stored answer of an earlier request with the same key. */
  isReplay: boolean
  /** Of a refusal: when to come again. */
  retryAfter?: string | undefined
}

/** Requests to one server over connections kept open. Nothing is sent twice unless the caller does. */
export class Api {
  readonly port: number
  #base: string
  #agent = new Agent({ keepAlive: true, maxSockets: 64 })

  /** @param tenant slug; paths are below it */
  constructor(port: number, tenant: string) {
    this.port = port
    this.#base = `/api/v1/tenants/${tenant}`
  }

  get(path: string, token: string): Promise<Answer> {
    return this.#send('GET', path, { authorization: `Bearer ${token}` })
  }

  post(path: string, token: string, input: object = {}, key?: string): Promise<Answer> {
    const headers = { authorization: `Bearer ${token}`, ...(key && { 'idempotency-key': key }) }
    return this.#send('POST', path, headers, JSON.stringify(input))
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Rejects when the connection ends before the whole answer is there. */
  #send(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const options = {
      host: '127.0.0.1',
      port: this.port,
      method,
      path: this.#base + path,
      agent: this.#agent,
      timeout: 15_000,
      headers: {
        ...headers,
        ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    }
    const request = send(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          body: Buffer.concat(chunks).toString(),
          isReplay: response.headers['idempotent-replayed'] === 'true',
          retryAfter: response.headers['retry-after'],
        }),
      )
    })
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error('no answer within 15 s')))
    request.end(body)
    return promise
  }
}
