import { expect, test } from 'vitest'
import { startApp } from '../test/app.ts'

const { app, aTenant, as } = await startApp()
const t = await aTenant({ slug: 'demo-bank', queues: 2 })
const other = await aTenant({ slug: 'other' })

test('an operation answers below the tenant, by header and by the token alone, with and without trailing slash', async () => {
  const queueId = t.queues[0]!.id
  const headers = as(t.admin)
  const urls = [
    `/api/v1/tenants/demo-bank/queues/${queueId}/`,
    `/api/v1/tenants/demo-bank/queues/${queueId}`,
    `/api/v1/queues/${queueId}/`,
    `/api/v1/queues/${queueId}`,
  ]
  const bodies = await Promise.all(urls.map(async (url) => (await app.inject({ url, headers })).json()))
  for (const body of bodies) expect(body).toMatchObject({ id: queueId, name: 'Service 1' })
  const byHeader = await app.inject({
    url: `/api/v1/queues/${queueId}/`,
    headers: { ...headers, 'x-tenant': 'demo-bank' },
  })
  expect(byHeader.json()).toEqual(bodies[0])
})

test('the server describes itself: health, the document, the reference, its errors', async () => {
  expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' })
  expect((await app.inject('/readyz')).json()).toEqual({ status: 'ok' })
  const document = await app.inject('/api/v1/openapi.json')
  expect(document.json()).toMatchObject({ openapi: '3.1.0' })
  const again = await app.inject({
    url: '/api/v1/openapi.json',
    headers: { 'if-none-match': String(document.headers['etag']) },
  })
  expect([again.statusCode, again.body]).toEqual([304, ''])
  for (const url of ['/docs', '/docs/']) {
    const page = await app.inject(url)
    expect(page.headers['content-type']).toContain('text/html')
    expect(page.headers['content-security-policy']).toMatch(/script-src 'self' 'sha256-/)
    // From here alone: nothing is fetched from anybody else.
    expect(page.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
  }
  expect((await app.inject('/docs/js/scalar.js')).headers['content-type']).toContain('javascript')
  expect((await app.inject({ url: '/errors/queue_full', headers: { 'accept-language': 'ar' } })).json().text).toMatch(
    /[\u0600-\u06ff]/,
  )
  expect((await app.inject('/errors/nonsense')).statusCode).toBe(404)
})
