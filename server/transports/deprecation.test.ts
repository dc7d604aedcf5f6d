import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { operationById } from '../modules/index.ts'
import { startApp } from '../test/app.ts'
import type { Authenticator } from './authenticate.ts'
import { openApiDocument } from './openapi.ts'
import { rest } from './rest.ts'

const server = await startApp()
const t = await server.aTenant()
const list = operationById.get('queues.list')!
const old = { ...list, deprecated: { since: '2026-11-22', sunset: '2027-12-01', instead: 'queues.search' } }

test('what is to go says so in every answer, refusals too, and in the OpenAPI document', async () => {
  const app = Fastify()
  const caller = async () => ({ actor: t.admin, tenant: t.tenant, locale: 'en' as const })
  rest(app, { runtime: server.runtime, authenticator: { caller } as unknown as Authenticator, operations: [old] })
  for (const query of ['', '?limit=0']) {
    const { headers } = await app.inject(`/api/v1/tenants/${t.tenant.slug}/queues/${query}`)
    expect(headers).toMatchObject({
      deprecation: '@1795305600',
      sunset: 'Wed, 01 Dec 2027 00:00:00 GMT',
      link: expect.stringContaining('rel="successor-version"'),
    })
  }
  await app.close()
  const path = '/api/v1/tenants/{tenant}/queues/'
  const marked = (operation: typeof list) =>
    (openApiDocument([operation], { version: '0' }) as { paths: Record<string, { get: object }> }).paths[path]!.get
  expect(marked(old)).toHaveProperty('deprecated', true)
  // Control: the others say nothing.
  expect(marked(list)).not.toHaveProperty('deprecated')
  const usual = await server.app.inject({
    url: `/api/v1/tenants/${t.tenant.slug}/queues/`,
    headers: server.as(t.admin),
  })
  expect(usual.headers).not.toHaveProperty('deprecation')
})
