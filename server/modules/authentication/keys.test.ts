import { createHmac } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { now } from '../../kernel/clock.ts'
import { actorOfToken, signAccessToken, verifyAccessToken } from './access-token.ts'
import { resealed, seal, sign, unseal, useSigningKeys, verify } from './keys.ts'
import { SEALED, SEALED_OUTSIDE } from './reseal.ts'

const KEY = 'a secret key of more than thirty-two characters'
const seconds = () => Math.floor(now() / 1000)
const claims = () => ({
  sub: 'user:5',
  user_id: 5,
  tenant_id: 7,
  role: 'agent' as const,
  scopes: ['call:ticket'],
  sid: 's-1',
  iat: seconds(),
})
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
/** A token as the standard says, written without the library under test. */
const forge = (header: object, payload: object, key = KEY) => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}
const full = () => ({ ...claims(), exp: seconds() + 60, iss: 'smartqueue', aud: 'smartqueue', typ: 'access' })
const refusal = (token: string) => {
  try {
    verifyAccessToken(token)
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}

afterEach(() => useSigningKeys(KEY))
useSigningKeys(KEY)

test('a token carries the claims of the contract, signed HS256 with SECRET_KEY', () => {
  const token = signAccessToken(claims())
  const [header, payload, signature] = token.split('.') as [string, string, string]
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ alg: 'HS256', typ: 'JWT' })
  const body = JSON.parse(Buffer.from(payload, 'base64url').toString())
  expect(body).toEqual({
    ...claims(),
    iat: body.iat,
    exp: body.iat + 1800,
    iss: 'smartqueue',
    aud: 'smartqueue',
    typ: 'access',
  })
  expect(signature).toBe(createHmac('sha256', KEY).update(`${header}.${payload}`).digest('base64url'))
  expect(actorOfToken(token)).toEqual({
    role: 'agent',
    principal: 'user:5',
    tenantId: 7,
    userId: 5,
    scopes: new Set(['call:ticket']),
    sessionId: 's-1',
    ticketId: null,
  })
  expect(actorOfToken(token)).toBe(actorOfToken(token))
  expect(verifyAccessToken(forge({ alg: 'HS256', typ: 'JWT' }, full()))).toMatchObject({ user_id: 5 })
  expect(signAccessToken(claims(), 1e6).length).toBeGreaterThan(0)
  expect(verifyAccessToken(signAccessToken(claims(), 1e6)).exp - seconds()).toBeLessThanOrEqual(3600)
})

test('nothing else is accepted', () => {
  const good = { alg: 'HS256', typ: 'JWT' }
  const valid = forge(good, full())
  expect(refusal(valid)).toBe('accepted')
  const unsigned = `${encode({ alg: 'none' })}.${encode(full())}.`
  const changed = valid.replace(/\.[^.]+\./, `.${encode({ ...full(), role: 'admin' })}.`)
  const forgeries: Record<string, string> = {
    unsigned,
    changed,
    'another key': forge(good, full(), 'another key'),
    'another algorithm': forge({ ...good, alg: 'HS512' }, full()),
    'another issuer': forge(good, { ...full(), iss: 'elsewhere' }),
    'another audience': forge(good, { ...full(), aud: 'smartqueue:refresh' }),
    'another type': forge(good, { ...full(), typ: 'refresh' }),
    'no expiry': forge(good, { ...full(), exp: undefined }),
    'too long a life': forge(good, { ...full(), exp: seconds() + 7200 }),
    'no role': forge(good, { ...full(), role: 'root' }),
    'a text for an id': forge(good, { ...full(), tenant_id: '7' }),
    empty: '',
    garbage: 'a.b.c',
    refresh: sign('refresh', { ...claims(), exp: seconds() + 60 }),
    ws: sign('ws', { ...claims(), exp: seconds() + 60 }),
  }
  for (const [name, token] of Object.entries(forgeries)) expect([name, refusal(token)]).toEqual([name, 'token_invalid'])
  expect(() => verify('refresh', valid)).toThrow('token_invalid')
  expect(refusal(forge(good, { ...full(), iat: seconds() - 100, exp: seconds() - 1 }))).toBe('token_expired')
})

test('a verified token still expires', () => {
  const token = signAccessToken({ ...claims(), iat: seconds() - 3599 }, 3600)
  const claimed = verifyAccessToken(token)
  // The cache holds the same object, so this is what the passing of time looks like to it.
  claimed.exp = seconds() - 1
  expect(refusal(token)).toBe('token_expired')
})

test('a former key is honoured while it is a fallback, and forgotten with it', () => {
  const token = signAccessToken(claims())
  useSigningKeys('the new key, just as long as the other one', [KEY])
  expect(refusal(token)).toBe('accepted')
  expect(refusal(signAccessToken(claims()))).toBe('accepted')
  useSigningKeys('the new key, just as long as the other one')
  expect(refusal(token)).toBe('token_invalid')
})

test('every purpose that something is sealed for is sealed anew before a key goes', () => {
  const purposes = globSync('server/**/*.ts', { exclude: (name) => name.endsWith('.test.ts') }).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\bseal\('(\w+)'/g)].map((match) => match[1]!),
  )
  const listed = [...SEALED, ...SEALED_OUTSIDE].map(({ purpose }) => purpose)
  expect(new Set(listed)).toEqual(new Set(purposes))
})

test('a secret sealed by a former key is sealed anew, and then needs that key no more', () => {
  const sealed = seal('totp', 'secret')
  const next = `another ${KEY}`
  useSigningKeys(next, [KEY])
  const fresh = resealed('totp', sealed)!
  expect(resealed('totp', fresh)).toBeUndefined()
  useSigningKeys(next)
  expect(unseal('totp', fresh)).toBe('secret')
  expect(() => unseal('totp', sealed)).toThrow('no key opens this secret')
})
