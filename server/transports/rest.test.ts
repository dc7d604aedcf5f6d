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
  const byHeader = await app.inject({ url: `/api/v1/queues/${queueId}/`, headers: { ...headers, 'x-tenant': 'demo-bank' } })
  expect(byHeader.json()).toEqual(bodies[0])
})
