import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { measureLines } from '../kernel/metrics.ts'
import { lineLengths } from '../modules/tickets/index.ts'
import { startApp } from '../test/app.ts'
import { serveMetrics } from './metrics.ts'

const server = await startApp()
const { app, aTenant } = server
const t = await aTenant({ slug: 'measured' })

test('figures are served on a port of their own, under their agreed names', async () => {
  let isReady = true
  const metrics = await serveMetrics(0, '127.0.0.1', async () => isReady)
  const read = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${(metrics.address() as AddressInfo).port}${path}`)
    return { status: response.status, text: await response.text() }
  }
  const take = (channel: string) =>
    app.inject({ method: 'POST', url: '/public/measured/tickets/', payload: { queue_id: t.queues[0]!.id, channel } })
  await take('web')
  await take('web')
  await take('qr')
  await app.inject('/api/v1/nonsense/')
  await expect
    .poll(async () => (await read('/metrics')).text)
    .toContain('tickets_created_total{tenant="measured",channel="web"} 2')
  const { text } = await read('/metrics')
  expect(text).toContain('tickets_created_total{tenant="measured",channel="qr"} 1')
  expect(text).toMatch(/api_request_duration_seconds_count\{operation="tickets.take",method="POST",status="201"\} 3/)
  expect(text).toMatch(/api_request_duration_seconds_count\{operation="other",method="GET",status="404"\} 1/)
  measureLines(() => lineLengths(server.db, [t.tenant]))
  const { text: lines } = await read('/metrics')
  expect(lines).toContain('queue_waiting_tickets{tenant="measured"} 3')
  expect(lines).toMatch(/queue_longest_wait_seconds\{tenant="measured"\} \d/)
  for (const name of [
    'websocket_connections',
    'websocket_frames_total',
    'websocket_cuts_total',
    'websocket_resyncs_total',
    'event_delivery_seconds',
    'job_lag_seconds',
    'jobs_total',
  ])
    expect(text).toContain(`# HELP ${name} `)

  expect((await read('/healthz')).status).toBe(200)
  expect((await read('/readyz')).status).toBe(200)
  isReady = false
  expect((await read('/readyz')).status).toBe(503)
  expect((await read('/api/v1/tickets/')).status).toBe(404)
  metrics.close()
})

test('the public port does not show them', async () => {
  expect((await app.inject('/metrics')).statusCode).toBe(404)
})

test('a stopping process says that it is not ready while it still answers', async () => {
  server.refuseNewWork()
  expect((await app.inject('/readyz')).json()).toMatchObject({ status: 503, code: 'shutting_down' })
  expect((await app.inject('/healthz')).statusCode).toBe(200)
})
