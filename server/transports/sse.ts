import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, notFound } from '../kernel/errors.ts'
import { liveCuts } from '../kernel/metrics.ts'
import type { Position } from './channel.ts'
import { SocketConnection } from './connection.ts'
import { deliver, serverSentBytes } from './fan-out.ts'
import { type Live, positionOf } from './live.ts'

/** How long a browser waits before it comes back by itself, at least; the rest is random for each. */
const RETRY_MS = 1000
/** Proxies take a line for dead that says nothing for a minute: comments keep it. */
const PING = Buffer.from(': ping\n\n')
const BEAT = Buffer.from('data: {"type":"ping"}\n\n')

/** A response that never ends: its bytes go to the socket directly, the same for all who follow. */
class EventStream extends SocketConnection {
  #response: ServerResponse
  #isOpen = true

  constructor(response: ServerResponse, feed: string) {
    super('sse', feed, response.socket!, serverSentBytes)
    this.#response = response
    this.stream.once('close', () => (this.#isOpen = false))
  }
  get isOpen(): boolean {
    return this.#isOpen
  }
  /** There are no close codes here: the last event says what they would have. */
  end(code: number, reason: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.channel?.followers.delete(this)
    const wait = Number(/^retry_after_ms=(\d+)$/.exec(reason)?.[1] ?? RETRY_MS * (1 + Math.random()))
    const last = `retry: ${Math.ceil(wait)}\ndata: ${JSON.stringify({ type: 'close', code, reason })}\n\n`
    this.stream.end(last)
  }
  cut(reason: string): void {
    liveCuts.inc({ reason })
    this.#isOpen = false
    this.#response.destroy()
  }
  ping(): void {
    deliver(this.stream, PING)
  }
  beat(): void {
    deliver(this.stream, BEAT, Infinity)
  }
}

/**
 * Serves every feed at `/sse/…` as well, for browsers behind proxies that break WebSockets: the same frames, positions
 * and rights. Failures before the first byte are ordinary problem answers.
 */
export function serverSentEvents(app: FastifyInstance, live: Live): void {
  app.get('/sse/*', { config: { operation: 'live.sse' } }, async (request, reply) => {
    const url = new URL(request.url, 'http://host')
    const match = live.match(url.pathname.replace(/^\/sse\//, '/ws/'))
    if (!match) throw notFound()
    if (live.isClosing) throw new AppError('unavailable', 'overloaded', { retryAfterSeconds: 1 })
    const { headers, protocol, ip } = request
    if (!live.isAllowedOrigin({ headers, protocol })) throw new AppError('forbidden', 'origin_not_allowed')
    live.admit(ip)
    const entry = await live.authorise({ headers, protocol, address: ip, url }, match)
    if (reply.raw.destroyed || !reply.raw.socket) return reply
    const connection = begin(request, reply, match.feed.name)
    live.enter(connection, ip)
    connection.stream.once('close', () => live.leave(connection))
    live.wantsHeartbeat(connection, url)
    live
      .follow(connection, entry, lastEvent(request) ?? positionOf(url))
      .catch((error: unknown) => live.reject(connection, error))
    return reply
  })
}

/** Sends the head. Without a length or chunks the body is all that follows, so that everybody gets the same bytes. */
function begin(request: FastifyRequest, reply: FastifyReply, feed: string): EventStream {
  reply.hijack()
  const { raw } = reply
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
  raw.removeHeader('transfer-encoding')
  raw.shouldKeepAlive = false
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    // nginx would hold the first kilobytes back.
    'x-accel-buffering': 'no',
    connection: 'close',
  })
  raw.flushHeaders()
  request.raw.socket.setTimeout(0)
  request.raw.socket.setNoDelay(true)
  const connection = new EventStream(raw, feed)
  deliver(connection.stream, Buffer.from(`retry: ${Math.ceil(RETRY_MS * (1 + Math.random()))}\n\n`))
  return connection
}

/** Where a browser that comes back by itself stopped: `Last-Event-ID: <epoch>:<offset>`, which outdates its URL. */
function lastEvent({ headers }: FastifyRequest): Position | null {
  const id = headers['last-event-id']
  if (typeof id !== 'string' || id === '') return null
  const [, epoch, offset] = /^([\w-]{1,64}):(\d{1,15})$/.exec(id) ?? []
  return epoch === undefined ? { epoch: '', offset: 0 } : { epoch, offset: Number(offset) }
}
