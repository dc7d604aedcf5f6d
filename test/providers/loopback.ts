import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How a provider may fail. `accept_*`: the message was taken all the same. */
type Fault = 'refuse' | 'busy' | 'too_many' | 'accept_reset' | 'accept_500' | 'slow'
const SLOW_MS = 500

/** An HTTP server on a free loopback port that speaks a provider's API and fails as it is told. */
export interface Loopback {
  url: string
  /** Faults of the next requests that hand over a message, in order; then all goes well. */
  faults: Fault[]
  /** While set, every request fails so. */
  outage: Fault | null
  /** Messages that were taken from somebody who did not live to hear so. */
  unanswered: number
  close(): Promise<void>
}

export interface Handler {
  /** Bodies are bytes and no text: they are handed over in Latin-1. */
  isBinary?: true
  /** Takes the message; what it returns is the answer when all goes well. */
  accept(request: IncomingMessage, body: string): { status: number; headers?: Record<string, string>; body: string }
  /** Answers anything else; undefined = it hands over a message. */
  read?(request: IncomingMessage): string | undefined
}

export async function loopback(handler: Handler, { answerMs = 0 } = {}): Promise<Loopback> {
  const state: Loopback = { url: '', faults: [], outage: null, unanswered: 0, close: async () => {} }
  const server = createServer((request, response) => void respond(request, response))
  async function respond(request: IncomingMessage, response: ServerResponse) {
    let body = ''
    request.setEncoding(handler.isBinary ? 'latin1' : 'utf8')
    for await (const chunk of request) body += chunk
    if (state.outage === 'accept_reset') return request.socket.destroy()
    if (state.outage !== null) return void response.writeHead(503).end('{}')
    const read = handler.read?.(request)
    if (read !== undefined) return void response.writeHead(200, { 'content-type': 'application/json' }).end(read)
    const fault = state.faults.shift()
    if (fault === 'refuse') return void response.writeHead(400).end('{"code":21211,"message":"invalid number"}')
    if (fault === 'busy') return void response.writeHead(503).end('{}')
    if (fault === 'too_many') return void response.writeHead(429, { 'retry-after': '1' }).end('{"code":20429}')
    const answer = handler.accept(request, body)
    response.once('close', () => {
      if (!response.writableFinished) state.unanswered++
    })
    if (answerMs > 0) await new Promise((resolve) => setTimeout(resolve, answerMs))
    if (fault === 'accept_reset') return request.socket.destroy()
    if (fault === 'accept_500') return void response.writeHead(500).end('{}')
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS))
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  state.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return state
}
