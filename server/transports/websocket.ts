import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { monotonicMs } from '../kernel/clock.ts'
import { AppError } from '../kernel/errors.ts'
import { liveCuts } from '../kernel/metrics.ts'
import { SocketConnection } from './connection.ts'
import { deliver, PING_FRAME, textFrame, webSocketBytes } from './fan-out.ts'
import { type Asked, CLOSE, type Live, type Match, positionOf } from './live.ts'

const PROTOCOL = 'smartqueue.v1'
const MAX_PAYLOAD_BYTES = 65_536
/** Feeds only speak. A client may say so much before it is taken for a fault. */
const MAX_MESSAGES_A_MINUTE = 60
const HEARTBEAT_FRAME = textFrame('{"type":"ping"}')

export interface WebSocketOptions {
  live: Live
  isAllowedHost(request: IncomingMessage): boolean
  isOverTls(request: IncomingMessage): boolean
  /** The client's address, behind whatever proxies are trusted. */
  addressOf(request: IncomingMessage): string
  /** Protocols of their own, by path. */
  others?: ReadonlyMap<
    string,
    (arrival: { request: IncomingMessage; stream: Duplex; head: Buffer; address: string }) => void
  >
}

class WebSocketConnection extends SocketConnection {
  isAlive = true
  #socket: WebSocket

  constructor(socket: WebSocket, stream: Duplex, feed: string) {
    super('websocket', feed, stream, webSocketBytes)
    this.#socket = socket
  }
  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }
  end(code: number, reason: string): void {
    this.channel?.followers.delete(this)
    this.#socket.close(code, reason)
  }
  cut(reason: string): void {
    liveCuts.inc({ reason })
    this.#socket.terminate()
  }
  /** One that has not answered the ping before is gone. */
  ping(): void {
    if (!this.isAlive) return this.cut('silent')
    this.isAlive = false
    // A ping cuts nobody who is still taking a large snapshot: the missing answer will, next time.
    deliver(this.stream, PING_FRAME, Infinity)
  }
  beat(): void {
    deliver(this.stream, HEARTBEAT_FRAME, Infinity)
  }
}

/** Serves feeds over WebSocket on an HTTP server that is given to it. */
export function webSockets(server: Server, options: WebSocketOptions): void {
  const { live, isAllowedHost, isOverTls, addressOf } = options
  const protocolOf = (request: IncomingMessage): Asked['protocol'] => (isOverTls(request) ? 'https' : 'http')
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD_BYTES,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  })

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy())
    const url = URL.parse(request.url ?? '', 'ws://host')
    const match = url ? live.match(url.pathname) : undefined
    if (live.isClosing) return refuse(stream, '503 Service Unavailable')
    if (!isAllowedHost(request)) return refuse(stream, '400 Bad Request')
    const other = options.others?.get(url?.pathname.replace(/\/$/, '') ?? '')
    if (!url || (!match && !other)) return refuse(stream, '404 Not Found')
    if (!live.isAllowedOrigin({ headers: request.headers, protocol: protocolOf(request) }))
      return refuse(stream, '403 Forbidden')
    try {
      live.admit(addressOf(request))
    } catch (error) {
      const seconds = error instanceof AppError ? (error.retryAfterSeconds ?? 1) : 1
      return refuse(stream, '429 Too Many Requests', `Retry-After: ${seconds}\r\n`)
    }
    if (other) return other({ request, stream, head, address: addressOf(request) })
    sockets.handleUpgrade(request, stream, head, (socket) => accept(socket, stream, request, url, match!))
  })

  function accept(socket: WebSocket, stream: Duplex, request: IncomingMessage, url: URL, match: Match) {
    const connection = new WebSocketConnection(socket, stream, match.feed.name)
    const address = addressOf(request)
    let minute = { messages: 0, since: monotonicMs() }
    live.enter(connection, address)
    socket.on('pong', () => (connection.isAlive = true))
    socket.on('message', () => {
      if (monotonicMs() - minute.since > 60_000) minute = { messages: 0, since: monotonicMs() }
      if (++minute.messages <= MAX_MESSAGES_A_MINUTE) return
      liveCuts.inc({ reason: 'chatter' })
      connection.end(CLOSE.limit_exceeded, 'too_many_messages')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') liveCuts.inc({ reason: 'too_large' })
    })
    socket.on('close', () => live.leave(connection))
    const asked: Asked = { headers: request.headers, protocol: protocolOf(request), address, url }
    const follow = async () => {
      const entry = await live.authorise(asked, match)
      if (!connection.isOpen) return
      live.wantsHeartbeat(connection, url)
      await live.follow(connection, entry, positionOf(url))
    }
    follow().catch((error: unknown) => live.reject(connection, error))
  }
}

function refuse(stream: Duplex, status: string, headers = '') {
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n${headers}Content-Length: 0\r\n\r\n`)
}
