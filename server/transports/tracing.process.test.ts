import { expect, test } from 'vitest'
import { loopback } from '../../test/providers/loopback.ts'
import { startJobs } from '../app.ts'
import { createLogger } from '../kernel/log.ts'
import { useTracing } from '../kernel/tracing/index.ts'
import { startApp } from '../test/app.ts'
import { whenOver } from '../test/when-over.ts'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  status: { code?: number }
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
}
const requests: { path: string; body: string }[] = []
const collector = await loopback({
  accept({ url }, body) {
    requests.push({ path: url!, body })
    return { status: 200, body: '{}' }
  },
})
whenOver(() => collector.close())
const service = { name: 'smartqueue', version: '1.2.3' }
const spans = () =>
  requests.flatMap(({ body }) =>
    (JSON.parse(body).resourceSpans as { scopeSpans: { spans: Span[] }[] }[]).flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap((scope) => scope.spans),
    ),
  )
const said = ({ attributes }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]))

const server = await startApp()
const bank = await server.aTenant({ slug: 'traced' })
await server.app.inject({
  method: 'POST',
  url: '/api/v1/tenants/traced/booking-settings/',
  headers: server.as(bank.admin),
  payload: { queue_id: bank.queues[0]!.id, lead_seconds: 0, confirmation: 'email' },
})
const lines: Record<string, unknown>[] = []
const logger = createLogger({
  level: 'info',
  destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
})
const incoming = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' }

let booked = 0
async function book(name: string) {
  const start_at = Temporal.Now.instant()
    .round('hour')
    .add({ hours: 30 + booked++ })
    .toString()
  const request_id = `request-${name}`
  const { statusCode } = await server.app.inject({
    method: 'POST',
    url: '/public/traced/appointments/',
    headers: { 'x-request-id': request_id, traceparent: `00-${incoming.trace}-${incoming.span}-01` },
    payload: {
      queue_id: bank.queues[0]!.id,
      start_at,
      customer: { name: 'Samira Haddad', email: 'samira@example.org', phone: '+33612345678' },
    },
  })
  expect(statusCode).toBe(201)
  return request_id
}

test('a request, the trace it belongs to and the job it left behind are one trace, and tell nothing of a person', async () => {
  await useTracing(collector.url, service)
  const request_id = await book('traced')
  await server.app.inject('/api/v1/nonsense/')
  const worker = await startJobs(server, logger)
  await expect.poll(() => lines.some((line) => line['request_id'] === request_id)).toBe(true)
  await worker.stop()
  // Closing sends what is left.
  await useTracing(undefined, service)
  const all = spans()
  const request = all.find(({ name }) => name === 'appointments.book')!
  const job = all.find(({ name }) => name === 'job appointments.send_confirmation')!
  expect(request).toMatchObject({ traceId: incoming.trace, parentSpanId: incoming.span, kind: 2 })
  expect(job).toMatchObject({ traceId: incoming.trace, parentSpanId: request.spanId, kind: 5 })
  expect(said(request)).toMatchObject({
    'smartqueue.request_id': request_id,
    'http.response.status_code': 201,
    'http.request.method': 'POST',
  })
  expect(said(job)).toMatchObject({ 'smartqueue.request_id': request_id, 'smartqueue.attempt': 1 })
  expect(all.find(({ name }) => name.startsWith('GET'))?.parentSpanId || undefined).toBeUndefined()
  const sent = requests.map(({ body }) => body).join()
  expect(sent).not.toMatch(/Samira|example\.org|612345678/)
  expect(sent).toContain('"service.version"')
  expect(new Set(requests.map(({ path }) => path))).toEqual(new Set(['/v1/traces']))
})

test('the log names the request in the line of its job', () => {
  const line = lines.find(({ task }) => task === 'appointments.send_confirmation')
  expect(line).toMatchObject({
    level: 'info',
    request_id: 'request-traced',
    tenant_id: bank.tenant.id,
    attempt: 1,
    msg: 'a job is done',
  })
  expect(line!['duration_ms']).toBeTypeOf('number')
})

test('without a collector nothing is traced, and jobs still name their request', async () => {
  requests.length = 0
  const request_id = await book('quiet')
  const [job] = await server.owner<{ payload: Record<string, unknown> }>(
    `select payload from graphile_worker._private_jobs where payload ->> 'request_id' = $1`,
    [request_id],
  )
  expect(job!.payload).not.toHaveProperty('traceparent')
  expect(requests).toEqual([])
})

test('a collector that is away holds nobody up', async () => {
  collector.outage = 'refuse'
  await useTracing(collector.url, service)
  await book('away')
  await useTracing(undefined, service)
})
