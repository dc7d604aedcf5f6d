import { connect } from 'node:net'
import { CspEvaluator } from 'csp_evaluator/dist/evaluator.js'
import { Severity } from 'csp_evaluator/dist/finding.js'
import { CspParser } from 'csp_evaluator/dist/parser.js'
import { beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { quickHash } from '../../test/password.ts'
import { startApp, type TestApp } from '../../test/app.ts'

const SECRET_KEY = 'a key that the servers of this file share: one process has one'
const PAGES = 'https://pages.example.org'
const TLS = { SECURE_SSL_REDIRECT: 'true', PUBLIC_URL: 'https://app.example.org', SECRET_KEY }
const plain = await startApp({ SECRET_KEY, CORS_ALLOWED_ORIGINS: `${PAGES},https://other.example.org:8443` })
/** Behind a proxy on this machine that ends TLS. */
const proxied = await startApp({
  ...TLS,
  ALLOWED_HOSTS: 'app.example.org,.wild.example.org',
  TRUSTED_PROXIES: '127.0.0.1',
})
/** The same without a proxy to believe. */
const bare = await startApp({ ...TLS, ALLOWED_HOSTS: 'app.example.org' })
const ports = new Map<TestApp, number>()
const password = 'trois petits chats'
const email = 'admin1@guarded.example'
let tenantAdmin: Record<string, string>

beforeAll(async () => {
  for (const server of [plain, proxied, bare]) {
    ports.set(server, Number(new URL(await server.listen()).port))
    const tenant = await server.aTenant({ slug: 'guarded' })
    if (server === plain) tenantAdmin = plain.as(tenant.admin)
    await server.owner('update users set password_hash = $1', [quickHash(password)])
  }
})

interface Answer {
  status: number
  headers: Map<string, string[]>
  body: string
}
/** The bytes as they are, on a socket of their own. */
function raw(server: TestApp, lines: readonly string[], body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(ports.get(server)!, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      const [head = '', ...rest] = text.split('\r\n\r\n')
      const [status = '', ...fields] = head.split('\r\n')
      const headers = new Map<string, string[]>()
      for (const field of fields) {
        const [name, value] = [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 2)]
        headers.set(name, [...(headers.get(name) ?? []), value])
      }
      resolve({ status: Number(status.split(' ')[1]), headers, body: rest.join('\r\n\r\n') })
    })
    socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`)
  })
}
type Fields = Record<string, string | undefined>
function send(server: TestApp, method: string, path: string, fields: Fields = {}, body?: object | string) {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const all: Fields = {
    host: server === plain ? `localhost:${ports.get(plain)}` : 'app.example.org',
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
    }),
    ...fields,
  }
  const lines = Object.entries(all).filter(([, value]) => value !== undefined)
  return raw(server, [`${method} ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)], text)
}
const codeOf = ({ body }: Answer) =>
  (JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)) as { code: string }).code
const SESSION = '/api/v1/auth/session/'
const ownOrigin = (server: TestApp) =>
  server === plain ? `http://localhost:${ports.get(plain)}` : 'https://app.example.org'
const tls = { 'x-forwarded-proto': 'https' }

async function signIn(server: TestApp, fields: Fields = {}) {
  const answer = await send(server, 'POST', SESSION, { origin: ownOrigin(server), ...fields }, { email, password })
  const setCookie = answer.headers.get('set-cookie')?.[0] ?? ''
  const session = JSON.parse(answer.body.slice(answer.body.indexOf('{'), answer.body.lastIndexOf('}') + 1)) as {
    csrf_token: string
  }
  return { answer, setCookie, cookie: setCookie.split(';')[0]!, csrf: session.csrf_token }
}

describe('the console cookie', () => {
  test('is opaque, of 256 bits, hashed at rest, closed to scripts and other sites', async () => {
    const { answer, setCookie, cookie } = await signIn(plain)
    expect(answer.status).toBe(200)
    expect(setCookie).toMatch(/^session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
    const secret = cookie.slice('session='.length)
    expect(answer.body).not.toContain(secret)
    const stored = await plain.owner('select * from sessions')
    expect(JSON.stringify(stored)).not.toContain(secret)
    const found = await plain.owner('select from sessions where secret_hash = sha256($1::bytea)', [Buffer.from(secret)])
    expect(found).toHaveLength(1)
  })

  test('with TLS has the prefix that other hosts cannot set', async () => {
    const { setCookie, cookie } = await signIn(proxied, tls)
    expect(setCookie).toMatch(/^__Host-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
    expect((await send(proxied, 'GET', SESSION, { ...tls, cookie })).status).toBe(200)
    // Under the plain name anybody on a neighbouring host could have set it.
    const bareName = cookie.replace('__Host-', '')
    expect((await send(proxied, 'GET', SESSION, { ...tls, cookie: bareName })).status).toBe(401)
  })

  test('opens reads; unknown, cut, doubled and ended ones open nothing', async () => {
    const { cookie, csrf } = await signIn(plain)
    const mine = await send(plain, 'GET', SESSION, { cookie: `theme=dark; ${cookie}` })
    expect(mine.status).toBe(200)
    expect(mine.body).toContain(csrf)
    const other = (await signIn(plain)).cookie
    for (const wrong of [
      'session=',
      `session=${'a'.repeat(43)}`,
      cookie.slice(0, -1),
      `${cookie}; ${other}`,
      'session=../../etc',
    ])
      expect([wrong, (await send(plain, 'GET', SESSION, { cookie: wrong })).status]).toEqual([wrong, 401])
    const out = await send(
      plain,
      'POST',
      '/api/v1/auth/logout/',
      { cookie, origin: ownOrigin(plain), 'x-csrf-token': csrf },
      {},
    )
    expect(out.status).toBe(204)
    expect(out.headers.get('set-cookie')).toEqual(['session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0'])
    expect(out.headers.get('clear-site-data')).toEqual(['"cache", "storage"'])
    expect((await send(plain, 'GET', SESSION, { cookie })).status).toBe(401)
  })

  test('is new with every sign-in, whatever came along', async () => {
    const planted = `session=${'p'.repeat(43)}`
    const { cookie } = await signIn(plain, { cookie: planted })
    expect(cookie).not.toBe(planted)
    expect((await send(plain, 'GET', SESSION, { cookie: planted })).status).toBe(401)
    expect((await signIn(plain, { cookie })).cookie).not.toBe(cookie)
  })

  test('its owner sees and ends sessions, nobody else’s', async () => {
    const first = await signIn(plain)
    const second = await signIn(plain, { 'user-agent': 'curl/8.1' })
    const headers = { cookie: second.cookie, origin: ownOrigin(plain), 'x-csrf-token': second.csrf }
    const { results } = JSON.parse(
      (await plain.app.inject({ url: '/api/v1/auth/sessions/', headers: { cookie: second.cookie } })).body,
    ) as { results: { id: string; is_current: boolean; kind: string; user_agent: string; address: string }[] }
    expect(results[0]).toMatchObject({ is_current: true, kind: 'console', user_agent: 'curl', address: '127.0.0.0/24' })
    const [foreign] = await plain.owner<{ id: string }>(
      `insert into sessions (user_id, tenant_id, scopes, kind, method, expires_at, ends_at)
       select id, null, '{}', 'tokens', 'password', now() + interval '1 day', now() + interval '1 day'
       from users where email <> $1 limit 1 returning id`,
      [email],
    )
    expect((await send(plain, 'DELETE', `/api/v1/auth/sessions/${foreign!.id}/`, headers)).status).toBe(404)
    expect((await send(plain, 'POST', '/api/v1/auth/sessions/revoke-others/', headers, {})).status).toBe(200)
    expect((await send(plain, 'GET', SESSION, { cookie: first.cookie })).status).toBe(401)
    expect((await send(plain, 'GET', SESSION, { cookie: second.cookie })).status).toBe(200)
    const own = results.find(({ is_current }) => is_current)!.id
    expect((await send(plain, 'DELETE', `/api/v1/auth/sessions/${own}/`, headers)).status).toBe(204)
    expect((await send(plain, 'GET', SESSION, { cookie: second.cookie })).status).toBe(401)
  })
})

describe('a change by cookie needs a page of ours and the session’s token', () => {
  const path = '/api/v1/tenants/guarded/'
  const change = { name: 'Guarded' }
  test('refused from elsewhere', async () => {
    const { cookie, csrf } = await signIn(plain)
    const origin = ownOrigin(plain)
    const good: Fields = { cookie, origin, 'sec-fetch-site': 'same-origin', 'x-csrf-token': csrf }
    expect((await send(plain, 'PATCH', path, good, change)).status).toBe(200)
    const another = (await signIn(plain)).csrf
    const attacks: Record<string, [Fields, string]> = {
      'a foreign page': [
        { ...good, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
        'origin_not_allowed',
      ],
      'a foreign page in an old browser': [
        { ...good, origin: 'https://evil.example', 'sec-fetch-site': undefined },
        'origin_not_allowed',
      ],
      'a sandboxed frame': [{ ...good, origin: 'null' }, 'origin_not_allowed'],
      'a neighbouring host': [
        { ...good, origin: 'http://evil.localhost', 'sec-fetch-site': 'same-site' },
        'origin_not_allowed',
      ],
      'another port': [{ ...good, origin: 'http://localhost:1', 'sec-fetch-site': undefined }, 'origin_not_allowed'],
      'another scheme': [{ ...good, origin: origin.replace('http:', 'https:') }, 'origin_not_allowed'],
      'a listed CORS origin': [{ ...good, origin: PAGES, 'sec-fetch-site': 'cross-site' }, 'origin_not_allowed'],
      'typed into the address bar': [{ ...good, origin: undefined, 'sec-fetch-site': 'none' }, 'origin_not_allowed'],
      'no word of where': [{ ...good, origin: undefined, 'sec-fetch-site': undefined }, 'origin_not_allowed'],
      'no token': [{ ...good, 'x-csrf-token': undefined }, 'csrf_token_invalid'],
      'an empty token': [{ ...good, 'x-csrf-token': '' }, 'csrf_token_invalid'],
      'the token of another session': [{ ...good, 'x-csrf-token': another }, 'csrf_token_invalid'],
      'the cookie for a token': [{ ...good, 'x-csrf-token': cookie.split('=')[1]! }, 'csrf_token_invalid'],
    }
    for (const [name, [fields, code]] of Object.entries(attacks)) {
      const answer = await send(plain, 'PATCH', path, fields, change)
      expect([name, answer.status, codeOf(answer)]).toEqual([name, 403, code])
    }
  })

  test('no disguise of the method or the body helps', async () => {
    const { cookie, csrf } = await signIn(plain)
    const fields = { cookie, origin: ownOrigin(plain), 'x-csrf-token': csrf }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect((await send(plain, 'PATCH', path, { ...fields, 'content-type': type }, change)).status).toBe(415)
    const override = await send(plain, 'GET', `${path}?_method=PATCH`, { ...fields, 'x-http-method-override': 'PATCH' })
    expect(override.status).toBe(400)
    expect((await send(plain, 'POST', path, { ...fields, 'x-http-method-override': 'PATCH' }, change)).status).toBe(405)
  })

  test('nobody is signed in by a foreign page', async () => {
    for (const fields of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: undefined, 'sec-fetch-site': 'cross-site' },
    ]) {
      const answer = await send(plain, 'POST', SESSION, fields, { email, password })
      expect([answer.status, answer.headers.has('set-cookie')]).toEqual([403, false])
    }
  })

  test('a bearer token needs neither: no browser adds it by itself', async () => {
    expect((await send(plain, 'PATCH', path, tenantAdmin, change)).status).toBe(200)
  })
})

describe('Host', () => {
  const get = (server: TestApp, fields: readonly string[], target = '/healthz') =>
    raw(server, [`GET ${target} HTTP/1.1`, ...fields])
  test('exactly one, and one of ours', async () => {
    const own = 'app.example.org'
    for (const host of [own, `${own}:443`, 'APP.example.org', 'a.wild.example.org'])
      expect([host, (await get(proxied, [`Host: ${host}`])).status]).toEqual([host, 200])
    const attacks: string[][] = [
      [],
      ['Host:'],
      ['Host: evil.example'],
      [`Host: ${own}`, 'Host: evil.example'],
      ['Host: evil.example', `Host: ${own}`],
      [`Host: ${own}`, `Host: ${own}`],
      [`Host: ${own}`, `hOsT: ${own}`],
      [`Host: ${own}.evil.example`],
      [`Host: evil${own}`],
      ['Host: evilwild.example.org'],
      [`Host: ${own}@evil.example`],
      [`Host: evil.example#${own}`],
      [`Host: ${own}, evil.example`],
      [`Host: ${own}:99999999`],
      ['Host: 127.0.0.1'],
      ['Host: localhost'],
    ]
    for (const fields of attacks) expect([fields, (await get(proxied, fields)).status]).toEqual([fields, 400])
  })

  test('no header but Host names it, and a target with another name matches nothing', async () => {
    const forwarded = await get(
      proxied,
      ['Host: app.example.org', 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: http'],
      '/app/agent',
    )
    expect(forwarded.headers.get('location')).toEqual(['https://app.example.org/app/agent'])
    expect((await get(proxied, ['Host: app.example.org'], 'http://app.example.org/healthz')).status).toBe(200)
    expect((await get(proxied, ['Host: app.example.org'], 'http://evil.example/healthz')).status).toBe(404)
  })

  test('holds for sockets too', async () => {
    const upgrade = (host: string) =>
      raw(plain, [
        'GET /ws/tenants/guarded/queues/1/ HTTP/1.1',
        `Host: ${host}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ])
    expect((await upgrade('evil.example')).status).toBe(400)
  })
})

test('HTTP/1.0 in chunks is refused, and nothing after it on the connection is answered', async () => {
  const hidden = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: hidden-request\r\n\r\n'
  const fields = [`Host: localhost:${ports.get(plain)}`, 'Transfer-Encoding: chunked', 'Connection: keep-alive']
  const text = await new Promise<string>((resolve) => {
    const socket = connect(ports.get(plain)!, '127.0.0.1')
    let answers = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (answers += chunk))
    socket.on('close', () => resolve(answers))
    socket.write([`POST ${SESSION} HTTP/1.0`, ...fields, '', '0', '', hidden].join('\r\n'))
  })
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(text).not.toContain('hidden-request')
})

describe('HTTPS', () => {
  test('plain HTTP is sent on where a browser reads and refused elsewhere', async () => {
    for (const server of [proxied, bare]) {
      const page = await send(server, 'GET', '/app/agent?lang=fr')
      expect([page.status, page.headers.get('location')]).toEqual([308, ['https://app.example.org/app/agent?lang=fr']])
      for (const [method, path] of [
        ['GET', '/api/v1/tickets/'],
        ['POST', SESSION],
        ['POST', '/site/guarded/site-1'],
      ] as const) {
        const answer = await send(server, method, path, {}, method === 'POST' ? {} : undefined)
        expect([answer.status, codeOf(answer)]).toEqual([403, 'https_required'])
      }
      expect((await send(server, 'GET', '/healthz')).status).toBe(200)
    }
  })

  test('only a trusted proxy may say that TLS was there, and who asked', async () => {
    const believed = await send(proxied, 'GET', '/app/agent', tls)
    expect(believed.status).toBe(200)
    expect(believed.headers.get('strict-transport-security')).toEqual(['max-age=31536000; includeSubDomains'])
    expect((await send(bare, 'GET', '/app/agent', tls)).status).toBe(308)
    expect((await send(bare, 'GET', '/app/agent', { forwarded: 'proto=https', 'x-forwarded-ssl': 'on' })).status).toBe(
      308,
    )
    // The proxy adds the address it saw; what stands before that is the client's own invention.
    await signIn(proxied, { ...tls, 'x-forwarded-for': '198.51.100.1, 203.0.113.7' })
    const addresses = await proxied.owner<{ address: string }>(
      'select address from sessions order by created_at desc limit 1',
    )
    expect(addresses).toEqual([{ address: '203.0.113.0/24' }])
    await signIn(plain, { 'x-forwarded-for': '203.0.113.7' })
    expect(await plain.owner('select from sessions where address like $1', ['203.%'])).toEqual([])
  })

  test('sockets are not opened without it', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${ports.get(bare)}/ws/tickets/x/`, {
      headers: { host: 'app.example.org' },
    })
    const outcome = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
      socket.on('open', () => resolve('open'))
      socket.on('error', () => {})
    })
    expect(outcome).toBe(400)
  })
})

describe('CORS', () => {
  const PREFLIGHT = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' }
  test('listed origins may ask with a token, never with cookies', async () => {
    const preflight = await send(plain, 'OPTIONS', '/api/v1/tenants/guarded/', { origin: PAGES, ...PREFLIGHT })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toEqual([PAGES])
    expect(preflight.headers.get('access-control-allow-headers')![0]).toContain('authorization')
    expect(preflight.headers.has('access-control-allow-credentials')).toBe(false)
    const read = await send(plain, 'GET', '/api/v1/tenants/guarded/', { origin: PAGES, ...tenantAdmin })
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, [PAGES]])
    expect(read.headers.get('vary')).toContain('origin')
    // A refusal must be readable as well.
    expect(
      (await send(plain, 'GET', '/api/v1/tickets/', { origin: PAGES })).headers.has('access-control-allow-origin'),
    ).toBe(true)
  })

  test('all others may not', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      `${PAGES}.evil.example`,
      'https://evilpages.example.org',
      'http://pages.example.org',
      `${PAGES}:8443`,
      'https://other.example.org',
      `${PAGES}/`,
      PAGES.toUpperCase(),
      '*',
    ]) {
      for (const method of ['OPTIONS', 'GET']) {
        const { headers } = await send(plain, method, '/api/v1/tenants/guarded/', {
          origin,
          ...(method === 'OPTIONS' && PREFLIGHT),
        })
        const granted = [...headers.keys()].filter((name) => name.startsWith('access-control-'))
        expect([origin, granted]).toEqual([origin, []])
      }
    }
  })
})

describe('every page', () => {
  const displays = '/display/guarded/1?token=x'
  test.each(['/', '/app/agent', '/site/guarded/site-1', '/docs', '/nowhere', displays])(
    '%s has a policy without holes',
    async (path) => {
      const page = await send(plain, 'GET', path, { accept: 'text/html' })
      const policy = page.headers.get('content-security-policy')![0]!
      const findings = new CspEvaluator(new CspParser(policy).csp).evaluate()
      const serious = findings.filter(({ severity }) => severity === Severity.HIGH || severity === Severity.MEDIUM)
      expect(serious.map(({ description }) => description)).toEqual([])
      expect(policy).toContain("frame-ancestors 'none'")
      expect(page.headers.get('x-frame-options')).toEqual(['DENY'])
      expect(page.headers.get('x-content-type-options')).toEqual(['nosniff'])
      expect(page.headers.get('cross-origin-opener-policy')).toEqual(['same-origin'])
      if (path === '/docs') return
      expect(policy).toContain("require-trusted-types-for 'script'")
      const nonce = /'nonce-([^']+)'/.exec(policy)![1]!
      for (const [script] of page.body.matchAll(/<script(?![^>]*application\/json)[^>]*>/g))
        expect(script).toContain(`nonce="${nonce}"`)
      const again = await send(plain, 'GET', path, { accept: 'text/html' })
      expect(again.headers.get('content-security-policy')![0]).not.toContain(nonce)
    },
  )

  test('the evaluator finds a hole when there is one', () => {
    const findings = new CspEvaluator(new CspParser("script-src 'unsafe-inline' *").csp).evaluate()
    expect(findings.some(({ severity }) => severity === Severity.HIGH)).toBe(true)
  })
})
