import type { IncomingHttpHeaders } from 'node:http'
import type { Actor } from '../kernel/access.ts'
import { addressPrefix } from '../kernel/audit/origin.ts'
import { now } from '../kernel/clock.ts'
import type { Database } from '../kernel/db/types.ts'
import { AppError, notFound } from '../kernel/errors.ts'
import type { Hub } from '../kernel/events/index.ts'
import type { Feed, OpenFeed } from '../kernel/feed.ts'
import { MemoryStore } from '../kernel/limits/index.ts'
import type { Logger } from '../kernel/log.ts'
import { deliveryLatency, liveConnections, liveCuts, liveFrames, liveResyncs } from '../kernel/metrics.ts'
import type { Authenticator, Caller } from './authenticate.ts'
import type { Position } from './channel.ts'
import { Channels } from './channels.ts'
import type { Connection } from './connection.ts'
import { paramsOf, pathPattern } from './routes.ts'

/** Every connection is pinged once in this time. */
const PING_SECONDS = 25
/** Connections whose token has ended are looked for this often. */
export const EXPIRY_SECONDS = 4
/** Every connection's right to be there is asked for anew this often, beside the notices of what ends. */
const RECHECK_SECONDS = 60
/** Clients come back within this time of a restart, each at a moment of its own. */
const RETURN_WITHIN_MS = 5000
/** Time for clients to answer a close. */
const CLOSE_WITHIN_MS = 2000

/** Close codes of our own (4000–4999 are free to use). */
export const CLOSE = { unauthorized: 4401, forbidden: 4403, not_found: 4404, limit_exceeded: 4429 } as const

/** Open at once, times the rate limit factor. An address is a network: a whole branch with its waiting room. */
const MOST_OPEN = { address: 2000, actor: 100, tenant: 20_000 } as const
/** An integration may follow every queue of an organisation. */
const MOST_OPEN_OF_KEY = 2000
/** New connections a minute: enough for a branch that comes back after a restart, several times. */
const CONNECTS = { address: 6000, actor: 300 } as const

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
  /** Of these sessions, those that have ended or whose holder lost the door they came through. */
  endedSessions(actors: readonly Actor[]): Promise<ReadonlySet<string>>
  /** Browsers see this installation over TLS, whatever reaches this process. */
  isSecure: boolean
  /** Origins of pages that may connect, beside those of the host itself. */
  allowedOrigins: readonly string[]
  /** Multiplies every limit. */
  limitFactor: number
  /** What an organisation may have open at once; undefined = what every one may. */
  socketQuotaOf(tenantId: number): Promise<number | undefined>
  /** Told who comes and who goes. */
  presence?: Presence
  logger?: Logger | undefined
}

export interface Presence {
  came(connection: Connection): void
  went(connection: Connection): void
}

/** What is asked for, by whatever transport. */
export interface Asked {
  headers: IncomingHttpHeaders
  protocol: 'http' | 'https'
  /** The client's, not a proxy's. */
  address: string
  url: URL
}
export interface Match {
  feed: Feed
  params: Readonly<Record<string, string>>
  isVisitors: boolean
}
/** A caller who may follow a feed, and the feed as opened for them. */
export interface Entry {
  caller: Caller
  feed: OpenFeed
  /** Milliseconds since 1970. */
  expiresAt: number
}

/** A place held by a line that follows nothing yet, such as a socket of another protocol. */
export interface Place {
  /** Counts it as the caller's own from now on. @throws AppError limit_exceeded */
  of(caller: Caller): Promise<void>
  leave(): void
}

/** All live connections of this process: who may have one, how many, for how long. Transports bring the lines. */
export class Live {
  #options: LiveOptions
  #channels: Channels
  #routes: { feed: Feed; pattern: RegExp; isVisitors: boolean }[]
  #connections = new Set<Connection>()
  /** Browsers do not see pings: pages ask with `?heartbeat=<seconds>` for a frame that shows them the link lives. */
  #heartbeats = new Set<Connection>()
  /** One slot a second: pings are spread over the whole interval by one timer. */
  #wheel = Array.from({ length: PING_SECONDS }, () => new Set<Connection>())
  #tick = 0
  #timer: NodeJS.Timeout
  #stopWatching: () => void
  #isClosing = false
  /** Connections open by what they count against. */
  #open = new Map<string, number>()
  #connects = new MemoryStore()

  constructor(options: LiveOptions) {
    this.#options = options
    this.#routes = options.feeds.map((feed) => ({
      feed,
      pattern: pathPattern(feed.path),
      isVisitors: paramsOf(feed.path).includes('token'),
    }))
    this.#channels = new Channels(options.hub, {
      sent(frames, receivers) {
        liveFrames.inc(frames.length * receivers)
        const at = now()
        for (const frame of frames) if (frame.at !== null) deliveryLatency.observe(Math.max(0, at - frame.at) / 1000)
      },
      resync: (reason) => liveResyncs.inc({ reason }),
    })
    this.#stopWatching = options.onRevoked((sessionId) => this.#endSessions(new Set([sessionId]), 'session_revoked'))
    this.#timer = setInterval(() => this.#turn(), 1000).unref()
  }

  get isClosing(): boolean {
    return this.#isClosing
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

  /** The feed that a path names, written as in `Feed.path`. */
  match(path: string): Match | undefined {
    for (const { feed, pattern, isVisitors } of this.#routes) {
      const groups = pattern.exec(path)?.groups
      if (groups) return { feed, isVisitors, params: Object.fromEntries(Object.entries(groups).map(decoded)) }
    }
    return undefined
  }

  /** Clients that are no browsers send no Origin; a page's must be this very origin (scheme, host, port) or listed. */
  isAllowedOrigin({ headers: { origin, host }, protocol }: Pick<Asked, 'headers' | 'protocol'>): boolean {
    if (origin === undefined) return true
    const { allowedOrigins, isSecure } = this.#options
    const own = URL.parse(`${isSecure ? 'https' : protocol}://${host}`)?.origin
    return origin === own || allowedOrigins.includes(origin)
  }

  /**
   * Counts a new connection of an address before anything else is done for it.
   * @throws AppError limit_exceeded
   */
  admit(address: string): void {
    const network = addressPrefix(address)
    this.#useConnect(`address:${network}`, CONNECTS.address)
    this.#refuseMoreThan(MOST_OPEN.address, `address:${network}`)
  }

  /** Whoever asks, if they may follow this feed. @throws AppError */
  async authorise(asked: Asked, { feed, params, isVisitors }: Match): Promise<Entry> {
    const { caller, expiresAt } = await this.#authenticate(asked, params, isVisitors)
    return { ...(await this.openFor(feed, caller, params)), expiresAt }
  }

  /** Opens a feed for a caller who is known already, such as one of another protocol. @throws AppError */
  async openFor(feed: Feed, caller: Caller, params: Match['params']): Promise<Entry> {
    const { db, hub } = this.#options
    const { actor, tenant, locale } = caller
    if (!tenant) throw notFound()
    await this.#refuseHolder(caller)
    const isForbidden = feed.scope !== null && actor.role !== 'visitor' && !actor.scopes.has(feed.scope)
    if (!feed.roles.includes(actor.role) || isForbidden) throw new AppError('forbidden', 'forbidden')
    return { caller, feed: await feed.open({ db, hub, tenant, actor, locale }, params), expiresAt: Infinity }
  }

  /** Holds a connection against the address's limits from now on; `leave` ends that. */
  enter(connection: Connection, address: string): void {
    this.#connections.add(connection)
    this.#wheel[Math.floor(Math.random() * PING_SECONDS)]!.add(connection)
    this.#count(connection.counted, `address:${addressPrefix(address)}`)
    liveConnections.inc({ feed: connection.feed, transport: connection.transport })
  }

  /** Holds a line against the address's limits, though it follows nothing. */
  hold(address: string): Place {
    const counted = new Set<string>()
    this.#count(counted, `address:${addressPrefix(address)}`)
    let hasLeft = false
    return {
      of: async (caller) => {
        // Strangers are nobody in particular: they count by address alone.
        if (!caller.tenant || caller.actor.role === 'anonymous') return
        await this.#refuseHolder(caller)
        if (!hasLeft) for (const key of holders(caller)) this.#count(counted, key)
      },
      leave: () => {
        hasLeft = true
        this.#uncount(counted)
      },
    }
  }

  /**
   * Lets a connection follow what it was authorised for, from `position` on; resolves when it is up to date.
   */
  async follow(connection: Connection, { caller, feed, expiresAt }: Entry, position: Position | null): Promise<void> {
    const { actor, tenant } = caller
    for (const key of holders(caller)) this.#count(connection.counted, key)
    connection.actor = actor
    connection.tenant = tenant
    connection.expiresAt = expiresAt
    connection.presence = feed.presence
    if (feed.presence) this.#options.presence?.came(connection)
    const channel = await this.#channels.get(tenant!.id, feed)
    // Known before it joins, so that a close in the meantime takes it out again.
    connection.channel = channel
    await channel.join(connection, position, feed)
  }

  leave(connection: Connection): void {
    if (!this.#connections.delete(connection)) return
    for (const slot of this.#wheel) slot.delete(connection)
    this.#heartbeats.delete(connection)
    connection.channel?.followers.delete(connection)
    if (connection.presence) this.#options.presence?.went(connection)
    this.#uncount(connection.counted)
    liveConnections.dec({ feed: connection.feed, transport: connection.transport })
  }

  /** `?heartbeat=<5..60>`: a visible frame this often. */
  wantsHeartbeat(connection: Connection, { searchParams }: URL): void {
    const seconds = Number(searchParams.get('heartbeat'))
    if (!(seconds >= 5 && seconds <= 60)) return
    connection.heartbeatSeconds = Math.floor(seconds)
    this.#heartbeats.add(connection)
  }

  /** What a failure means to a client that follows already; unknown ones say nothing and are logged. */
  reject(connection: Connection, error: unknown): void {
    if (error instanceof AppError && error.kind in CLOSE)
      return connection.end(CLOSE[error.kind as keyof typeof CLOSE], error.code)
    this.#options.logger?.error({ err: error, transport: connection.transport }, 'feed failed')
    connection.end(1011, 'internal')
  }

  async #authenticate(
    asked: Asked,
    params: Match['params'],
    isVisitors: boolean,
  ): Promise<{ caller: Caller; expiresAt: number }> {
    const { authenticator, redeemTicket, expiryOf } = this.#options
    const { headers, url } = asked
    const language = headers['accept-language']
    if (isVisitors) return { caller: await authenticator.visitor(params['token']!, language), expiresAt: Infinity }
    const ticket = url.searchParams.get('ticket')
    const token = bearerOf(headers)
    let actor: Actor | undefined
    if (ticket) actor = await redeemTicket(ticket)
    else if (token) actor = await authenticator.bearer(token)
    else actor = await authenticator.page(asked)
    if (!actor) throw new AppError('unauthorized', 'unauthorized')
    return {
      caller: await authenticator.place(actor, [params['tenant']!], language),
      expiresAt: !ticket && token ? expiryOf(token) * 1000 : Infinity,
    }
  }

  /** Are there too many of this actor or this organisation already? */
  async #refuseHolder(caller: Caller): Promise<void> {
    if (!caller.tenant) return
    const quota = await this.#options.socketQuotaOf(caller.tenant.id)
    const [actor, tenant] = holders(caller)
    const isKey = caller.actor.role === 'api_key'
    this.#useConnect(actor, isKey ? MOST_OPEN_OF_KEY : CONNECTS.actor)
    this.#refuseMoreThan(isKey ? MOST_OPEN_OF_KEY : MOST_OPEN.actor, actor)
    this.#refuseMoreThan(quota === undefined ? MOST_OPEN.tenant : quota / this.#options.limitFactor, tenant)
  }

  #count(counted: Set<string>, key: string) {
    if (counted.has(key)) return
    counted.add(key)
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1)
  }

  #uncount(counted: Set<string>) {
    for (const key of counted) {
      const left = this.#open.get(key)! - 1
      if (left > 0) this.#open.set(key, left)
      else this.#open.delete(key)
    }
    counted.clear()
  }

  #refuseMoreThan(most: number, key: string) {
    if ((this.#open.get(key) ?? 0) < most * this.#options.limitFactor) return
    liveCuts.inc({ reason: 'too_many' })
    throw new AppError('limit_exceeded', 'too_many_connections', { retryAfterSeconds: 60 })
  }

  #useConnect(key: string, amount: number) {
    const [left] = this.#connects.use([{ key, amount: amount * this.#options.limitFactor, windowSeconds: 60 }])
    if (left!.isAllowed) return
    liveCuts.inc({ reason: 'too_often' })
    throw new AppError('limit_exceeded', 'rate_limited', { retryAfterSeconds: left!.retrySeconds })
  }

  #endSessions(ended: ReadonlySet<string>, reason: string) {
    if (ended.size === 0) return
    for (const connection of this.#connections) {
      const session = connection.actor?.sessionId
      if (session && ended.has(session)) this.#expel(connection, reason)
    }
  }

  #expel(connection: Connection, reason: string) {
    liveCuts.inc({ reason })
    connection.end(CLOSE.unauthorized, reason)
  }

  #turn() {
    const tick = this.#tick++
    if (tick % EXPIRY_SECONDS === 0) this.#endExpired()
    for (const connection of this.#wheel[tick % PING_SECONDS]!) connection.ping()
    for (const connection of this.#heartbeats)
      if (connection.isOpen && tick % connection.heartbeatSeconds === 0) connection.beat()
    if (tick % RECHECK_SECONDS === RECHECK_SECONDS - 1)
      this.#recheck().catch((error: unknown) => this.#options.logger?.warn({ err: error }, 'recheck failed'))
    this.#channels.sweep()
  }

  #endExpired() {
    const at = now()
    for (const connection of this.#connections) if (connection.expiresAt <= at) this.#expel(connection, 'token_expired')
  }

  /** Notices may be lost: everybody's session and organisation is looked up again, each once. */
  async #recheck() {
    const actors = new Map<string, Actor>()
    for (const { actor } of this.#connections) if (actor?.sessionId) actors.set(actor.sessionId, actor)
    if (actors.size > 0) this.#endSessions(await this.#options.endedSessions([...actors.values()]), 'session_revoked')
    const suspended = new Map<string, boolean>()
    for (const connection of this.#connections) {
      const { actor, tenant } = connection
      if (!actor || !tenant) continue
      if (!suspended.has(tenant.slug)) suspended.set(tenant.slug, await this.#isClosed(actor, tenant.slug))
      if (suspended.get(tenant.slug)) this.#expel(connection, 'tenant_suspended')
    }
  }

  async #isClosed(actor: Actor, slug: string): Promise<boolean> {
    try {
      await this.#options.authenticator.place(actor, [slug], undefined)
      return false
    } catch (error) {
      return error instanceof AppError && error.kind in CLOSE
    }
  }
}

/** What a connection counts against, beside its address. */
const holders = ({ actor, tenant }: Caller): [actor: string, tenant: string] => [
  `actor:${tenant!.id}:${actor.principal}`,
  `tenant:${tenant!.id}`,
]

/** `Sec-WebSocket-Protocol: smartqueue.v1, bearer.<token>` for browsers, which cannot set headers; else Authorization. */
function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim())
  const token = offered.find((protocol) => protocol.startsWith('bearer.'))?.slice('bearer.'.length)
  return token ?? /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

/** `?epoch=&since=`. What cannot be read is a position that nothing continues, so that a resync tells. */
export function positionOf({ searchParams }: URL): Position | null {
  const since = searchParams.get('since')
  const epoch = searchParams.get('epoch')
  if (since === null && epoch === null) return null
  return epoch && /^\d{1,15}$/.test(since ?? '') ? { epoch, offset: Number(since) } : { epoch: '', offset: 0 }
}

function decoded([name, value = '']: [string, string | undefined]): [string, string] {
  try {
    return [name, decodeURIComponent(value)]
  } catch {
    return [name, value]
  }
}
