import { connect } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { startApp } from '../test/app.ts'
import { idempotencyKey } from './rest.ts'

const { app, owner, aTenant, as, listen } = await startApp()
const t = await aTenant({ slug: 'demo-bank', queues: 2 })
const other = await aTenant({ slug: 'other', locale: 'ar' })
const headers = as(t.admin)
const queueId = t.queues[0]!.id
const tickets = '/api/v1/tenants/demo-bank/tickets/'

test('an operation answers below the tenant, by header and by the token alone, with and without trailing slash', async () => {
  const urls = [
    `/api/v1/tenants/demo-bank/queues/${queueId}/`,
    `/api/v1/tenants/demo-bank/queues/${queueId}`,
    `/api/v1/queues/${queueId}/`,
    `/api/v1/queues/${queueId}`,
  ]
  const bodies = await Promise.all(urls.map(async (url) => (await app.inject({ url, headers })).json<object>()))
  for (const body of bodies) expect(body).toMatchObject({ id: queueId, name: 'Service 1' })
  const byHeader = await app.inject({ url: urls[2]!, headers: { ...headers, 'x-tenant': 'demo-bank' } })
  expect(byHeader.json()).toEqual(bodies[0])
  const contradiction = await app.inject({ url: urls[0]!, headers: { ...headers, 'x-tenant': 'other' } })
  expect(contradiction.statusCode).toBe(404)
})

test('what a secret opens is kept by nobody on the way, what everybody may read is asked for anew', async () => {
  const made = await app.inject({
    method: 'POST',
    url: '/api/v1/calendar-feeds/',
    headers,
    payload: { name: 'Desk', site_id: t.sites[0]!.id },
  })
  const { pathname } = new URL(made.json<{ url: string }>().url)
  const calendar = await app.inject({ url: pathname })
  expect([calendar.statusCode, calendar.headers['cache-control']]).toEqual([200, 'no-store'])
  const taken = await app.inject({
    method: 'POST',
    url: '/public/demo-bank/tickets/',
    payload: { queue_id: queueId, channel: 'web' },
  })
  expect([taken.statusCode, taken.headers['cache-control']]).toEqual([201, 'no-store'])
  const page = await app.inject({ url: '/public/demo-bank/sites/site-1/' })
  expect([page.statusCode, page.headers['cache-control']]).toEqual([200, 'no-cache'])
})

test('legacy spellings and public addresses answer the same operation', async () => {
  const agentId = t.agents[0]!.id
  const legacy = await app.inject({
    method: 'PATCH',
    url: `/api/agents/${agentId}/status/`,
    headers,
    payload: { status: 'break' },
  })
  expect(legacy.json()).toMatchObject({ id: agentId, status: 'break' })
  for (const url of ['/api/v1/public/demo-bank/tickets/', '/public/demo-bank/tickets']) {
    const taken = await app.inject({ method: 'POST', url, payload: { queue_id: queueId, channel: 'qr' } })
    expect(taken.statusCode).toBe(201)
    const { public_token, id } = taken.json<{ public_token: string; id: number }>()
    for (const mine of [`/t/${public_token}`, `/t/${public_token}/`, `/api/v1/t/${public_token}/`])
      expect((await app.inject(mine)).json()).toMatchObject({ ticket: { id, status: 'en_attente' } })
  }
})

test('a browser gets a page where a program gets JSON', async () => {
  const taken = await app.inject({
    method: 'POST',
    url: tickets,
    headers,
    payload: { queue_id: queueId, channel: 'kiosk' },
  })
  const { public_token: token, number } = taken.json<{ public_token: string; number: string }>()
  const page = await app.inject({
    url: `/t/${token}`,
    headers: { accept: 'text/html,application/json;q=0.9', 'accept-language': 'ar' },
  })
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.body).toContain('dir="rtl"')
  expect(page.body).toContain(number)
  expect(page.headers['vary']).toContain('accept')
  for (const accept of ['text/html;q=0', 'text/html;q=0.1,application/json', '*/*', 'application/json,text/html']) {
    const answer = await app.inject({ url: `/t/${token}`, headers: { accept } })
    expect([accept, answer.headers['content-type']]).toEqual([accept, 'application/json; charset=utf-8'])
  }
  expect((await app.inject({ url: `/t/${token}`, headers: { accept: 'application/json' } })).json()).toHaveProperty(
    'ticket',
  )
  expect((await app.inject(`/t/${token}`)).json()).toHaveProperty('ticket')
})

test('errors speak the caller’s language: the header’s, else the organisation’s', async () => {
  const title = async (language: string | undefined, slug = 'demo-bank', auth = headers) => {
    const url = `/api/v1/tenants/${slug}/tickets/999999/`
    const answer = await app.inject({ url, headers: { ...auth, ...(language && { 'accept-language': language }) } })
    return [answer.headers['content-language'], answer.json<{ title: string }>().title]
  }
  expect(await title('en-GB,en;q=0.9,fr;q=0.8')).toEqual([
    'en',
    'There is nothing here: no such address, or none with this identifier.',
  ])
  expect(await title('fr')).toEqual(['fr', 'Rien ici : cette adresse ou cet identifiant n’existe pas.'])
  expect((await title('ar'))[1]).toMatch(/[\u0600-\u06ff]/)
  expect((await title('de;q=1, ar;q=0.1'))[0]).toBe('ar')
  expect((await title(undefined, 'other', as(other.admin)))[0]).toBe('ar')
  expect((await title('de'))[0]).toBe('fr')
})

test('a refused choice names the choices there are', async () => {
  const refused = async (url: string, method: 'POST' | 'GET', payload?: object) => {
    const answer = await app.inject({
      method,
      url,
      headers: { ...headers, 'accept-language': 'en' },
      ...(payload && { payload }),
    })
    return answer.json<{ errors: { path: string; detail: string }[] }>().errors[0]!
  }
  expect(await refused(tickets, 'POST', { queue_id: queueId, channel: 'pigeon' })).toMatchObject({
    path: '/channel',
    detail: expect.stringMatching(/^Possible values: (\w+, )*kiosk(, \w+)*\.$/),
  })
  expect((await refused(`${tickets}?status=lost`, 'GET')).detail).toMatch(/en_attente, .*terminé/)
  const kiosk = { site_id: 1, name: 'Hall', settings: { paper_width_mm: 60 } }
  expect(await refused(tickets.replace('tickets', 'kiosks'), 'POST', kiosk)).toMatchObject({
    path: '/settings/paper_width_mm',
    detail: 'Possible values: 58, 80.',
  })
})

test.each([
  ['an unknown address', { url: '/api/v1/nonsense/' }, 404, 'not_found'],
  ['a broken escape', { url: '/api/v1/tenants/%E0%A4%A/tickets/' }, 404, 'not_found'],
  ['a method it does not accept', { method: 'PUT', url: tickets }, 405, 'method_not_allowed'],
  ['a body that is no JSON', { method: 'POST', url: tickets, payload: '{"a":' }, 400, 'malformed_json'],
  [
    'a body that would change prototypes',
    { method: 'POST', url: tickets, payload: '{"__proto__":{"x":1}}' },
    400,
    'malformed_json',
  ],
  ['a body that is no object', { method: 'POST', url: tickets, payload: '[1]' }, 400, 'invalid_input'],
  [
    'a media type other than JSON',
    { method: 'POST', url: tickets, payload: 'a=1', type: 'application/x-www-form-urlencoded' },
    415,
    'unsupported_media_type',
  ],
  ['plain text', { method: 'POST', url: tickets, payload: 'x', type: 'text/plain' }, 415, 'unsupported_media_type'],
  [
    'more than 64 kB',
    { method: 'POST', url: tickets, payload: JSON.stringify({ note: 'x'.repeat(66_000) }) },
    413,
    'payload_too_large',
  ],
  [
    'a zero byte',
    { method: 'POST', url: tickets, payload: JSON.stringify({ queue_id: 1, channel: 'api', note: 'a\u0000b' }) },
    400,
    'invalid_input',
  ],
  ['a foreign host', { url: tickets, host: 'evil.example' }, 400, 'host_not_allowed'],
  ['an id that is no number', { url: `${tickets}abc/` }, 400, 'invalid_input'],
] as const)('%s is a problem document', async (_, wish, status, code) => {
  const {
    method = 'GET',
    url,
    payload,
    type = 'application/json',
    host,
  } = wish as {
    method?: 'GET'
    url: string
    payload?: string
    type?: string
    host?: string
  }
  const answer = await app.inject({
    method,
    url,
    headers: { ...headers, ...(payload !== undefined && { 'content-type': type }), ...(host && { host }) },
    ...(payload !== undefined && { payload }),
  })
  expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code])
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  expect(answer.headers['cache-control']).toBe('no-store')
  const problem = answer.json<Record<string, unknown>>()
  expect(Object.keys(problem)).toEqual(['type', 'title', 'status', 'detail', 'code', 'errors', 'request_id'])
  expect(problem).toMatchObject({ type: `/errors/${code}`, status, request_id: answer.headers['x-request-id'] })
  expect(answer.body).not.toMatch(/select |node_modules|\.ts:|\bat \w+ \(/)
  // What is wrong as a whole is named by no field.
  expect(problem['detail']).not.toMatch(/^:/)
  if (status === 405) expect(answer.headers['allow']).toBe('GET, HEAD, OPTIONS, POST')
})

test('an empty JSON body is an empty input', async () => {
  const answer = await app.inject({
    method: 'POST',
    url: `/api/v1/agents/${t.agents[0]!.id}/call-next/`,
    headers: { ...headers, 'content-type': 'application/json' },
    payload: '',
  })
  expect(answer.json<{ code?: string }>().code).not.toBe('malformed_json')
})

test('Host must be there, once, and an absolute target must agree with it', async () => {
  const { port } = new URL(await listen())
  const statusOf = async (lines: string[]) => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`)
    let answer = ''
    socket.on('data', (chunk) => (answer += String(chunk)))
    await once(socket, 'close')
    return Number(answer.split(' ')[1])
  }
  const host = `Host: 127.0.0.1:${port}`
  expect(await statusOf(['GET /healthz HTTP/1.1', host])).toBe(200)
  expect(await statusOf(['GET /healthz HTTP/1.1'])).toBe(400)
  expect(await statusOf(['GET /healthz HTTP/1.1', host, host])).toBe(400)
  expect(await statusOf(['GET /healthz HTTP/1.1', host, 'host: localhost'])).toBe(400)
  expect(await statusOf([`GET http://127.0.0.1:${port}/healthz HTTP/1.1`, host])).toBe(200)
  expect(await statusOf(['GET http://localhost/healthz HTTP/1.1', host])).toBe(404)
  expect(await statusOf(['NONSENSE'])).toBe(400)
})

test('a sane request id is kept, any other replaced', async () => {
  const idOf = async (id?: string) =>
    (await app.inject({ url: '/healthz', headers: id ? { 'x-request-id': id } : {} })).headers['x-request-id']
  expect(await idOf('client-request-17')).toBe('client-request-17')
  for (const id of ['short', 'with space in it', '<script>alert(1)</script>', 'x'.repeat(101)])
    expect(await idOf(id)).not.toBe(id)
  expect(await idOf()).not.toBe(await idOf())
})

test('reads carry an ETag; knowing it saves the body, and a write may insist on it', async () => {
  const url = `/api/v1/services/${t.services[0]!.id}/`
  const first = await app.inject({ url, headers })
  const etag = String(first.headers['etag'])
  expect(etag).toMatch(/^"[\w-]{22}"$/)
  expect(first.headers['cache-control']).toBe('no-store')
  for (const known of [etag, `"x", W/${etag}`, '*']) {
    const again = await app.inject({ url, headers: { ...headers, 'if-none-match': known } })
    expect([again.statusCode, again.body, again.headers['etag']]).toEqual([304, '', etag])
  }
  const change = (ifMatch: string) =>
    app.inject({ method: 'PATCH', url, headers: { ...headers, 'if-match': ifMatch }, payload: { name: 'Renamed' } })
  expect((await change('"stale"')).json()).toMatchObject({ status: 412, code: 'etag_mismatch' })
  expect((await change(etag)).statusCode).toBe(200)
  expect((await change(etag)).statusCode).toBe(412)
  expect((await app.inject({ url, headers: { ...headers, 'if-none-match': etag } })).statusCode).toBe(200)
})

test('query parameters are typed, given once, and known', async () => {
  const list = await app.inject({ url: `${tickets}?status=en_attente&limit=3`, headers })
  expect([list.statusCode, list.json<{ results: [] }>().results.length]).toEqual([200, 3])
  expect((await app.inject({ url: `${tickets}?limit=3&limit=4`, headers })).statusCode).toBe(400)
  expect((await app.inject({ url: `${tickets}?nonsense=1`, headers })).statusCode).toBe(400)
  expect((await app.inject({ url: `${tickets}?__proto__=1`, headers })).statusCode).toBe(400)
})

test('the server describes itself: health, the document, the reference, its errors', async () => {
  expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' })
  expect((await app.inject('/readyz')).json()).toEqual({ status: 'ok' })
  const document = await app.inject('/api/v1/openapi.json')
  expect(document.json()).toMatchObject({ openapi: '3.1.0' })
  const known = { 'if-none-match': String(document.headers['etag']) }
  expect((await app.inject({ url: '/api/v1/openapi.json', headers: known })).statusCode).toBe(304)
  expect((await app.inject('/docs')).headers['location']).toBe('/docs/')
  const page = await app.inject('/docs/')
  expect(page.headers['content-type']).toContain('text/html')
  expect(page.headers['content-security-policy']).toMatch(/script-src 'self' 'sha256-/)
  // From here alone: nothing is fetched from anybody else.
  expect(page.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
  expect((await app.inject('/docs/js/scalar.js')).headers['content-type']).toContain('javascript')
  const error = await app.inject({ url: '/errors/queue_full', headers: { 'accept-language': 'ar' } })
  expect(error.json<{ text: string }>().text).toMatch(/[\u0600-\u06ff]/)
  expect((await app.inject('/errors/nonsense')).statusCode).toBe(404)
})

test('a suspended organisation is told so, and nobody else learns of it', async () => {
  const suspended = await aTenant({ slug: 'suspended' })
  await owner('update tenants set is_active = false where id = $1', [suspended.tenant.id])
  const own = await app.inject({ url: '/api/v1/tickets/', headers: as(suspended.admin) })
  expect(own.json()).toMatchObject({ status: 403, code: 'tenant_suspended' })
  expect((await app.inject({ url: '/api/v1/tenants/suspended/tickets/', headers })).statusCode).toBe(404)
})

test.each([
  ['abc', 'abc'],
  ['"abc"', 'abc'],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  [' '.repeat(3) + 'x', '   x'],
  ['x'.repeat(255), 'x'.repeat(255)],
])('Idempotency-Key %j names %j', (header, key) => expect(idempotencyKey(header)).toBe(key))
test.each([[''], ['""'], ['x'.repeat(256)], ['clé'], ['a\tb']])('Idempotency-Key %j is refused', (header) =>
  expect(() => idempotencyKey(header)).toThrow(expect.objectContaining({ code: 'idempotency_key_invalid' }) as Error),
)
