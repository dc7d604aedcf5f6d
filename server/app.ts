import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import packageJson from '../package.json' with { type: 'json' }
import type { Config } from './config.ts'
import { openDatabase, startEmbedded, migrate, type Database } from './kernel/db/index.ts'
import { Hub } from './kernel/events/index.ts'
import { Runtime } from './kernel/execute.ts'
import type { Logger } from './kernel/log.ts'
import { observeRequest } from './kernel/metrics.ts'
import {
  actorOfToken,
  onRevoked,
  redeemWsTicket,
  useSigningKeys,
  verifyAccessToken,
  watchRevocations,
} from './modules/authentication/index.ts'
import { feeds, operations } from './modules/index.ts'
import { tenantDirectory, type TenantDirectory } from './modules/tenants/index.ts'
import { visitorOf } from './modules/tickets/index.ts'
import { Authenticator } from './transports/authenticate.ts'
import { documents } from './transports/documents.ts'
import { createHttp, hostCheck } from './transports/http.ts'
import { problemOf } from './transports/problem.ts'
import { rest } from './transports/rest.ts'
import { LiveServer } from './transports/websocket.ts'

export interface Core {
  config: Config
  db: Database
  hub: Hub
  runtime: Runtime
  directory: TenantDirectory
  /** A direct login that may migrate and run jobs. */
  directUrl: string
  close(): Promise<void>
}

/** What every process needs, with or without a server: the database (the embedded one when none is set) and the runtime. */
export async function buildCore(config: Config): Promise<Core> {
  useSigningKeys(config.secretKey, config.secretKeyFallbacks)
  const embedded = config.databaseUrl
    ? undefined
    : await startEmbedded({ directory: join(config.dataDir, 'postgresql') })
  const url = embedded?.url ?? config.databaseUrl!
  const directUrl = embedded?.directUrl ?? config.databaseDirectUrl ?? url
  // The embedded database belongs to this program alone, so it is brought up to date without being asked.
  if (embedded) await migrate(directUrl)
  const db = await openDatabase({ url, directUrl })
  const hub = new Hub(db)
  const runtime = new Runtime({
    db,
    hub,
    url: (path) => config.publicUrl + path,
    renderError: (error, request) => JSON.stringify(problemOf(error, request.locale, request.requestId ?? '')),
  })
  return {
    config,
    db,
    hub,
    runtime,
    directory: tenantDirectory(db),
    directUrl,
    async close() {
      await hub.stop()
      await db.close()
      await embedded?.close()
    },
  }
}

export interface App extends Core {
  app: FastifyInstance
  live: LiveServer
}

/** The server, not listening yet. `close` ends requests in progress, then everything below. */
export async function buildApp(config: Config, options: { logger?: Logger } = {}): Promise<App> {
  const core = await buildCore(config)
  const { db, hub, runtime, directory } = core
  await hub.start()
  const stopWatching = await watchRevocations(db)
  const authenticator = new Authenticator({
    bearer: actorOfToken,
    visitor: (token) => visitorOf(db, token),
    tenantBySlug: directory.bySlug,
    tenantById: directory.byId,
  })
  const isAllowedHost = hostCheck(config.allowedHosts)
  const app = createHttp({
    isAllowedHost,
    trustedProxies: config.trustedProxies,
    isSecure: config.secureSslRedirect,
    ...(options.logger && { logger: options.logger }),
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { operation = 'other' } = request.routeOptions.config as { operation?: string }
    observeRequest(operation, request.method, reply.statusCode, reply.elapsedTime / 1000)
    done()
  })
  rest(app, { runtime, authenticator, operations })
  let isStopping = false
  const isReady = () =>
    Promise.resolve(
      !isStopping &&
        db
          .platform((tx) => tx.query('select 1'))
          .then(
            () => true,
            () => false,
          ),
    )
  documents(app, { operations, version: packageJson.version, isReady })
  const live = new LiveServer(app.server, {
    db,
    hub,
    feeds,
    authenticator,
    redeemTicket: (ticket) => redeemWsTicket(db, ticket),
    expiryOf: (token) => verifyAccessToken(token).exp,
    onRevoked,
    isAllowedHost,
    allowedOrigins: [new URL(config.publicUrl).origin, ...config.corsAllowedOrigins],
    logger: options.logger,
  })
  app.addHook('preClose', async () => {
    isStopping = true
    live.close()
    setTimeout(() => live.terminate(), 3000).unref()
  })
  return {
    ...core,
    app,
    live,
    async close() {
      await app.close()
      await stopWatching()
      await core.close()
    },
  }
}
