import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { GraphQLError, subscribe, type ExecutionArgs } from 'graphql'
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, makeServer } from 'graphql-ws'
import { WebSocket, WebSocketServer } from 'ws'
import type { Actor } from '../../kernel/access.ts'
import { monotonicMs, now } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { negotiateLocale } from '../../kernel/i18n.ts'
import type { Feed } from '../../kernel/feed.ts'
import { liveCuts, observeRequest } from '../../kernel/metrics.ts'
import { ANONYMOUS, bearerToken } from '../authenticate.ts'
import { MAX_BUFFERED_BYTES } from '../fan-out.ts'
import { CLOSE, EXPIRY_SECONDS, type Live, type Place } from '../live.ts'
import { GraphqlContext, type Asker, type Shared } from './context.ts'
import { formatError } from './errors.ts'
import { GraphQLErrors, type Executor, type Prepared, type Wish } from './executor.ts'
import type { Follow } from './follow.ts'
import { Subscriber, type Backlog } from './subscriber.ts'

const MAX_PAYLOAD_BYTES = 65_536
const INIT_WITHIN_MS = 10_000
const PING_MS = 25_000
/** A socket that follows nothing and asks nothing for so long is closed: its client opens another when it needs one. */
const IDLE_MS = 120_000
/** RFC 6455 §7.4.1: clients do not come back by themselves. */
const NORMAL = 1000
/** Who does not read does not see a close either. */
const CLOSE_WITHIN_MS = 2000
/** Subscriptions of one socket; a console shows a few queues and one desk. */
const MAX_SUBSCRIPTIONS = 50

export interface GraphqlSocketOptions {
  shared: Shared
  executor: Executor
  live: Live
  hidesSuggestions: boolean
  /** Default: two minutes. */
  idleMs?: number | undefined
  redeemTicket(ticket: string): Promise<Actor>
  expiryOf(token: string): number
  isRevoked(sessionId: string): boolean
  onRevoked(listener: (sessionId: string) => void): () => void
  log(error: unknown): void
}
/** What is known of a socket that has been let in. */
interface Arrival {
  request: IncomingMessage
  stream: Duplex
  head: Buffer
  address: string
}
export interface GraphqlSockets {
  arrive(arrival: Arrival): void
  close(): void
}
/** One client. */
interface Client {
  arrival: Arrival
  socket: WebSocket
  subscribers: Set<Subscriber>
  /** Subscriptions on their way: they count as well. */
  opening: number
  /** When it last asked for something, on the monotonic clock. */
  askedAt: number
  place: Place
  backlog: Backlog
  asker: Asker | null
  expiresAt: number
}

/** graphql-transport-ws: subscriptions, and queries and changes as well, over one socket at the address of HTTP. */
export function graphqlSockets(options: GraphqlSocketOptions): GraphqlSockets {
  const { shared, executor, live, hidesSuggestions, log, idleMs = IDLE_MS } = options
  const clients = new Set<Client>()
  const stopWatching = options.onRevoked((sessionId) => {
    for (const { asker, socket } of clients)
      if (asker?.actor.sessionId === sessionId) endSocket(socket, CLOSE.unauthorized, 'session_revoked')
  })
  const expiry = setInterval(
    () => {
      const at = now()
      for (const { expiresAt, socket } of clients)
        if (expiresAt <= at) endSocket(socket, CLOSE.unauthorized, 'token_expired')
      for (const { askedAt, subscribers, opening, socket } of clients)
        if (subscribers.size + opening === 0 && monotonicMs() - askedAt > idleMs) {
          liveCuts.inc({ reason: 'idle' })
          endSocket(socket, NORMAL, 'idle')
        }
    },
    Math.min(EXPIRY_SECONDS * 1000, idleMs),
  ).unref()
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD_BYTES,
    clientTracking: false,
    handleProtocols: (offered) => offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
  })
  const formatting = ({ asker }: Client) => ({
    locale: asker?.locale ?? 'en',
    requestId: asker?.requestId ?? '',
    hidesSuggestions,
    log,
  })
  const asError = (client: Client) => (error: unknown) => {
    const { message, extensions } = formatError(error, formatting(client))
    return new GraphQLError(message, { extensions: extensions ?? {} })
  }
  const refused = (client: Client, error: unknown) =>
    error instanceof GraphQLErrors ? error.errors.map(asError(client)) : [asError(client)(error)]

  const server = makeServer<Record<string, unknown> | undefined, Client>({
    connectionInitWaitTimeout: INIT_WITHIN_MS,
    async onConnect({ connectionParams, extra: client }) {
      try {
        client.asker = await arrive(client, connectionParams ?? {})
        return true
      } catch (error) {
        const kind = error instanceof AppError ? error.kind : 'internal'
        if (kind === 'internal') log(error)
        client.socket.close(
          kind in CLOSE ? CLOSE[kind as keyof typeof CLOSE] : CloseCode.InternalServerError,
          error instanceof AppError ? error.code : 'internal',
        )
        return false
      }
    },
    async onSubscribe({ extra: client }, _id, payload) {
      const started = performance.now()
      client.askedAt = monotonicMs()
      try {
        const session = client.asker!.actor.sessionId
        if (client.expiresAt <= now() || (session !== null && options.isRevoked(session))) {
          client.socket.close(CLOSE.unauthorized, 'session_revoked')
          throw new AppError('unauthorized', 'session_expired')
        }
        const wish: Wish = payload
        const prepared = executor.prepare(wish)
        executor.cost(prepared, wish.variables)
        const context = new GraphqlContext({ ...shared, follow: follower(client) }, { ...client.asker! })
        const args: Args = {
          schema: executor.schema,
          document: prepared.document,
          operationName: wish.operationName ?? null,
          variableValues: { ...wish.variables },
          contextValue: context,
          prepared,
          started,
        }
        return args
      } catch (error) {
        return refused(client, error)
      }
    },
    execute: (args) => {
      const { prepared, contextValue, variableValues } = args as Args
      return executor.run(prepared, contextValue as GraphqlContext, variableValues as Wish['variables'])
    },
    subscribe,
    onOperation(_context, _id, _payload, args) {
      const { prepared, started } = args as Args
      observeRequest(`graphql.${prepared.operation.operation}`, 'WS', 200, (performance.now() - started) / 1000)
    },
    onError: ({ extra: client }, _id, _payload, errors) => errors.map((error) => formatted(client, error)),
    onNext: ({ extra: client }, _id, _payload, _args, result) => ({
      ...(result.data !== undefined && { data: result.data }),
      ...(result.errors && { errors: result.errors.map((error) => formatted(client, error)) }),
    }),
  })
  /** What was told already stays as it was told. */
  const formatted = (client: Client, error: GraphQLError) =>
    error.extensions['code'] === undefined ? formatError(error, formatting(client)) : error.toJSON()

  /** `{authorization: "Bearer …"}`, `{ticket: "…"}` or nothing; `{tenant, language}` as the headers of HTTP would say. */
  async function arrive(client: Client, params: Record<string, unknown>): Promise<Asker> {
    const { request, address } = client.arrival
    const text = (name: string) => (typeof params[name] === 'string' ? params[name] : undefined)
    const authorization = text('authorization') ?? text('Authorization')
    const ticket = text('ticket')
    const token = bearerToken(authorization)
    if (authorization !== undefined && token === undefined) throw new AppError('unauthorized', 'unauthorized')
    let actor = ANONYMOUS
    if (ticket !== undefined) actor = await options.redeemTicket(ticket)
    else if (token !== undefined) {
      actor = await shared.authenticator.bearer(token)
      client.expiresAt = options.expiryOf(token) * 1000
    }
    const language = text('language') ?? request.headers['accept-language']
    const slug = text('tenant')
    const asker: Asker = {
      actor,
      slugs: slug === undefined ? [] : [slug],
      language,
      locale: actor.locale ?? negotiateLocale(language, 'fr'),
      requestId: '',
      origin: { address, userAgent: request.headers['user-agent'] },
    }
    if (actor.tenantId !== null || slug !== undefined) {
      const caller = await shared.authenticator.place(actor, asker.slugs, language)
      await client.place.of(caller)
      asker.locale = caller.locale
    }
    return asker
  }

  async function open(
    client: Client,
    feed: Feed,
    { token, params, asking }: { token: unknown; params: Record<string, unknown>; asking: Parameters<Follow>[2] },
  ) {
    const { language } = client.asker!
    const isVisitors = typeof token === 'string'
    const caller = isVisitors ? await shared.authenticator.visitor(token, language) : await asking.placed()
    const texts = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]))
    const entry = await live.openFor(feed, caller, texts)
    const subscriber = new Subscriber(
      feed.name,
      client.backlog,
      (ended) => {
        client.subscribers.delete(ended)
        client.askedAt = monotonicMs()
        live.leave(ended)
      },
      (code, reason) => endSocket(client.socket, code, reason),
    )
    client.subscribers.add(subscriber)
    live.enter(subscriber, client.arrival.address)
    return { subscriber, entry }
  }

  /** Opens feeds for one subscription; each counts and ends as a connection of its own. */
  function follower(client: Client): Follow {
    return async (feed, args, asking) => {
      const { token, epoch, since, ...params } = args
      if (client.subscribers.size + client.opening >= MAX_SUBSCRIPTIONS)
        throw new AppError('limit_exceeded', 'too_many_connections', { retryAfterSeconds: 60 })
      client.opening++
      const { subscriber, entry } = await open(client, feed, { token, params, asking }).finally(() => client.opening--)
      const isNamed = (since !== undefined && since !== null) || (epoch !== undefined && epoch !== null)
      const position = isNamed ? { epoch: String(epoch ?? ''), offset: Number(since ?? 0) } : null
      live
        .follow(subscriber, { ...entry, expiresAt: client.expiresAt }, position)
        .catch((error: unknown) => live.reject(subscriber, error))
      return subscriber
    }
  }

  const arrived = ({ request, stream, head, address }: Arrival) =>
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const client: Client = {
        arrival: { request, stream, head, address },
        socket,
        subscribers: new Set(),
        opening: 0,
        askedAt: monotonicMs(),
        place: live.hold(address),
        backlog: { size: 0 },
        asker: null,
        expiresAt: Infinity,
      }
      serve(client)
    })
  return {
    arrive: arrived,
    close() {
      stopWatching()
      clearInterval(expiry)
      for (const { socket } of clients) endSocket(socket, 1012, 'restart')
    },
  }

  function serve(client: Client) {
    const { socket } = client
    clients.add(client)
    let isAlive = true
    const pings = setInterval(() => {
      if (!isAlive) return socket.terminate()
      isAlive = false
      socket.ping()
    }, PING_MS).unref()
    socket.on('pong', () => (isAlive = true))
    socket.on('error', () => {})
    const closed = server.opened(
      {
        protocol: socket.protocol,
        send: (text) =>
          new Promise((resolve, reject) => {
            if (socket.readyState !== WebSocket.OPEN) return resolve()
            if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
              liveCuts.inc({ reason: 'slow' })
              socket.terminate()
              return resolve()
            }
            socket.send(text, (error) => (error ? reject(error) : resolve()))
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) =>
          socket.on('message', (data: Buffer) => {
            take(data.toString()).catch((error: unknown) => {
              log(error)
              socket.close(CloseCode.InternalServerError, 'internal')
            })
          }),
      },
      client,
    )
    socket.once('close', (code, reason) => {
      clearInterval(pings)
      clients.delete(client)
      client.place.leave()
      for (const subscriber of client.subscribers) void subscriber.return()
      void closed(code, String(reason))
    })
  }
}

function endSocket(socket: WebSocket, code: number, reason: string) {
  socket.close(code, reason)
  setTimeout(() => socket.terminate(), CLOSE_WITHIN_MS).unref()
}

interface Args extends ExecutionArgs {
  prepared: Prepared
  started: number
}
