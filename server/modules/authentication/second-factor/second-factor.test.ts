import { Secret, TOTP } from 'otpauth'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { now } from '../../../kernel/clock.ts'
import { startApp } from '../../../test/app.ts'
import { useSigningKeys } from '../index.ts'
import { quickHash } from '../../../test/password.ts'
import { seal, unseal } from '../keys.ts'

const SECRET_KEY = 'the signing key of this test of more than thirty-two characters'
const server = await startApp({ SECRET_KEY })
await server.aTenant({ slug: 'codes', agents: 3 })
const password = 'trois petits chats'

type Json = Record<string, any>
async function call(method: 'GET' | 'POST' | 'DELETE', path: string, payload: object = {}, access?: string) {
  const answer = await server.app.inject({
    method,
    url: `/api/v1/auth${path}`,
    headers: access ? { authorization: `Bearer ${access}` } : {},
    ...(method === 'POST' && { payload }),
  })
  return { status: answer.statusCode, body: answer.body === '' ? {} : answer.json<Json>() }
}
const signIn = (n: number, extra: object = {}) =>
  call('POST', '/token/', { email: `agent${n}@codes.example`, password, ...extra })
const generator = (secret: string) => new TOTP({ secret: Secret.fromBase32(secret) })
/** The code some steps away from now: each counts once, so a test cannot wait for the next. */
const codeAt = (secret: string, steps: number) => generator(secret).generate({ timestamp: now() + steps * 30_000 })
/** Not at the end of a code's half minute: the codes of a test must mean the same from its first line to its last. */
beforeEach(async () => {
  const left = 30_000 - (now() % 30_000)
  if (left < 8000) await new Promise((resolve) => setTimeout(resolve, left))
})
/** As if nothing had been used yet. */
const forget = () => server.owner('update code_generators set last_step = 0, failures = 0, locked_until = null')

beforeAll(async () => {
  await server.owner('update users set password_hash = $1', [quickHash(password)])
})

async function setUp(n: number) {
  const { access } = (await signIn(n)).body as { access: string }
  const { secret, uri } = (await call('POST', '/app/', {}, access)).body as { secret: string; uri: string }
  const confirmed = await call('POST', '/app/confirm/', { code: codeAt(secret, 0) }, access)
  expect(confirmed.status).toBe(200)
  await forget()
  return { access, secret, uri, codes: confirmed.body['recovery_codes'] as string[] }
}

describe('an authenticator app', () => {
  test('counts from its first code on, and is asked for with the right password only', async () => {
    const { access } = (await signIn(1)).body as { access: string }
    const { secret, uri } = (await call('POST', '/app/', {}, access)).body as { secret: string; uri: string }
    expect(uri).toMatch(/^otpauth:\/\/totp\/SmartQueue:agent1%40codes\.example\?/)
    expect((await signIn(1)).status).toBe(200)
    expect(await call('POST', '/app/confirm/', { code: '000000' }, access)).toMatchObject({ status: 400 })
    const { status, body } = await call('POST', '/app/confirm/', { code: codeAt(secret, 0) }, access)
    expect([status, new Set(body['recovery_codes'] as string[]).size]).toEqual([200, 10])
    expect(await signIn(1)).toMatchObject({ status: 401, body: { code: 'code_required' } })
    expect(await signIn(1, { password: 'wrong password' })).toMatchObject({ body: { code: 'invalid_credentials' } })
    expect(await signIn(1, { password: 'wrong password', code: codeAt(secret, 1) })).toMatchObject({
      body: { code: 'invalid_credentials' },
    })
    expect(await signIn(1, { code: codeAt(secret, 1) })).toMatchObject({ status: 200 })
    expect((await call('POST', '/app/', {}, access)).body).toMatchObject({ code: 'app_exists' })
    // At rest nobody can read it without the key.
    const rows = await server.owner<{ secret: Buffer }>('select secret from code_generators')
    expect(rows[0]!.secret.includes(Buffer.from(secret))).toBe(false)
    expect((await call('GET', '/factors/', {}, access)).body).toEqual({
      has_password: true,
      has_app: true,
      passkeys: 0,
      recovery_codes: 10,
    })
    expect((await call('DELETE', '/app/', {}, access)).status).toBe(204)
    expect((await signIn(1)).status).toBe(200)
  })

  test('each code counts once, neighbours in time do too, others never; two at once: one', async () => {
    const { access, secret } = await setUp(2)
    expect((await signIn(2, { code: codeAt(secret, -1) })).status).toBe(200)
    expect((await signIn(2, { code: codeAt(secret, -1) })).status).toBe(401)
    expect((await signIn(2, { code: codeAt(secret, 2) })).status).toBe(401)
    const twice = await Promise.all(Array.from({ length: 4 }, () => signIn(2, { code: codeAt(secret, 1) })))
    expect(twice.filter(({ status }) => status === 200)).toHaveLength(1)
    // Earlier ones are gone with a later one.
    expect((await signIn(2, { code: codeAt(secret, 0) })).status).toBe(401)
    await forget()
    for (let n = 0; n < 5; n++) expect((await signIn(2, { code: '000000' })).status).toBe(401)
    expect(await signIn(2, { code: codeAt(secret, 0) })).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
    await forget()
    expect((await signIn(2, { code: codeAt(secret, 0) })).status).toBe(200)
    await call('DELETE', '/app/', {}, access)
  })

  test('recovery codes open once each, in whatever spelling, and are replaced together', async () => {
    const { access, codes } = await setUp(3)
    expect((await signIn(3, { code: codes[0] })).status).toBe(200)
    expect((await signIn(3, { code: codes[0] })).status).toBe(401)
    expect((await signIn(3, { code: codes[1]!.toLowerCase().replaceAll('-', ' ') })).status).toBe(200)
    const renewed = (await call('POST', '/recovery-codes/', {}, access)).body['recovery_codes'] as string[]
    expect((await signIn(3, { code: codes[2] })).status).toBe(401)
    expect((await signIn(3, { code: renewed[0] })).status).toBe(200)
    expect(JSON.stringify(await server.owner('select * from recovery_codes'))).not.toContain(renewed[1])
    await forget()
    await call('DELETE', '/app/', {}, access)
  })

  test('its secret survives a new SECRET_KEY while the old one is a fallback', () => {
    const sealed = seal('totp', 'text')
    useSigningKeys('a newer key of more than thirty-two characters', [SECRET_KEY])
    expect(unseal('totp', sealed)).toBe('text')
    expect(() => unseal('another purpose', sealed)).toThrow('no key opens')
    sealed[sealed.length - 1]! ^= 1
    expect(() => unseal('totp', sealed)).toThrow('no key opens')
    useSigningKeys(SECRET_KEY)
  })
})

describe('a fresh proof', () => {
  const stale = async (n: number, code?: string) => {
    const { body } = await signIn(n, code ? { code } : {})
    const { sid } = JSON.parse(Buffer.from((body['access'] as string).split('.')[1]!, 'base64url').toString()) as Json
    await server.owner(`update sessions set proven_at = now() - interval '10 minutes' where id = $1`, [sid])
    return (await call('POST', '/token/refresh/', { refresh: body['refresh'] })).body['access'] as string
  }
  test('by password, for whoever has no app', async () => {
    const access = await stale(1)
    expect((await call('POST', '/app/', {}, access)).body).toMatchObject({ code: 'proof_required' })
    expect(await call('POST', '/proof/', { password: 'wrong password' }, access)).toMatchObject({ status: 403 })
    expect(await call('POST', '/proof/', {}, access)).toMatchObject({ status: 400 })
    expect((await call('POST', '/proof/', { password }, access)).body).toHaveProperty('biometric_token')
  })
  test('by code, for whoever has one: the password is not enough', async () => {
    const { access: first, secret } = await setUp(2)
    const access = await stale(2, codeAt(secret, -1))
    expect(await call('POST', '/proof/', { password }, access)).toMatchObject({ status: 400 })
    expect(await call('POST', '/proof/', { code: '000000' }, access)).toMatchObject({ status: 403 })
    expect(await call('POST', '/proof/', { code: codeAt(secret, 0) }, access)).toMatchObject({ status: 200 })
    await call('DELETE', '/app/', {}, first)
  })
})
