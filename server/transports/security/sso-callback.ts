import type { FastifyInstance } from 'fastify'
import type { Runtime } from '../../kernel/execute.ts'
import type { Operation, Tenant } from '../../kernel/operation.ts'
import { AppError, notFound } from '../../kernel/errors.ts'
import { ANONYMOUS } from '../authenticate.ts'
import { callerLocale } from '../locale.ts'
import type { SessionCookie } from './session-cookie.ts'

export interface SsoCallbackOptions {
  runtime: Runtime
  operationById: ReadonlyMap<string, Operation>
  tenantBySlug(slug: string): Promise<Tenant | undefined>
  /** The opaque id that goes into the cookie of an answer. */
  sessionOf(answer: unknown): string | undefined
  cookie: SessionCookie
}

/**
 * Where identity providers send browsers back to: two operations in a row, then the console. A foreign page leads here,
 * so nothing is believed but what this browser was given when it left.
 */
export function ssoCallback(app: FastifyInstance, options: SsoCallbackOptions): void {
  const { runtime, operationById, cookie } = options
  const run = async (id: string, request: Omit<Parameters<Runtime['execute']>[1], 'actor'>) =>
    (await runtime.execute(operationById.get(id)!, { actor: ANONYMOUS, ...request })).output
  app.get('/auth/sso/callback', async (request, reply) => {
    const flow = cookie.readFlow(request)
    cookie.clearFlow(reply)
    if (flow === undefined) throw new AppError('unauthorized', 'sso_refused')
    const origin = { address: request.ip, userAgent: request.headers['user-agent'] }
    const common = { locale: callerLocale(request), requestId: request.id, origin }
    const query = request.url.split('?').slice(1).join('?')
    const finished = (await run('sso.finish', { ...common, tenant: null, input: { flow, query } })) as {
      tenant: string
      ticket: string
    }
    const tenant = await options.tenantBySlug(finished.tenant)
    if (!tenant) throw notFound()
    const session = await run('sso.enter', { ...common, tenant, input: { ticket: finished.ticket } })
    cookie.set(reply, options.sessionOf(session)!)
    return reply.code(303).header('cache-control', 'no-store').header('location', '/app/agent').send()
  })
}
