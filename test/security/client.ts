import { Agent, request as send, type IncomingHttpHeaders } from 'node:http'

export interface Wanted {
  method: string
  /** As it stands in the request line: escaped already. */
  path: string
  headers?: Record<string, string>
  body?: string | Buffer | undefined
}
export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  body: string
  milliseconds: number
}

const ANSWER_WITHIN_MS = 30_000

/** Requests to a server on this machine exactly as they are wanted; nothing is followed, sent twice or understood. */
export class Client {
  readonly port: number
  #agent: Agent

  /** @param from address of this machine that requests come from */
  constructor(port: number, from = '127.0.0.1') {
    this.port = port
    this.#agent = new Agent({ keepAlive: true, maxSockets: 32, localAddress: from })
  }

  /** Rejects when the connection ends, or half a minute goes by, before the whole answer is there. */
  send({ method, path, headers = {}, body }: Wanted): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    const started = performance.now()
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = send(
      { host: '127.0.0.1', port: this.port, method, path, agent: this.#agent, headers: { ...length, ...headers } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
            milliseconds: performance.now() - started,
          }),
        )
      },
    )
    request.setTimeout(ANSWER_WITHIN_MS, () => request.destroy(new Error('no answer within half a minute')))
    request.on('error', reject)
    request.end(body)
    return promise
  }

  /** A request with a JSON body by whoever holds the token. */
  json(method: string, path: string, token: string | undefined, input?: object): Promise<Reply> {
    return this.send({
      method,
      path,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(input && { 'content-type': 'application/json' }),
      },
      body: input && JSON.stringify(input),
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
