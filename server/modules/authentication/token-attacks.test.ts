import { createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { now } from '../../kernel/clock.ts'
import { startApp } from '../../test/app.ts'
import { quickHash } from '../../test/password.ts'

const KEY = 'the signing key of this test, more than thirty-two characters'
const FORMER = 'the key before that one which still counts for a while'
const server = await startApp({ SECRET_KEY: KEY, SECRET_KEY_FALLBACKS: FORMER })
const t = await server.aTenant({ slug: 'attacked' })
const base = await server.listen()
const queueId = t.queues[0]!.id
const password = 'trois petits chats'
await server.owner('update users set password_hash = $1', [quickHash(password)])
const genuine = (
  await server.app.inject({
    method: 'POST',
    url: '/api/v1/auth/token/',
    payload: { email: 'admin1@attacked.example', password },
  })
).json<{ access: string; refresh: string }>()

type Json = Record<string, unknown>
const part = (token: string, i: number) => JSON.parse(Buffer.from(token.split('.')[i]!, 'base64url').toString()) as Json
const encode = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = part(genuine.access, 0)
const claims = part(genuine.access, 1)
const seconds = Math.floor(now() / 1000)
const hmac = (input: string, key: string | Buffer, hash = 'sha256') =>
  createHmac(hash, key).update(input).digest('base64url')
const forge = (head: Json, body: Json, signature: (input: string) => string = (input) => hmac(input, KEY)) => {
  const input = `${encode(head)}.${encode(body)}`
  return `${input}.${signature(input)}`
}
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string
const bySignature = (input: string) => signWith('sha256', Buffer.from(input), rsa.privateKey).toString('base64url')

const without = (name: string) => Object.fromEntries(Object.entries(claims).filter(([each]) => each !== name))
const [head64, body64, signature] = genuine.access.split('.') as [string, string, string]
/** The same bytes written another way: the last of 43 characters carries two bits that mean nothing. */
const respelled = (() => {
  const bytes = Buffer.from(signature, 'base64url')
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('').find((sign) => {
    const other = signature.slice(0, -1) + sign
    return other !== signature && Buffer.from(other, 'base64url').equals(bytes)
  })
  return signature.slice(0, -1) + last!
})()
const ATTACKS: Record<string, string> = {
  'another spelling of the right signature': `${head64}.${body64}.${respelled}`,
  'a signature with padding': `${genuine.access}=`,
  'no algorithm': `${encode({ alg: 'none', typ: 'JWT' })}.${body64}.`,
  'no algorithm, in capitals, with the old signature': `${encode({ alg: 'NONE', typ: 'JWT' })}.${body64}.${signature}`,
  'signature cut off': `${head64}.${body64}.`,
  'RS256 with a key of the attacker': forge({ alg: 'RS256', typ: 'JWT' }, claims, bySignature),
  'RS256 with its public key in the header': forge(
    { alg: 'RS256', typ: 'JWT', jwk: rsa.publicKey.export({ format: 'jwk' }) },
    claims,
    bySignature,
  ),
  'HS256 with a public key for the secret': forge(header, claims, (input) => hmac(input, publicPem)),
  'an empty key': forge(header, claims, (input) => hmac(input, '')),
  'a key address in the header': forge(
    { ...header, jku: 'https://evil.example/jwks.json', kid: '../../dev/null' },
    claims,
    (input) => hmac(input, ''),
  ),
  'HS512 with the right key': forge({ ...header, alg: 'HS512' }, claims, (input) => hmac(input, KEY, 'sha512')),
  'another key': forge(header, claims, (input) => hmac(input, `${KEY}!`)),
  'claims changed under the signature': `${head64}.${encode({ ...claims, role: 'operator', tenant_id: null })}.${signature}`,
  'another type': forge(header, { ...claims, typ: 'refresh' }),
  'no type': forge(header, without('typ')),
  'another audience': forge(header, { ...claims, aud: 'smartqueue:refresh' }),
  'no audience': forge(header, without('aud')),
  'another issuer': forge(header, { ...claims, iss: 'https://evil.example' }),
  expired: forge(header, { ...claims, iat: seconds - 2000, exp: seconds - 200 }),
  'never expires': forge(header, without('exp')),
  'lives too long': forge(header, { ...claims, exp: seconds + 86_400 }),
  'issued in the future': forge(header, { ...claims, iat: seconds + 3000, exp: seconds + 4000 }),
  'not yet valid': forge(header, { ...claims, nbf: seconds + 3000 }),
  'no session': forge(header, without('sid')),
  'a number for a session': forge(header, { ...claims, sid: 1 }),
  'a role that does not exist': forge(header, { ...claims, role: 'root' }),
  'a list for the tenant': forge(header, { ...claims, tenant_id: [t.tenant.id] }),
  'a refresh token': genuine.refresh,
  garbage: 'a.b.c',
}

const overHttp = async (token: string) => {
  const answer = await fetch(`${base}/api/v1/queues/${queueId}/`, { headers: { authorization: `Bearer ${token}` } })
  const { code } = (await answer.json()) as { code?: string }
  return { status: answer.status, code }
}
/** `snapshot`, or the close code. */
const overWebSocket = (token: string) =>
  new Promise<string | number>((resolve) => {
    const socket = new WebSocket(
      `${base.replace('http', 'ws')}/ws/tenants/attacked/queues/${queueId}/`,
      // A subprotocol cannot be sent with signs that no protocol has.
      /^[\w.-]+$/.test(token) ? ['smartqueue.v1', `bearer.${token}`] : ['smartqueue.v1'],
    )
    socket.on('message', (frame: Buffer) => {
      resolve((JSON.parse(frame.toString()) as { type: string }).type)
      socket.terminate()
    })
    socket.on('close', resolve)
    socket.on('error', () => {})
  })
const overTicket = (token: string) =>
  new Promise<string | number>((resolve) => {
    const socket = new WebSocket(`${base.replace('http', 'ws')}/ws/tenants/attacked/queues/${queueId}/?ticket=${token}`)
    socket.on('message', () => (resolve('snapshot'), socket.terminate()))
    socket.on('close', resolve)
    socket.on('error', () => {})
  })

describe('forged access tokens', () => {
  test('the genuine one opens both doors', async () => {
    expect(await overHttp(genuine.access)).toMatchObject({ status: 200 })
    expect(await overWebSocket(genuine.access)).toBe('snapshot')
    // Control: what the forger makes is a good token when nothing is wrong with it, also with the former key.
    expect(await overHttp(forge(header, claims))).toMatchObject({ status: 200 })
    expect(await overHttp(forge(header, claims, (input) => hmac(input, FORMER)))).toMatchObject({ status: 200 })
    expect(Buffer.from(respelled, 'base64url')).toEqual(Buffer.from(signature, 'base64url'))
  })

  test.each(Object.entries(ATTACKS))('%s', async (name, token) => {
    const code = name === 'expired' ? 'token_expired' : 'token_invalid'
    expect(await overHttp(token)).toEqual({ status: 401, code })
    expect(await overWebSocket(token)).toBe(4401)
    expect(await overTicket(token)).toBe(4401)
  })
})

test('a token in the URL is no credential', async () => {
  for (const name of ['token', 'access', 'access_token', 'authorization']) {
    const answer = await fetch(`${base}/api/v1/queues/${queueId}/?${name}=${genuine.access}`)
    expect(answer.status).toBe(401)
  }
  expect(await overTicket(genuine.access)).toBe(4401)
})
