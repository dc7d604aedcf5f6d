import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { buildApp, type App } from '../server/app.ts'
import { loadConfig } from '../server/config.ts'
import type { Actor } from '../server/kernel/access.ts'
import { systemActor } from '../server/kernel/access.ts'
import type { Runtime } from '../server/kernel/execute.ts'
import { observeRequest } from '../server/kernel/metrics.ts'
import type { Operation, Outcome, Request, Tenant } from '../server/kernel/operation.ts'
import { checkInput, stringifyOutput } from '../server/kernel/validate.ts'
import { signAccessToken } from '../server/modules/authentication/index.ts'
import { operationById } from '../server/modules/index.ts'
import { Authenticator } from '../server/transports/authenticate.ts'
import { createHttp } from '../server/transports/http.ts'
import { rest } from '../server/transports/rest.ts'
import { hostCheck } from '../server/transports/security/host.ts'
import { SessionCookie } from '../server/transports/security/session-cookie.ts'
import type { Cluster } from './cluster.ts'
import type { World } from './world.ts'

/** The product, complete, in this process: called below HTTP by `execute`, through HTTP on `port`. */
export interface Server {
  app: App
  port: number
  tenant: Tenant
  actor: Actor
  /** Bearer token of an administrator. */
  token: string
  operation(id: string): Operation
  execute(op: Operation, input: unknown): Promise<Outcome>
  close(): Promise<void>
}

/** Servers of one process sign with the same key: the last one's is everybody's. */
const SECRET_KEY = randomBytes(48).toString('base64')

export async function startServer(cluster: Cluster, world: World): Promise<Server> {
  const settings = {
    DATABASE_URL: cluster.url,
    DATABASE_DIRECT_URL: cluster.directUrl,
    SECRET_KEY,
    LOG_LEVEL: 'error',
    // One login stands for a whole town.
    RATE_LIMIT_FACTOR: '1000000',
  }
  const app = await buildApp(loadConfig(settings, cluster.directory))
  const tenant = (await app.directory.bySlug(world.slug))!
  const actor = {
    ...systemActor(world.tenantId),
    role: 'admin',
    principal: `user:${world.userId}`,
    userId: world.userId,
  } as const
  const [clock] = await cluster.direct.query<{ iat: number }>('select extract(epoch from now())::int as iat')
  const token = signAccessToken(
    {
      sub: actor.principal,
      user_id: world.userId,
      tenant_id: world.tenantId,
      role: actor.role,
      scopes: [...actor.scopes],
      // No row of sessions, so nobody looks whether it has ended.
      sid: 'bench',
      iat: clock!.iat,
    },
    // Seconds: longer than the whole benchmark takes.
    3600,
  )
  return {
    app,
    port: await listen(app.app),
    tenant,
    actor,
    token,
    operation(id) {
      const op = operationById.get(id)
      if (!op) throw new Error(`no operation ${id}`)
      return op
    },
    execute: (op, input) => app.runtime.execute(op, { actor, tenant, locale: 'fr', input, requestId: 'bench' }),
    close: () => app.close(),
  }
}

async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

/** The bare framework: a handler that answers `{"ok":true}` and nothing else. */
export async function startEmptyServer() {
  const app = Fastify()
  app.get('/', async () => ({ ok: true }))
  return { port: await listen(app), close: () => app.close() }
}

/**
 * The product's HTTP with one operation that answers `output` without asking anybody: same hooks, authentication,
 * validation and serialisation, no database.
 */
export async function startServerWithoutDatabase(server: Server, op: Operation, output: unknown) {
  const runtime = {
    async execute(op: Operation, { input }: Request): Promise<Outcome> {
      checkInput(op, input)
      return { output, body: stringifyOutput(op, output), status: op.http.status ?? 200, replayed: false }
    },
  } as Runtime
  const authenticator = new Authenticator(new SessionCookie(false), {
    bearer: () => server.actor,
    console: async () => undefined,
    isCsrfToken: () => false,
    proven: (actor) => actor,
    visitor: async () => undefined,
    tenantBySlug: async () => server.tenant,
    tenantById: async () => server.tenant,
  })
  const app = createHttp({
    isAllowedHost: hostCheck([]),
    trustedProxies: [],
    isSecure: false,
    corsAllowedOrigins: [],
  })
  app.addHook('onResponse', (request, reply, done) => {
    observeRequest(op.id, request.method, reply.statusCode, reply.elapsedTime / 1000)
    done()
  })
  rest(app, { runtime, authenticator, operations: [op] })
  return { port: await listen(app), close: () => app.close() }
}
