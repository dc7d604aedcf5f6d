import type { FastifyInstance } from 'fastify'
import packageJson from '../package.json' with { type: 'json' }
import type { Config } from './config.ts'
import { buildCore, type Core } from './core.ts'
import { systemActor } from './kernel/access.ts'
import type { Database, DatabaseOptions } from './kernel/db/index.ts'
import type { StreamEvent } from './kernel/events/index.ts'
import { startWorker } from './kernel/jobs/index.ts'
import { isSendingHeld } from './kernel/sending.ts'
import type { Logger } from './kernel/log.ts'
import { countTicket, measureLines, observeRequest } from './kernel/metrics.ts'
import type { Tenant } from './kernel/operation.ts'
import { tracing } from './kernel/tracing/index.ts'
import {
  auditFailedSignIns,
  bearers,
  consoles,
  cookieOf,
  csrfTokenOf,
  endedSessions,
  isCsrfToken,
  isRevoked,
  narrowing,
  onRevoked,
  provenActor,
  redeemWsTicket,
  watchRevocations,
} from './modules/authentication/index.ts'
import { reportPresence, sweepSilent } from './modules/agents/index.ts'
import { edges, feeds, jobs, operationById, operations } from './modules/index.ts'
import { followLog, reports } from './modules/notifications/index.ts'
import { RequestRecorder } from './modules/requests/index.ts'
import { followForSearch, onSearchDown } from './modules/search/index.ts'
import type { TenantDirectory } from './modules/tenants/index.ts'
import { Sender } from './modules/webhooks/index.ts'
import { lineLengths, visitorOf } from './modules/tickets/index.ts'
import { errorPage } from './pages/error-page.ts'
import { Pages } from './pages/index.ts'
import { Screens } from './pages/screens.ts'
import { BookingPages } from './pages/booking.ts'
import { NearbyPages } from './pages/nearby.ts'
import { VisitorPages } from './pages/visitor.ts'
import { exportFiles } from './pages/exports.ts'
import { media } from './pages/media.ts'
import { voice } from './pages/voice.ts'
import { Authenticator } from './transports/authenticate.ts'
import { documents, health } from './transports/documents.ts'
import { Live } from './transports/live.ts'
import { createHttp, requestId } from './transports/http.ts'
import { Lane, type Answered } from './transports/lane.ts'
import { ConnectedPeople } from './transports/presence.ts'
import { graphiql, graphql } from './transports/graphql/index.ts'
import { rest } from './transports/rest.ts'
import { securityHeaders } from './transports/security/headers.ts'
import { hostCheck } from './transports/security/host.ts'
import { forwarded } from './transports/security/https.ts'
import { SessionCookie } from './transports/security/session-cookie.ts'
import { ssoCallback } from './transports/security/sso-callback.ts'
import { serverSentEvents } from './transports/sse.ts'
import { webhooks } from './transports/webhooks.ts'
import { webSockets } from './transports/websocket.ts'

export interface AppOptions {
  logger?: Logger
  /** REST, documents and pages. */
  isApi?: boolean
  /** Live feeds. */
  isRealtime?: boolean
  /** Other bounds than the database's own. */
  database?: Partial<DatabaseOptions>
  /** How long a GraphQL socket may ask for nothing. */
  idleSocketMs?: number
}
export interface App extends Core {
  app: FastifyInstance
  /** May the process be given work? False when it stops or the database does not answer. */
  isReady(): Promise<boolean>
  /** The first step of a stop: whoever asks is told that the process is not ready. */
  refuseNewWork(): void
  /** The second: requests in progress end, live connections are told when to come back. What is below goes on. */
  drain(): Promise<void>
}

/** The server, not listening yet. `close` ends requests in progress and live connections, then everything below. */
export async function buildApp(config: Config, options: AppOptions = {}): Promise<App> {
  const { logger, isApi = true, isRealtime = true } = options
  const core = await buildCore(config, options.database)
  const { db, hub, runtime, directory } = core
  await hub.start()
  // A worker alone lets nobody in.
  const stopWatching = isApi || isRealtime ? await watchRevocations(db) : async () => {}
  onSearchDown((error) =>
    logger?.warn({ err: error, component: 'search' }, 'the search server does not answer; the database does'),
  )
  const stopAuditing = auditFailedSignIns(db, (error) =>
    logger?.error({ err: error }, 'failed sign-ins are not on record'),
  )
  let isStopping = false
  const isReady = async () => {
    if (isStopping) return false
    return db
      .platform((tx) => tx.query('select 1'))
      .then(
        () => true,
        () => false,
      )
  }
  const credentials = bearers(db, core.cacheOf())
  const consoleSessions = consoles(db, core.cacheOf())
  const cookie = new SessionCookie(config.publicUrl.startsWith('https:'))
  const authenticator = new Authenticator(cookie, {
    bearer: credentials.actorOf,
    console: consoleSessions.actorOf,
    isCsrfToken,
    proven: provenActor,
    visitor: (token) => visitorOf(db, token),
    tenantBySlug: directory.bySlug,
    tenantById: directory.byId,
  })
  const isAllowedHost = hostCheck(config.allowedHosts)
  const { isOverTls, addressOf } = forwarded(config.trustedProxies)
  const app = createHttp({
    isAllowedHost,
    trustedProxies: config.trustedProxies,
    isSecure: config.secureSslRedirect,
    corsAllowedOrigins: config.corsAllowedOrigins,
    errorPage: isApi ? errorPage : null,
    ...(logger && { logger }),
  })
  // Whoever holds a connection open goes elsewhere with the next request instead of meeting a closed one.
  app.addHook('onRequest', (_, reply, done) => {
    if (isStopping) reply.header('connection', 'close')
    done()
  })
  const requests = new RequestRecorder(db, (error) =>
    logger?.warn({ err: error, component: 'requests' }, 'requests of programs were not noted'),
  )
  const answered = measure(app, logger, requests)
  hub.observers.add((events) => void countTickets(events, directory))
  health(app, isReady)
  if (isApi) {
    documents(app, { operations, feeds, version: packageJson.version })
    const cache = core.cacheOf()
    const screens = new Screens({ isDevelopment: config.debug })
    const pages = new Pages({
      runtime,
      cache,
      operationById,
      tenantBySlug: directory.bySlug,
      listedTenants: async () => (config.debug ? activeTenants(db) : []),
      screens,
      outbox: config.outboxPage ? (config.debug ? 'everybody' : 'operators') : 'nobody',
      consoleOf: (request) => authenticator.consoleOf(request),
    })
    pages.register(app)
    voice(app, db)
    media(app, { runtime, tenantById: directory.byId })
    exportFiles(app, db)
    const visitor = new VisitorPages({
      runtime,
      cache,
      operationById,
      screens,
      tenantBySlug: directory.bySlug,
      tenantById: directory.byId,
      visitor: (token) => visitorOf(db, token),
      isSecure: config.publicUrl.startsWith('https:'),
    })
    visitor.register(app)
    new BookingPages({
      runtime,
      operationById,
      screens,
      tenantBySlug: directory.bySlug,
      tenantById: directory.byId,
    }).register(app)
    new NearbyPages({ runtime, operationById, screens, tenantBySlug: directory.bySlug }).register(app)
    webhooks(app, reports({ runtime, tenantById: directory.byId }))
    ssoCallback(app, {
      runtime,
      operationById,
      tenantBySlug: directory.bySlug,
      sessionOf: (answer) => cookieOf(answer)?.value,
      cookie,
    })
    const lane = new Lane({
      runtime,
      bearer: credentials.actorOf,
      tenantNow: directory.now,
      isAllowed: (request) =>
        !isStopping && isAllowedHost(request) && (!config.secureSslRedirect || isOverTls(request)),
      addressOf,
      requestId,
      headers: {
        ...securityHeaders(config.secureSslRedirect),
        ...(config.corsAllowedOrigins.length && { vary: 'origin' }),
      },
      answered,
    })
    lane.attach(app.server)
    rest(app, {
      runtime,
      lane,
      authenticator,
      operations,
      pages: new Map([['tickets.mine', visitor.ticket]]),
      answered(request, reply, output) {
        const given = cookieOf(output)
        const session = request.caller?.actor.sessionId
        if (given?.name === 'session') cookie.set(reply, given.value)
        else if (given) cookie.setFlow(reply, given.value)
        else if (session && isRevoked(session) && cookie.read(request)) cookie.clear(reply)
      },
    })
  }
  const graph = graphql({
    registry: { operations, feeds: feeds.map(narrowing.feed), edges },
    shared: { runtime, authenticator, operationById },
    mayIntrospect: config.graphqlIntrospection,
    hidesSuggestions: !config.debug,
  })
  if (isApi) graph.http(app)
  if (isApi && config.debug)
    graphiql(app, async (request) => {
      const actor = await authenticator.consoleOf(request)
      return actor?.sessionId ? csrfTokenOf(actor.sessionId) : undefined
    })
  if (isRealtime) {
    const presence = new ConnectedPeople({
      report: (tenant, input) =>
        runtime.execute(reportPresence, { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input }),
      sweep: () => sweepSilent(runtime, directory.byId),
      onError: (error) => logger?.warn({ err: error, component: 'presence' }, 'presence not noted'),
    })
    const live = new Live({
      presence,
      db,
      hub,
      feeds: feeds.map(narrowing.feed),
      authenticator,
      redeemTicket: (ticket) => redeemWsTicket(db, ticket),
      expiryOf: credentials.expiryOf,
      onRevoked,
      endedSessions: (actors) => endedSessions(db, actors),
      isSecure: config.publicUrl.startsWith('https:'),
      allowedOrigins: [new URL(config.publicUrl).origin, ...config.corsAllowedOrigins],
      limitFactor: config.rateLimitFactor,
      socketQuotaOf: (tenantId) => core.limiter.quotaOf(tenantId, 'sockets'),
      logger,
    })
    const subscriptions = graph.sockets({
      live,
      idleMs: options.idleSocketMs,
      redeemTicket: (ticket) => redeemWsTicket(db, ticket),
      expiryOf: credentials.expiryOf,
      isRevoked,
      onRevoked,
      log: (err) => logger?.error({ err, transport: 'graphql' }, 'request failed'),
    })
    webSockets(app.server, {
      live,
      others: new Map([['/graphql', subscriptions.arrive]]),
      isAllowedHost: (request) => isAllowedHost(request) && (!config.secureSslRedirect || isOverTls(request)),
      isOverTls,
      addressOf,
    })
    serverSentEvents(app, live)
    app.addHook('preClose', async () => {
      presence.stop()
      live.close()
      subscriptions.close()
    })
  }
  return {
    ...core,
    app,
    isReady,
    refuseNewWork: () => (isStopping = true),
    async drain() {
      isStopping = true
      await app.close()
    },
    async close() {
      isStopping = true
      await app.close()
      await requests.flush()
      await stopWatching()
      await stopAuditing()
      await core.close()
    },
  }
}

/** One line and one observation a request, when its answer has left. */
function measure(
  app: FastifyInstance,
  logger: Logger | undefined,
  requests: RequestRecorder,
): (answer: Answered) => void {
  const isLogged = logger?.isLevelEnabled('info')
  const note = (answer: Answered) => {
    const { operation, method, route, status, seconds, requestId, tenantId, userId } = answer
    requests.note(answer)
    observeRequest(operation, method, status, seconds)
    tracing()?.end(requestId, {
      name: operation === 'other' ? `${method} ${route ?? ''}`.trim() : operation,
      status,
      seconds,
      attributes: { 'http.request.method': method, 'http.route': route, 'smartqueue.tenant_id': tenantId },
    })
    if (!isLogged) return
    logger!.info({
      request_id: requestId,
      operation,
      method,
      route,
      status,
      duration_ms: Math.round(seconds * 10_000) / 10,
      tenant_id: tenantId,
      user_id: userId ?? undefined,
    })
  }
  app.addHook('onRequest', ({ id, headers }, _, done) => {
    const { traceparent } = headers
    tracing()?.begin(id, typeof traceparent === 'string' ? traceparent : undefined)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { operation: routed = 'other' } = request.routeOptions.config as { operation?: string }
    const { method, id: requestId, caller, measuredAs } = request
    const operation = measuredAs ?? routed
    const seconds = reply.elapsedTime / 1000
    const [tenantId, userId, principal] = [caller?.tenant?.id, caller?.actor.userId, caller?.actor.principal]
    const route = request.routeOptions.url
    note({ operation, method, route, status: reply.statusCode, seconds, requestId, tenantId, userId, principal })
    done()
  })
  return note
}

async function countTickets(events: readonly StreamEvent[], directory: TenantDirectory) {
  for (const { type, tenant_id, data } of events) {
    if (type !== 'ticket.created') continue
    // A ticket is counted also while the database is away, and nothing here may end the process.
    const tenant = await directory.byId(tenant_id).catch(() => undefined)
    countTicket(tenant?.slug ?? 'unknown', String((data['ticket'] as { channel?: string } | undefined)?.channel))
  }
}

const activeTenants = (db: Database): Promise<Tenant[]> =>
  db.platform((tx) =>
    tx.query<Tenant>(
      'select id, slug, name, locale, timezone, is_active, take_challenge from tenants where is_active order by id',
    ),
  )

/** Runs background jobs in this process, and follows the log for messages and webhooks, until `stop()`. */
export async function startJobs({ db, runtime, directUrl }: Core, logger: Logger): Promise<{ stop(): Promise<void> }> {
  measureLines(async () => lineLengths(db, await activeTenants(db)))
  if (isSendingHeld()) {
    logger.warn(
      { component: 'worker' },
      'a restored copy does no background work and sends nothing until `smartqueue restore --release`',
    )
    return { stop: async () => {} }
  }
  const context = { runtime, tenants: () => activeTenants(db) }
  const worker = await startWorker({
    connectionString: directUrl,
    jobs,
    context,
    log: (level, message, meta) => logger[level]({ component: 'worker', ...meta }, message),
  })
  const stopTelling = followForSearch(context, (err) =>
    logger.warn({ err, component: 'search' }, 'the search server was not told what changed'),
  )
  const stopFollowing = followLog(context, (err) =>
    logger.warn({ err, component: 'notifications' }, 'the log was not followed'),
  )
  const sender = new Sender(context, (level, message, meta) =>
    logger[level]({ component: 'webhooks', ...meta }, message),
  )
  return {
    async stop() {
      await Promise.all([stopFollowing(), stopTelling(), sender.stop(), worker.stop()])
    },
  }
}
