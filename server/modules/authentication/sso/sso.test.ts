import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration } from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { now } from '../../../kernel/clock.ts'
import { startApp } from '../../../test/app.ts'
import { quickHash } from '../../../test/password.ts'
import { isPublicAddress } from '../../../kernel/http.ts'
import { guardedFetch } from './providers/guarded-fetch.ts'

type Json = Record<string, any>
const server = await startApp()
const bank = await server.aTenant({ slug: 'bank' })
const hall = await server.aTenant({ slug: 'hall' })
const ORIGIN = 'http://localhost:8000'
const CALLBACK = `${ORIGIN}/auth/sso/callback`
const closing: Server[] = []
afterAll(() => closing.forEach((each) => void each.close()))

/** People of the organisation, as its own provider knows them. */
const people: Record<string, Json> = {
  ada: { email: 'Ada@corp.example', email_verified: true, name: 'Ada Lovelace', groups: ['staff', 'desk'] },
  bob: { email: 'bob@corp.example', name: 'Bob', groups: ['bosses'] },
  eve: { email: 'eve@evil.example', email_verified: true, name: 'Eve', groups: ['desk'] },
  mal: { email: 'mal@corp.example', email_verified: false, name: 'Mal', groups: ['desk'] },
  tia: { email: 'tia@corp.example', email_verified: true, name: 'Tia', groups: ['desk'], teams: ['bosses'] },
  out: { email: 'out@corp.example', email_verified: true, name: 'Out', groups: ['visitors'] },
  member: { email: 'agent1@bank.example', email_verified: true, name: 'Agent', groups: ['desk'] },
  elsewhere: { email: 'admin1@hall.example', email_verified: true, name: 'Chief', groups: ['desk'] },
}

/** A certified provider library, run here: discovery, PKCE required, a sign-in form and a consent form. */
async function startProvider(): Promise<string> {
  const http = createServer()
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  closing.push(http)
  const issuer = `http://localhost:${(http.address() as AddressInfo).port}`
  const configuration: Configuration = {
    clients: [{ client_id: 'smartqueue', client_secret: 'secret-of-the-provider', redirect_uris: [CALLBACK] }],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups', 'teams'] },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    cookies: { keys: ['cookies of the provider'] },
    ttl: { AccessToken: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
  }
  // It warns that its forms and keys are for development, which this is.
  const { warn, info } = console
  Object.assign(console, { warn: () => {}, info: () => {} })
  const provider = new Provider(issuer, configuration)
  http.on('request', (request, response) => void provider.callback()(request, response))
  Object.assign(console, { warn, info })
  return issuer
}

/** A browser at the provider: follows it through its forms until it sends back here. */
async function signInThere(url: string, login: string): Promise<string> {
  const jar = new Map<string, string>()
  let next = url
  for (let step = 0; step < 12; step++) {
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }
    let answer = await fetch(next, { headers, redirect: 'manual' })
    const remember = () => {
      for (const cookie of answer.headers.getSetCookie()) {
        const [name, value] = cookie.split(';')[0]!.split('=') as [string, string]
        jar.set(name, value)
      }
    }
    remember()
    if (answer.status === 200) {
      const form = await answer.text()
      const action = /action="([^"]+)"/.exec(form)![1]!
      const prompt = /name="prompt" value="(\w+)"/.exec(form)![1]!
      answer = await fetch(new URL(action, next), {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
        body: new URLSearchParams({ prompt, login, password: 'any' }),
      })
      remember()
    }
    next = new URL(answer.headers.get('location')!, next).href
    if (next.startsWith(CALLBACK)) return next
  }
  throw new Error('the provider goes round in circles')
}

async function call(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  payload?: object,
  headers: Json = {},
) {
  const answer = await server.app.inject({
    method,
    url: path,
    headers: { host: 'localhost:8000', ...headers },
    ...(payload && { payload }),
  })
  const cookies = Object.fromEntries(
    [answer.headers['set-cookie'] ?? []]
      .flat()
      .map((line) => String(line).split(';')[0]!.split('=') as [string, string]),
  )
  return {
    status: answer.statusCode,
    body: answer.headers['content-type']?.includes('json') ? answer.json<Json>() : {},
    cookies,
    headers: answer.headers,
  }
}
const start = async (tenant = 'bank') => {
  const { status, body, cookies } = await call('POST', '/api/v1/auth/sso/start/', { tenant }, { origin: ORIGIN })
  expect(status).toBe(200)
  return { url: body['url'] as string, flow: cookies['sso']! }
}
const comeBack = (url: string, flow: string | undefined) =>
  call('GET', url.slice(ORIGIN.length), undefined, flow ? { cookie: `sso=${flow}` } : {})
/** The whole way of one person. */
async function enter(login: string) {
  const { url, flow } = await start()
  const back = await signInThere(url, login)
  return { ...(await comeBack(back, flow)), back, flow }
}
const whoIs = async (cookies: Record<string, string>) =>
  (await call('GET', '/api/v1/auth/session/', undefined, { cookie: `session=${cookies['session']}` })).body

const settings = (issuer: string) => ({
  issuer,
  client_id: 'smartqueue',
  client_secret: 'secret-of-the-provider',
  group_roles: [
    { group: 'bosses', role: 'supervisor' },
    { group: 'desk', role: 'agent' },
  ],
  email_domains: ['corp.example', 'bank.example', 'hall.example'],
})
let issuer: string
beforeAll(async () => {
  issuer = await startProvider()
  const set = await call('PUT', '/api/v1/tenants/bank/sso/', settings(issuer), server.as(bank.admin))
  expect(set.status).toBe(200)
  expect(JSON.stringify(set.body)).not.toContain('secret-of-the-provider')
  await server.owner('update users set password_hash = $1', [quickHash('trois petits chats')])
})

describe('people of an organisation sign in at its own provider', () => {
  test('who comes first becomes a member with the role of their group, and is known again', async () => {
    const { status, cookies, headers } = await enter('ada')
    expect([status, headers['location']]).toEqual([303, '/app/agent'])
    expect(await whoIs(cookies)).toMatchObject({
      user: { email: 'ada@corp.example', name: 'Ada Lovelace' },
      tenant: { slug: 'bank' },
      role: 'agent',
    })
    const again = await whoIs((await enter('ada')).cookies)
    expect(again['user'].id).toBe((await whoIs(cookies))['user'].id)
    expect(await whoIs((await enter('bob')).cookies)).toMatchObject({ role: 'supervisor' })
  })

  test('the request has state, nonce and PKCE, each new; the secret stays here, sealed', async () => {
    const [one, two] = await Promise.all([start(), start()])
    const [first, second] = [new URL(one.url).searchParams, new URL(two.url).searchParams]
    expect(first.get('code_challenge_method')).toBe('S256')
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(first.get(name)!.length).toBeGreaterThanOrEqual(43)
      expect(first.get(name)).not.toBe(second.get(name))
    }
    expect(first.get('redirect_uri')).toBe(CALLBACK)
    const [row] = await server.owner<{ client_secret: Buffer }>('select client_secret from identity_providers')
    expect(row!.client_secret.includes('secret-of-the-provider')).toBe(false)
  })

  test('a changed group changes the role and ends the old sessions', async () => {
    const { cookies } = await enter('ada')
    people['ada']!['groups'] = ['bosses']
    const now = await enter('ada')
    expect(await whoIs(now.cookies)).toMatchObject({ role: 'supervisor' })
    expect(await whoIs(cookies)).toMatchObject({ status: 401 })
    people['ada']!['groups'] = ['desk']
  })

  test('a member is recognised by e-mail once, then by name; a closed membership stays closed', async () => {
    const { cookies } = await enter('member')
    expect((await whoIs(cookies))['user'].id).toBe(bank.agents[0]!.user_id)
    people['member']!['email'] = 'renamed@corp.example'
    expect((await whoIs((await enter('member')).cookies))['user'].id).toBe(bank.agents[0]!.user_id)
    await call(
      'PATCH',
      `/api/v1/tenants/bank/users/${bank.agents[0]!.user_id}/`,
      { is_active: false },
      server.as(bank.admin),
    )
    expect((await enter('member')).status).toBe(401)
  })

  test.each([
    ['eve', 401, 'an address of another domain'],
    ['mal', 401, 'an address that is not verified'],
    ['out', 401, 'nobody of the groups'],
    ['elsewhere', 409, 'somebody else’s account'],
  ])('%s is refused with %i: %s', async (login, status) => {
    const before = await server.owner('select count(*) from users')
    const answer = await enter(login)
    expect([answer.status, answer.cookies['session']]).toEqual([status, undefined])
    expect(await server.owner('select count(*) from users')).toEqual(before)
  })

  test('what is asked of the provider, which of its words are groups, the role of all others, and the switch count', async () => {
    const put = (more: Json) =>
      call('PUT', '/api/v1/tenants/bank/sso/', { ...settings(issuer), ...more }, server.as(bank.admin))
    const scope = 'openid email profile'
    try {
      expect((await put({ groups_claim: 'teams', default_role: 'agent', scope })).status).toBe(200)
      expect(new URL((await start()).url).searchParams.get('scope')).toBe(scope)
      expect(await whoIs((await enter('tia')).cookies)).toMatchObject({ role: 'supervisor' })
      expect(await whoIs((await enter('out')).cookies)).toMatchObject({ role: 'agent' })
      await put({ scope: 'openid email' })
      expect(new URL((await start()).url).searchParams.get('scope')).toBe('openid email')
      await put({ is_active: false })
      const refused = await call('POST', '/api/v1/auth/sso/start/', { tenant: 'bank' }, { origin: ORIGIN })
      expect(refused.status).toBe(404)
    } finally {
      await put({})
    }
  })

  test('their session is for this organisation, and what is the person’s own asks for a proof they do not have', async () => {
    const { cookies } = await enter('bob')
    const { csrf_token } = await whoIs(cookies)
    const headers = { cookie: `session=${cookies['session']}`, origin: ORIGIN, 'x-csrf-token': csrf_token as string }
    expect(
      (await call('POST', '/api/v1/auth/password/', { password: 'quatre petits chats' }, headers)).body,
    ).toMatchObject({ code: 'proof_required' })
    expect((await call('POST', '/api/v1/auth/proof/', { password: '' }, headers)).status).toBe(403)
    expect((await call('POST', '/api/v1/auth/session/switch/', { tenant: 'bank' }, headers)).status).toBe(403)
    // Nor does the organisation learn where else they work, or end what they do there.
    const { user } = (await whoIs(cookies)) as unknown as { user: { id: number } }
    const elsewhere = await server.aTenant()
    await server.owner(`insert into memberships (tenant_id, user_id, role) values ($1, $2, 'agent')`, [
      elsewhere.tenant.id,
      user.id,
    ])
    const [theirs] = await server.owner<{ id: string }>(
      `insert into sessions (id, user_id, tenant_id, kind, method, secret_hash, expires_at, ends_at, scopes)
       values (gen_random_uuid(), $1, $2, 'console', 'password', sha256('x'), now() + interval '1 hour', now() + interval '1 hour', '{}') returning id`,
      [user.id, elsewhere.tenant.id],
    )
    expect(
      ((await whoIs(cookies)) as unknown as { tenants: { slug: string }[] }).tenants.map(({ slug }) => slug),
    ).toEqual(['bank'])
    const seen = await call('GET', '/api/v1/auth/sessions/', undefined, headers)
    expect(JSON.stringify(seen.body)).not.toContain(theirs!.id)
    expect((await call('DELETE', `/api/v1/auth/sessions/${theirs!.id}/`, undefined, headers)).status).toBe(404)
    await call('POST', '/api/v1/auth/sessions/revoke-others/', {}, headers)
    expect(await server.owner('select from sessions where id = $1 and revoked_at is null', [theirs!.id])).toHaveLength(
      1,
    )
    expect((await call('GET', '/api/v1/tenants/hall/users/', undefined, headers)).status).toBe(404)
  })
})

describe('nobody comes back who did not leave', () => {
  test('without the flow, with another browser’s, twice, or with changed parameters', async () => {
    const { url, flow } = await start()
    const other = await start()
    const back = await signInThere(url, 'bob')
    const change = (edit: (query: URLSearchParams) => void) => {
      const changed = new URL(back)
      edit(changed.searchParams)
      return changed.href
    }
    expect((await comeBack(back, undefined)).status).toBe(401)
    expect((await comeBack(back, other.flow)).status).toBe(401)
    expect((await comeBack(back, `${flow}x`)).status).toBe(401)
    expect((await comeBack(back, flow)).status).toBe(303)
    expect((await comeBack(back, flow)).status).toBe(401)
    const attacks: ((query: URLSearchParams) => void)[] = [
      (query) => query.set('state', 'x'),
      (query) => query.delete('state'),
      (query) => query.set('code', 'x'),
      (query) => query.delete('code'),
      (query) => query.set('iss', 'https://evil.example'),
      (query) => query.set('error', 'access_denied'),
    ]
    for (const edit of attacks) {
      const fresh = await start()
      const returned = new URL(await signInThere(fresh.url, 'bob'))
      edit(returned.searchParams)
      expect([edit.toString(), (await comeBack(returned.href, fresh.flow)).status]).toEqual([edit.toString(), 401])
    }
    expect(
      (
        await comeBack(
          change((query) => query.set('code', 'x')),
          flow,
        )
      ).status,
    ).toBe(401)
  })

  test('a ticket is for one organisation and one entry; pages of others may not use it', async () => {
    await call('PUT', '/api/v1/tenants/hall/sso/', settings(issuer), server.as(hall.admin))
    const { url, flow } = await start()
    const query = new URL(await signInThere(url, 'bob')).search.slice(1)
    const { body } = await call('POST', '/api/v1/auth/sso/finish/', { flow, query }, { origin: ORIGIN })
    const use = (tenant: string, origin = ORIGIN) =>
      call('POST', `/api/v1/public/${tenant}/sso/enter/`, { ticket: body['ticket'] as string }, { origin })
    expect((await use('hall')).status).toBe(401)
    expect((await use('bank', 'https://evil.example')).status).toBe(403)
    expect((await use('bank')).status).toBe(200)
    expect((await use('bank')).status).toBe(401)
    await call('DELETE', '/api/v1/tenants/hall/sso/', undefined, server.as(hall.admin))
    expect((await call('POST', '/api/v1/auth/sso/start/', { tenant: 'hall' }, { origin: ORIGIN })).status).toBe(404)
  })

  test('only administrators with a fresh proof say where people sign in', async () => {
    const put = (headers: Json) => call('PUT', '/api/v1/tenants/bank/sso/', settings('https://evil.example'), headers)
    expect((await put(server.as(bank.supervisor))).status).toBe(403)
    expect((await put(server.as({ ...bank.admin, provenAt: Math.floor(now() / 1000) - 600 }))).body).toMatchObject({
      code: 'proof_required',
    })
    expect((await put(server.as(hall.admin))).status).toBe(404)
  })
})

describe('a provider that lies', () => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const strangers = generateKeyPairSync('rsa', { modulusLength: 2048 })
  /** What its token endpoint says next. */
  let token: (claims: Json) => string
  const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = (claims: Json, key = keys.privateKey, header: Json = { alg: 'RS256', kid: '1' }) => {
    const input = `${b64(header)}.${b64(claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
  }
  let liar: string
  let nonce: string
  beforeAll(async () => {
    const http = createServer((request, response) => {
      const answers: Record<string, () => object> = {
        '/.well-known/openid-configuration': () => ({
          issuer: liar,
          authorization_endpoint: `${liar}/auth`,
          token_endpoint: `${liar}/token`,
          jwks_uri: `${liar}/jwks`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          code_challenge_methods_supported: ['S256'],
        }),
        '/jwks': () => ({
          keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: '1', use: 'sig', alg: 'RS256' }],
        }),
        '/token': () => {
          const seconds = Math.floor(now() / 1000)
          const claims = {
            iss: liar,
            sub: 'liz',
            aud: 'smartqueue',
            iat: seconds,
            exp: seconds + 60,
            nonce,
            email: 'liz@corp.example',
            name: 'Liz',
            groups: ['desk'],
          }
          return { access_token: 'x', token_type: 'Bearer', id_token: token(claims) }
        },
      }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answers[request.url!.split('?')[0]!]?.() ?? {}))
    }).listen(0, '127.0.0.1')
    await once(http, 'listening')
    closing.push(http)
    liar = `http://localhost:${(http.address() as AddressInfo).port}`
    await call('PUT', '/api/v1/tenants/hall/sso/', settings(liar), server.as(hall.admin))
  })
  const attempt = async (lie: (claims: Json) => string) => {
    token = lie
    const { url, flow } = await start('hall')
    const query = new URL(url).searchParams
    nonce = query.get('nonce')!
    return (await comeBack(`${CALLBACK}?code=x&state=${query.get('state')}`, flow)).status
  }
  const LIES: Record<string, (claims: Json) => string> = {
    'no signature': (claims) => `${b64({ alg: 'none' })}.${b64(claims)}.`,
    'another key': (claims) => signed(claims, strangers.privateKey),
    'signed with the client secret': (claims) => signed(claims, keys.privateKey, { alg: 'HS256', kid: '1' }),
    'changed claims': (claims) => signed(claims).replace(/\.[^.]+\./, `.${b64({ ...claims, sub: 'root' })}.`),
    'another nonce': (claims) => signed({ ...claims, nonce: 'x' }),
    'no nonce': ({ nonce: _, ...claims }) => signed(claims),
    'another audience': (claims) => signed({ ...claims, aud: 'somebody' }),
    'another issuer': (claims) => signed({ ...claims, iss: 'https://evil.example' }),
    expired: (claims) => signed({ ...claims, exp: claims['iat'] - 600 }),
    'no subject': ({ sub: _, ...claims }) => signed(claims),
    'no token': () => '',
  }
  test.each(Object.entries(LIES))('%s', async (_, lie) => {
    expect(await attempt(lie)).toBe(401)
  })
  test('and one that does not', async () => {
    expect(await attempt(signed)).toBe(303)
  })
})

describe('addresses that administrators type', () => {
  test.each([
    '127.0.0.1 127.9.9.9 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 198.18.0.1 224.0.0.1 255.255.255.255 192.0.2.1',
    '::1 :: ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 fe80::1 fc00::1 fd12::1 ff02::1 2001:db8::1 2002:7f00:1::1 localhost 1',
  ])('%s: none of them is public', (line) => {
    expect(line.split(' ').filter(isPublicAddress)).toEqual([])
  })
  test('public ones are', () => {
    expect(
      ['93.184.215.14', '172.15.0.1', '172.32.0.1', '2606:4700::1111'].filter((each) => !isPublicAddress(each)),
    ).toEqual([])
  })
  test('no spelling of this machine is asked in production, and nothing but https', async () => {
    let asked = 0
    const http = createServer((_request, response) => {
      asked++
      response.end('secret')
    }).listen(0)
    await once(http, 'listening')
    closing.push(http)
    const { port } = http.address() as AddressInfo
    const get = guardedFetch(false)
    const hosts =
      '127.0.0.1 localhost 127.1 2130706433 0x7f.1 0177.0.0.1 0 [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] ①②⑦.0.0.1 localhost.'
    for (const host of hosts.split(' ')) {
      for (const scheme of ['https', 'http'])
        await expect(get(`${scheme}://${host}:${port}/`, { method: 'GET', headers: {} }), host).rejects.toThrow(
          /address_refused|only https|dns_failed/,
        )
    }
    expect(asked).toBe(0)
    // Control: in development this machine is asked.
    expect(await (await guardedFetch(true)(`http://localhost:${port}/`, { method: 'GET', headers: {} })).text()).toBe(
      'secret',
    )
  })
  test('redirects are not followed and floods are cut', async () => {
    const http = createServer((request, response) => {
      if (request.url === '/away') response.writeHead(302, { location: '/' })
      else if (request.url === '/flood') response.write('x'.repeat(600_000))
      response.end(createHash('sha256').digest('hex'))
    }).listen(0, '127.0.0.1')
    await once(http, 'listening')
    closing.push(http)
    const { port } = http.address() as AddressInfo
    const get = (path: string) => guardedFetch(true)(`http://127.0.0.1:${port}${path}`, { method: 'GET', headers: {} })
    await expect(get('/away')).rejects.toThrow('redirects')
    await expect(get('/flood')).rejects.toThrow('too large')
  })
})
