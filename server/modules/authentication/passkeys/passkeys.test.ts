import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startJobs } from '../../../app.ts'
import { createLogger } from '../../../kernel/log.ts'
import { translate } from '../../../kernel/i18n.ts'
import { startApp } from '../../../test/app.ts'
import { SoftAuthenticator, type Parts } from '../../../test/authenticator.ts'
import { quickHash } from '../../../test/password.ts'

const SECRET_KEY = 'the signing key of this test of more than thirty-two characters'
const ORIGIN = 'http://localhost:8000'
const server = await startApp({ SECRET_KEY })
const worker = await startJobs(server, createLogger({ level: 'error', destination: process.stderr }))
afterAll(() => worker.stop())
await server.aTenant({ slug: 'keys', agents: 2 })
const password = 'trois petits chats'

type Json = Record<string, any>
interface Answer {
  status: number
  body: Json
}
async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  payload: object,
  headers: Json = {},
): Promise<Answer> {
  const answer = await server.app.inject({
    method,
    url: `/api/v1/auth${path}`,
    headers,
    ...(method !== 'GET' && method !== 'DELETE' && { payload }),
  })
  return { status: answer.statusCode, body: answer.body === '' ? {} : answer.json<Json>() }
}
const post = (path: string, payload: object = {}, headers: Json = {}) => call('POST', path, payload, headers)
const as = (access: string, extra: Json = {}) => ({ authorization: `Bearer ${access}`, ...extra })
const signIn = async (name: string) =>
  (await post('/token/', { email: `${name}@keys.example`, password })).body as { access: string; refresh: string }

let alice: { access: string }
let bob: { access: string }
let phone: SoftAuthenticator
let bobs: SoftAuthenticator
/** Counter of the last sign-in that succeeded. */
let accepted = 0

async function enrol(person: { access: string }): Promise<SoftAuthenticator> {
  const device = new SoftAuthenticator(ORIGIN)
  const { body } = await post('/passkeys/registration-options/', {}, as(person.access))
  const response = device.create(body.options)
  const stored = await post(
    '/biometric/register/',
    { challenge_id: body.challenge_id, name: 'Phone', response },
    as(person.access),
  )
  expect(stored).toMatchObject({ status: 201, body: { name: 'Phone', is_backed_up: true, last_used_at: null } })
  return device
}
beforeAll(async () => {
  await server.owner('update users set password_hash = $1', [quickHash(password)])
  alice = await signIn('agent1')
  bob = await signIn('agent2')
  phone = await enrol(alice)
  bobs = await enrol(bob)
})

test('the person is told by e-mail of each passkey that is added, in their language, and nobody else is', async () => {
  const messages = () =>
    server.owner<{ recipient: string; subject: string; body: string }>(
      'select recipient, subject, body from outbox_messages order by recipient',
    )
  await expect.poll(async () => (await messages()).length).toBe(2)
  const told = await messages()
  expect(told.map(({ recipient }) => recipient)).toEqual(['agent1@keys.example', 'agent2@keys.example'])
  expect(told[0]!.subject).toBe(translate('fr', 'mail.passkey_added.subject'))
  expect(told[0]!.body).toContain('Phone')
})

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claimsOf = (note: string) => JSON.parse(Buffer.from(note.split('.')[1]!, 'base64url').toString()) as Json
/** The note with other claims, signed with the server's own key. */
const renote = (note: string, change: Json) => {
  const input = `${note.split('.')[0]}.${encode({ ...claimsOf(note), ...change })}`
  return `${input}.${createHmac('sha256', SECRET_KEY).update(input).digest('base64url')}`
}
const flip = (base64url: string, at: number) => {
  const bytes = Buffer.from(base64url, 'base64url')
  bytes[at < 0 ? bytes.length + at : at]! ^= 1
  return bytes.toString('base64url')
}
const edited = (clientDataJSON: string, change: Json) =>
  encode({ ...(JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as Json), ...change })

/** A change of what is signed, or of what is sent afterwards: the response and the note. */
interface Mutation {
  parts?: (parts: Parts, device: SoftAuthenticator) => void
  sent?: (response: Json) => void
  note?: (note: string) => string | Promise<string>
}
const SHARED: Record<string, Mutation> = {
  'another challenge': { parts: ({ clientData }) => (clientData['challenge'] = randomBytes(32).toString('base64url')) },
  'no challenge': { parts: ({ clientData }) => delete clientData['challenge'] },
  'another origin': { parts: ({ clientData }) => (clientData['origin'] = 'https://evil.example') },
  'a subdomain’s origin': { parts: ({ clientData }) => (clientData['origin'] = 'http://evil.localhost:8000') },
  'another port': { parts: ({ clientData }) => (clientData['origin'] = 'http://localhost:8001') },
  'another scheme': { parts: ({ clientData }) => (clientData['origin'] = 'https://localhost:8000') },
  'an origin that begins like ours': { parts: ({ clientData }) => (clientData['origin'] = `${ORIGIN}.evil.example`) },
  'inside a foreign page': { parts: ({ clientData }) => (clientData['crossOrigin'] = true) },
  'inside a foreign page that is named': {
    parts: ({ clientData }) => Object.assign(clientData, { crossOrigin: true, topOrigin: 'https://evil.example' }),
  },
  'a top origin without a frame': { parts: ({ clientData }) => (clientData['topOrigin'] = 'https://evil.example') },
  'another relying party': { parts: (parts) => (parts.rpId = 'evil.example') },
  'nobody present': { parts: (parts) => (parts.isPresent = false) },
  'nobody verified': { parts: (parts) => (parts.isVerified = false) },
  'a copy of what cannot be copied': {
    parts: (parts) => Object.assign(parts, { isBackupEligible: false, isBackedUp: true }),
  },
  'no key for a type': { sent: (response) => (response['type'] = 'password') },
  'two ids': { sent: (response) => (response['rawId'] = flip(response['rawId'] as string, 0)) },
  'a note that was changed': { note: (note) => `${note.slice(0, -2)}xx` },
  'a note without a signature': { note: (note) => `${encode({ alg: 'none' })}.${note.split('.')[1]}.` },
  'a note of long ago': {
    note: (note) => renote(note, { iat: claimsOf(note)['iat'] - 400, exp: claimsOf(note)['iat'] - 1 }),
  },
  'a note for something else': {
    note: (note) =>
      renote(note, {
        purpose: claimsOf(note)['purpose'] === 'register' ? 'prove' : 'register',
        jti: randomBytes(16)
          .toString('hex')
          .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
      }),
  },
  'an access token for a note': { note: () => alice.access },
}
const REGISTRATION: Record<string, Mutation> = {
  ...SHARED,
  'signed for signing in': { parts: ({ clientData }) => (clientData['type'] = 'webauthn.get') },
  'an id that is not the key’s': {
    sent: (response) => (response['id'] = response['rawId'] = flip(response['id'] as string, 0)),
  },
  'another person’s id': {
    sent: (response) => (response['id'] = response['rawId'] = bobs.credentialId.toString('base64url')),
  },
  'an algorithm nobody offered': { parts: (parts) => (parts.algorithm = -36) },
  'no key': { parts: (parts) => (parts.hasCredential = false) },
  'an attestation of no known kind': { parts: (parts) => (parts.format = 'homemade') },
  'an attestation nobody asked for': { parts: (parts) => (parts.format = 'fido-u2f') },
  'an empty attestation with content': { parts: (parts) => parts.statement.set('sig', Buffer.from('x')) },
  'a self-attestation that is not signed by the key': {
    parts: (parts) => {
      parts.format = 'packed'
      parts.statement.set('alg', -7).set('sig', randomBytes(64))
    },
  },
  'cut data': {
    sent: ({ response }) => (response.attestationObject = (response.attestationObject as string).slice(0, -40)),
  },
  'no CBOR at all': { sent: ({ response }) => (response.attestationObject = randomBytes(80).toString('base64url')) },
  'the note of another session': {
    note: async () => (await post('/passkeys/registration-options/', {}, as(bob.access))).body.challenge_id as string,
  },
}
const ASSERTION: Record<string, Mutation> = {
  ...SHARED,
  'signed for registering': { parts: ({ clientData }) => (clientData['type'] = 'webauthn.create') },
  'a key that has become copyable or not': {
    parts: (parts) => Object.assign(parts, { isBackupEligible: false, isBackedUp: false }),
  },
  'the same counter': { parts: (parts) => (parts.signCount = accepted) },
  'a lower counter': { parts: (parts) => (parts.signCount = 0) },
  'another key': { parts: (parts) => (parts.signWith = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) },
  'another person’s handle': { parts: (parts) => (parts.userHandle = bobs.userHandle) },
  'the handle of nobody': { parts: (parts) => (parts.userHandle = randomBytes(16).toString('base64url')) },
  'flags changed after signing': {
    parts: (parts) => (parts.isVerified = false),
    sent: ({ response }) =>
      (response.authenticatorData = Buffer.from(response.authenticatorData as string, 'base64url')
        .fill(0x1d, 32, 33)
        .toString('base64url')),
  },
  'a counter changed after signing': {
    sent: ({ response }) => (response.authenticatorData = flip(response.authenticatorData as string, 33)),
  },
  'an origin changed after signing': {
    parts: ({ clientData }) => (clientData['origin'] = 'https://evil.example'),
    sent: ({ response }) => (response.clientDataJSON = edited(response.clientDataJSON as string, { origin: ORIGIN })),
  },
  'a signature with a bit flipped': {
    sent: ({ response }) => (response.signature = flip(response.signature as string, -1)),
  },
  'a signature of nothing': { sent: ({ response }) => (response.signature = 'AA') },
  'cut data': {
    sent: ({ response }) => (response.authenticatorData = (response.authenticatorData as string).slice(0, 40)),
  },
  'data with a tail': {
    sent: ({ response }) =>
      (response.authenticatorData = Buffer.concat([
        Buffer.from(response.authenticatorData as string, 'base64url'),
        Buffer.from('x'),
      ]).toString('base64url')),
  },
  'an id nobody has': {
    sent: (response) => (response['id'] = response['rawId'] = randomBytes(32).toString('base64url')),
  },
  'another person’s id': {
    sent: (response) => (response['id'] = response['rawId'] = bobs.credentialId.toString('base64url')),
  },
}

async function tryRegistration({ parts, sent, note }: Mutation): Promise<Answer> {
  const { body } = await post('/passkeys/registration-options/', {}, as(alice.access))
  const device = new SoftAuthenticator(ORIGIN)
  const response = device.create(body.options, (each) => void parts?.(each, device))
  sent?.(response)
  const challenge_id = (await note?.(body.challenge_id as string)) ?? (body.challenge_id as string)
  return post('/biometric/register/', { challenge_id, name: 'Evil', response }, as(alice.access))
}
async function trySignIn(
  { parts, sent, note }: Mutation,
  path = '/passkeys/token/',
): Promise<Answer & { request: object }> {
  const { body } = await post('/passkeys/sign-in-options/')
  const response = phone.get(body.options, (each) => void parts?.(each, phone))
  sent?.(response)
  const challenge_id = (await note?.(body.challenge_id as string)) ?? (body.challenge_id as string)
  const request = { challenge_id, response }
  const answer = await post(path, request)
  if (answer.status === 200) accepted = phone.signCount
  return { ...answer, request }
}

describe('a passkey', () => {
  test('is asked for with the strictest options, and registered once', async () => {
    const { body } = await post('/passkeys/registration-options/', {}, as(alice.access))
    expect(body.options).toMatchObject({
      rp: { id: 'localhost', name: 'SmartQueue' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [{ id: phone.credentialId.toString('base64url') }],
    })
    expect(Buffer.from(body.options.challenge as string, 'base64url')).toHaveLength(32)
    // The handle says nothing of the person.
    expect(Buffer.from(body.options.user.id as string, 'base64url')).toHaveLength(16)
    const stored = await server.owner<{ public_key: Buffer }>('select * from passkeys')
    expect(Object.keys(stored[0]!).toSorted()).toEqual([
      'created_at',
      'credential_id',
      'id',
      'is_backed_up',
      'is_backup_eligible',
      'last_used_at',
      'name',
      'public_key',
      'sign_count',
      'transports',
      'user_id',
    ])
  })

  test('signs in without a password, to tokens and to the console', async () => {
    const { status, body } = await trySignIn({})
    expect([status, body.user.email]).toEqual([200, 'agent1@keys.example'])
    const console_ = await trySignIn({}, '/passkeys/sign-in/')
    expect(console_.status).toBe(200)
    expect(console_.body).toHaveProperty('csrf_token')
    expect((await trySignIn({ sent: (response) => delete response['response'].userHandle })).status).toBe(200)
  })

  test('options are the same for everybody', async () => {
    const [one, two] = await Promise.all([
      post('/passkeys/sign-in-options/'),
      post('/passkeys/sign-in-options/', {}, as(alice.access)),
    ])
    const { challenge: first, ...rest } = one.body.options as Json
    const { challenge: second, ...others } = two.body.options as Json
    expect(first).not.toBe(second)
    expect(rest).toEqual(others)
    expect(rest).toMatchObject({ rpId: 'localhost', userVerification: 'required', allowCredentials: [] })
  })

  test('is listed, renamed and removed by its owner alone', async () => {
    const [{ id }] = (await call('GET', '/passkeys/', {}, as(bob.access))).body.results as [{ id: number }]
    expect((await call('PATCH', `/passkeys/${id}/`, { name: 'Mine' }, as(alice.access))).status).toBe(404)
    expect((await call('DELETE', `/passkeys/${id}/`, {}, as(alice.access))).status).toBe(404)
    expect((await call('PATCH', `/passkeys/${id}/`, { name: 'Clé' }, as(bob.access))).body).toMatchObject({
      name: 'Clé',
    })
    const spare = await enrol(bob)
    const spareId = (await call('GET', '/passkeys/', {}, as(bob.access))).body.results[1].id as number
    expect((await call('DELETE', `/passkeys/${spareId}/`, {}, as(bob.access))).status).toBe(204)
    const { body } = await post('/passkeys/sign-in-options/')
    const gone = await post('/passkeys/token/', { challenge_id: body.challenge_id, response: spare.get(body.options) })
    expect(gone).toMatchObject({ status: 401, body: { code: 'passkey_refused' } })
  })
})

test(`${Object.keys(REGISTRATION).length} changes to a registration are refused, and nothing is stored`, async () => {
  const before = await server.owner('select * from passkeys order by id')
  for (const [name, mutation] of Object.entries(REGISTRATION)) {
    const { status } = await tryRegistration(mutation)
    expect([name, [400, 401].includes(status), status]).toEqual([name, true, status])
  }
  expect(await server.owner('select * from passkeys order by id')).toEqual(before)
  // Control: unchanged it is accepted.
  expect((await tryRegistration({})).status).toBe(201)
})

test(`${Object.keys(ASSERTION).length} changes to a sign-in are refused, and no session begins`, async () => {
  const sessions = () => server.owner('select id from sessions order by id')
  expect((await trySignIn({})).status).toBe(200)
  const before = await sessions()
  for (const [name, mutation] of Object.entries(ASSERTION)) {
    const { status } = await trySignIn(mutation)
    expect([name, [400, 401].includes(status), status]).toEqual([name, true, status])
  }
  expect(await sessions()).toEqual(before)
  expect((await trySignIn({})).status).toBe(200)
})

describe('nothing is accepted twice', () => {
  test('the same answer with the same note', async () => {
    const { status, request } = await trySignIn({})
    expect(status).toBe(200)
    expect((await post('/passkeys/token/', request)).status).toBe(401)
    expect((await post('/passkeys/sign-in/', request)).status).toBe(401)
  })
  test('the same answer with a new note', async () => {
    const { request } = await trySignIn({})
    const { body } = await post('/passkeys/sign-in-options/')
    expect((await post('/passkeys/token/', { ...request, challenge_id: body.challenge_id })).status).toBe(401)
  })
  test('not even a counterless answer, sent twenty times at once', async () => {
    const device = new SoftAuthenticator(ORIGIN)
    const { body: begun } = await post('/passkeys/registration-options/', {}, as(bob.access))
    await post(
      '/biometric/register/',
      { challenge_id: begun.challenge_id, name: 'Synced', response: device.create(begun.options) },
      as(bob.access),
    )
    const { body } = await post('/passkeys/sign-in-options/')
    const request = {
      challenge_id: body.challenge_id,
      response: device.get(body.options, (parts) => (parts.signCount = 0)),
    }
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/passkeys/token/', request)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
  test('a note after a failed try', async () => {
    const { body } = await post('/passkeys/sign-in-options/')
    const wrong = phone.get(body.options, (parts) => (parts.isVerified = false))
    expect((await post('/passkeys/token/', { challenge_id: body.challenge_id, response: wrong })).status).toBe(401)
    expect(
      (await post('/passkeys/token/', { challenge_id: body.challenge_id, response: phone.get(body.options) })).status,
    ).toBe(401)
  })
  test('a registration', async () => {
    const { body } = await post('/passkeys/registration-options/', {}, as(alice.access))
    const response = new SoftAuthenticator(ORIGIN).create(body.options)
    const request = { challenge_id: body.challenge_id, name: 'Once', response }
    expect((await post('/biometric/register/', request, as(alice.access))).status).toBe(201)
    expect((await post('/biometric/register/', request, as(alice.access))).status).toBe(401)
    // Nor the same key for somebody else.
    const { body: bobsTurn } = await post('/passkeys/registration-options/', {}, as(bob.access))
    const again = phone.create(bobsTurn.options)
    phone.userHandle = (await userHandleOf('agent1')) ?? phone.userHandle
    const taken = await post(
      '/biometric/register/',
      { challenge_id: bobsTurn.challenge_id, name: 'Taken', response: again },
      as(bob.access),
    )
    expect(taken).toMatchObject({ status: 409, body: { code: 'passkey_taken' } })
  })
})
async function userHandleOf(name: string): Promise<string | undefined> {
  const [row] = await server.owner<{ handle: string }>('select handle from users where email = $1', [
    `${name}@keys.example`,
  ])
  return row && Buffer.from(row.handle.replaceAll('-', ''), 'hex').toString('base64url')
}

describe('a fresh proof', () => {
  /** Alice, a while after she signed in. */
  const later = async () => {
    const pair = await signIn('agent1')
    const { sid } = claimsOf(pair.access)
    await server.owner(`update sessions set proven_at = now() - interval '10 minutes' where id = $1`, [sid])
    return (await post('/token/refresh/', { refresh: pair.refresh })).body as { access: string }
  }
  const begin = (access: string, extra: Json = {}) => post('/passkeys/registration-options/', {}, as(access, extra))
  const prove = async (access: string, device: SoftAuthenticator) => {
    const { body } = await post('/biometric/options/', {}, as(access))
    return post(
      '/biometric/verify/',
      { challenge_id: body.challenge_id, response: device.get(body.options) },
      as(access),
    )
  }

  test('is asked for by dangerous acts, and given by a passkey as X-Biometric-Token', async () => {
    const { access } = await later()
    expect(await begin(access)).toMatchObject({ status: 403, body: { code: 'proof_required' } })
    const { status, body } = await prove(access, phone)
    expect([status, body.expires_in]).toEqual([200, 300])
    expect((await begin(access, { 'x-biometric-token': body.biometric_token })).status).toBe(200)
    // It counts for this session and this person only, and is nothing else.
    const other = await later()
    expect((await begin(other.access, { 'x-biometric-token': body.biometric_token })).status).toBe(401)
    expect((await begin(bob.access, { 'x-biometric-token': body.biometric_token })).status).toBe(401)
    for (const wrong of [access, 'x', `${body.biometric_token}x`])
      expect((await begin(access, { 'x-biometric-token': wrong })).status).toBe(401)
    expect((await call('GET', '/session/', {}, as(body.biometric_token as string))).status).toBe(401)
  })

  test('by another person’s passkey is none', async () => {
    const { access } = await later()
    expect((await prove(access, bobs)).status).toBe(401)
    expect(await begin(access)).toMatchObject({ status: 403 })
  })

  test('a sign-in’s note proves nothing here', async () => {
    const { access } = await later()
    const { body } = await post('/passkeys/sign-in-options/')
    const answer = { challenge_id: body.challenge_id, response: phone.get(body.options) }
    expect((await post('/biometric/verify/', answer, as(access))).status).toBe(401)
  })
})
