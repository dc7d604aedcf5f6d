import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import type { Actor } from '../kernel/access.ts'
import { now } from '../kernel/clock.ts'
import type { Database } from '../kernel/db/types.ts'
import { AppError, notFound } from '../kernel/errors.ts'
import type { Hub, StreamEvent } from '../kernel/events/index.ts'
import type { Feed } from '../kernel/feed.ts'
import type { Logger } from '../kernel/log.ts'
import { deliveryLatency, websocketConnections, websocketCuts, websocketFrames } from '../kernel/metrics.ts'
import type { Authenticator, Caller } from './authenticate.ts'
import type { Channel, Follower, Position } from './channel.ts'
import { Channels } from './channels.ts'
import { deliver, PING_FRAME, textFrame } from './fan-out.ts'
import { paramsOf, pathPattern } from './routes.ts'

const PROTOCOL = 'smartqueue.v1'
const MAX_PAYLOAD_BYTES = 65_536
/** Every connection is pinged once in this time; one that has not answered by the next is gone. */
const PING_SECONDS = 25
/** Clients come back within this time of a restart, each at a moment of its own. */
const RETURN_WITHIN_MS = 5000
/** Time for clients to answer a close. */
const CLOSE_WITHIN_MS = 2000
const HEARTBEAT_FRAME = textFrame('{"type":"ping"}')

/** Close codes of our own (4000–4999 are free to use). */
const CLOSE = { unauthorized: 4401, forbidden: 4403, not_found: 4404 } as const

export interface LiveOptions {
  db: Database
  hub: Hub
  feeds: readonly Feed[]
  authenticator: Authenticator
  /** The actor of a one-time ticket. @throws AppError unauthorized */
  redeemTicket(ticket: string): Promise<Actor>
  /** End of a bearer token in seconds since 1970; Infinity when only its revocation ends it. */
  expiryOf(token: string): number
  onRevoked(listener: (sessionId: string) => void): () => void
  isAllowedHost(request: IncomingMessage): boolean
  /** Did it come over TLS, as far as the browser is concerned? */
  isSecure(request: IncomingMessage): boolean
  /** Origins of pages that may connect, beside those of the host itself. */
  allowedOrigins: readonly string[]
  logger?: Logger | undefined
}

interface Route {
  feed: Feed
  pattern: RegExp
  isVisitors: boolean
}

/** One client of one feed. */
class Connection implements Follower {
  readonly stream: Duplex
  readonly feed: string
  isAlive = true
  actor: Actor | null = null
  /** Milliseconds since 1970 at which its token ends. */
  expiresAt = Infinity
  /** 0: none asked for. */
  heartbeatSeconds = 0
  channel: Channel | null = null
  #socket: WebSocket

  constructor(socket: WebSocket, stream: Duplex, feed: string) {
    this.#socket = socket
    this.stream = stream
    this.feed = feed
  }
  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }
  end(code: number, reason: string): void {
    this.channel?.followers.delete(this)
    this.#socket.close(code, reason)
  }
  cut(reason: string): void {
    websocketCuts.inc({ reason })
    this.#socket.terminate()
  }
}

/** Serves feeds over WebSocket on an HTTP server that is given to it. */
export class LiveServer {
  #options: LiveOptions
  #channels: Channels
  #routes: Route[]
  #connections = new Set<Connection>()
  /** Browsers do not see pings: pages ask with `?heartbeat=<seconds>` for a frame that shows them the link lives. */
  #heartbeats = new Set<Connection>()
  /** One slot a second: pings are spread over the whole interval by one timer. */
  #wheel = Array.from({ length: PING_SECONDS }, () => new Set<Connection>())
  #tick = 0
  #timer: NodeJS.Timeout
  #stopWatching: () => void
  #isClosing = false
  #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD_BYTES,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  })

  constructor(server: Server, options: LiveOptions) {
    this.#options = options
    this.#routes = options.feeds.map((feed) => ({
      feed,
      pattern: pathPattern(feed.path),
      isVisitors: paramsOf(feed.path).includes('token'),
    }))
    this.#channels = new Channels(options.hub, measure)
    this.#stopWatching = options.onRevoked((sessionId) => {
      for (const connection of this.#connections)
        if (connection.actor?.sessionId === sessionId) connection.end(CLOSE.unauthorized, 'session_revoked')
    })
    this.#timer = setInterval(() => this.#turn(), 1000).unref()
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) =>
      this.#upgrade(request, stream, head),
    )
  }

  /**
   * Tells everybody to come back in a while, each at another moment, and cuts those who do not answer. New connections
   * are refused from now on.
   */
  close(): void {
    this.#isClosing = true
    clearInterval(this.#timer)
    this.#stopWatching()
    for (const connection of this.#connections)
      connection.end(1012, `retry_after_ms=${Math.floor(Math.random() * RETURN_WITHIN_MS)}`)
    this.#channels.closeAll(1012, 'restart')
    setTimeout(() => this.#connections.forEach((connection) => connection.cut('shutdown')), CLOSE_WITHIN_MS).unref()
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer) {
    stream.on('error', () => stream.destroy())
    const url = URL.parse(request.url ?? '', 'ws://host')
    const route = this.#routes.find(({ pattern }) => pattern.test(url?.pathname ?? ''))
    if (this.#isClosing) return refuse(stream, '503 Service Unavailable')
    if (!this.#options.isAllowedHost(request)) return refuse(stream, '400 Bad Request')
    if (!url || !route) return refuse(stream, '404 Not Found')
    if (!this.#isAllowedOrigin(request)) return refuse(stream, '403 Forbidden')
    this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#accept(socket, stream, request, url, route))
  }

  #accept(socket: WebSocket, stream: Duplex, request: IncomingMessage, url: URL, route: Route) {
    const connection = new Connection(socket, stream, route.feed.name)
    const slot = this.#wheel[Math.floor(Math.random() * PING_SECONDS)]!
    this.#connections.add(connection)
    slot.add(connection)
    websocketConnections.inc({ feed: connection.feed })
    socket.on('pong', () => (connection.isAlive = true))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#connections.delete(connection)
      slot.delete(connection)
      this.#heartbeats.delete(connection)
      connection.channel?.followers.delete(connection)
      websocketConnections.dec({ feed: connection.feed })
    })
    this.#follow(connection, request, url, route).catch((error: unknown) => this.#reject(connection, error))
  }

  async #follow(connection: Connection, request: IncomingMessage, url: URL, { feed, pattern, isVisitors }: Route) {
    const params = Object.fromEntries(Object.entries(pattern.exec(url.pathname)!.groups ?? {}).map(decoded))
    const caller = await this.#authenticate(connection, request, url, params, isVisitors)
    const { actor, tenant, locale } = caller
    if (!tenant) throw notFound()
    if (!feed.roles.includes(actor.role)) throw new AppError('forbidden', 'forbidden')
    if (feed.scope && !isVisitors && !actor.scopes.has(feed.scope)) throw new AppError('forbidden', 'forbidden')
    connection.actor = actor
    const heartbeat = Number(url.searchParams.get('heartbeat'))
    if (heartbeat >= 5 && heartbeat <= 60 && connection.isOpen) {
      connection.heartbeatSeconds = Math.floor(heartbeat)
      this.#heartbeats.add(connection)
    }
    const { db, hub } = this.#options
    const opened = await feed.open({ db, hub, tenant, actor, locale }, params)
    const channel = await this.#channels.get(tenant.id, opened)
    // Known before it joins, so that a close in the meantime takes it out again.
    connection.channel = channel
    await channel.join(connection, positionOf(url), opened)
  }

  async #authenticate(
    connection: Connection,
    { headers }: IncomingMessage,
    url: URL,
    params: Record<string, string>,
    isVisitors: boolean,
  ): Promise<Caller> {
    const { authenticator, redeemTicket, expiryOf } = this.#options
    const language = headers['accept-language']
    if (isVisitors) return authenticator.visitor(params['token']!, language)
    const ticket = url.searchParams.get('ticket')
    const token = bearerOf(headers)
    let actor: Actor
    if (ticket) actor = await redeemTicket(ticket)
    else if (token) {
      actor = await authenticator.bearer(token)
      connection.expiresAt = expiryOf(token) * 1000
    } else throw new AppError('unauthorized', 'unauthorized')
    return authenticator.place(actor, [params['tenant']!], language)
  }

  #reject(connection: Connection, error: unknown) {
    if (error instanceof AppError && error.kind in CLOSE) {
      return connection.end(CLOSE[error.kind as keyof typeof CLOSE], error.code)
    }
    this.#options.logger?.error({ err: error, transport: 'websocket' }, 'feed failed')
    connection.end(1011, 'internal')
  }

  /** Clients that are no browsers send no Origin; a page's must be this very origin (scheme, host, port) or listed. */
  #isAllowedOrigin(request: IncomingMessage): boolean {
    const { origin, host } = request.headers
    if (origin === undefined) return true
    const { allowedOrigins, isSecure } = this.#options
    const own = URL.parse(`${isSecure(request) ? 'https' : 'http'}://${host}`)?.origin
    return origin === own || allowedOrigins.includes(origin)
  }

  #turn() {
    const tick = this.#tick++
    for (const connection of this.#wheel[tick % PING_SECONDS]!) {
      if (!connection.isAlive) connection.cut('silent')
      else if (connection.expiresAt <= now()) connection.end(CLOSE.unauthorized, 'token_expired')
      else {
        connection.isAlive = false
        // A ping cuts nobody who is still taking a large snapshot: the missing answer will, next time.
        deliver(connection.stream, PING_FRAME, Infinity)
      }
    }
    for (const connection of this.#heartbeats)
      if (connection.isOpen && tick % connection.heartbeatSeconds === 0)
        deliver(connection.stream, HEARTBEAT_FRAME, Infinity)
    this.#channels.sweep()
  }
}

/** `Sec-WebSocket-Protocol: smartqueue.v1, bearer.<token>` for browsers, which cannot set headers; else Authorization. */
function bearerOf(headers: IncomingMessage['headers']): string | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim())
  const token = offered.find((protocol) => protocol.startsWith('bearer.'))?.slice('bearer.'.length)
  return token ?? /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

function positionOf({ searchParams }: URL): Position | null {
  const since = searchParams.get('since')
  const epoch = searchParams.get('epoch')
  return since && epoch && /^\d{1,15}$/.test(since) ? { epoch, offset: Number(since) } : null
}

function decoded([name, value = '']: [string, string | undefined]): [string, string] {
  try {
    return [name, decodeURIComponent(value)]
  } catch {
    return [name, value]
  }
}

function refuse(stream: Duplex, status: string) {
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function measure(event: StreamEvent, receivers: number) {
  if (receivers === 0) return
  websocketFrames.inc(receivers)
  deliveryLatency.observe(Math.max(0, now() - Date.parse(event.at)) / 1000)
}
