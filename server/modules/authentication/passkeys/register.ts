import Type from 'typebox'
import { conflict } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Id, Name } from '../../../kernel/schema.ts'
import { noticeOf } from '../email/jobs.ts'
import { PEOPLE } from '../own-sessions.ts'
import { CHALLENGE_SECONDS, newChallenge, redeemChallenge } from './challenges.ts'
import { ChallengeId, Options, Passkey, PASSKEY_COLUMNS, RegistrationResponse } from './schema.ts'
import { ALGORITHMS, handleBytes, relyingParty, verifyRegistration, webAuthn } from './verify.ts'

const MAX_PASSKEYS = 20
const own = { scope: null, roles: PEOPLE } as const

export const registrationOptions = operation({
  ...own,
  id: 'passkeys.registrationOptions',
  kind: 'mutation',
  summary: 'Begin to add a passkey',
  description: 'Options for `navigator.credentials.create`, good for five minutes and one passkey.',
  unaudited: 'changes nothing: the passkey that may follow is recorded',
  needsProof: true,
  http: { method: 'POST', path: '/auth/passkeys/registration-options/', base: 'root' },
  transaction: false,
  input: Closed({}),
  output: Options,
  example: { input: {} },
  async run({ tx, actor, url }) {
    const person = await tx.one<{ email: string; name: string; handle: string }>(
      'select email, name, handle from users where id = $1',
      [actor.userId],
    )
    const known = await tx.query<{ credential_id: string; transports: string[] }>(
      'select credential_id, transports from passkeys where user_id = $1',
      [actor.userId],
    )
    const { challenge, challenge_id } = await newChallenge(tx, 'register', actor)
    const { generateRegistrationOptions } = await webAuthn()
    const options = await generateRegistrationOptions({
      rpName: 'SmartQueue',
      rpID: relyingParty(url).id,
      userName: person.email,
      userDisplayName: person.name,
      userID: handleBytes(person.handle),
      challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
      timeout: CHALLENGE_SECONDS * 1000,
      attestationType: 'none',
      excludeCredentials: known.map(({ credential_id: id, transports }) => ({ id, transports })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      supportedAlgorithmIDs: ALGORITHMS,
    })
    return { challenge_id, options }
  },
})

export const register = operation({
  ...own,
  id: 'passkeys.register',
  kind: 'mutation',
  summary: 'Add a passkey',
  description:
    'Stores a public key that the device made after it had recognised its owner. How it did so never leaves the device.',
  needsProof: true,
  http: {
    method: 'POST',
    path: '/auth/biometric/register/',
    base: 'root',
    status: 201,
    aliases: [{ path: '/api/v1/auth/passkeys/' }],
  },
  transaction: false,
  input: Closed({ challenge_id: ChallengeId, name: Name, response: RegistrationResponse }),
  output: Passkey,
  example: {
    input: {
      challenge_id: 'eyJhbGciOiJIUzI1NiJ9.e30.signature',
      name: 'Phone',
      response: {
        id: 'AAAA',
        rawId: 'AAAA',
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON: 'e30', attestationObject: 'oA' },
      },
    },
  },
  constraints: { passkeys_credential_id_key: () => conflict('passkey_taken') },
  async run(ctx, { challenge_id, name, response }) {
    const { tx, actor, url } = ctx
    const challenge = await redeemChallenge(tx, 'register', actor, challenge_id)
    const key = await verifyRegistration(response, challenge, relyingParty(url))
    const stored = await tx.maybe<Passkey>(
      `insert into passkeys (user_id, name, credential_id, public_key, sign_count, transports, is_backup_eligible, is_backed_up)
       select $1, $2, $3, $4, $5, $6, $7, $8 where (select count(*) from passkeys where user_id = $1) < ${MAX_PASSKEYS}
       returning ${PASSKEY_COLUMNS}`,
      [
        actor.userId,
        name,
        key.credential_id,
        Buffer.from(key.public_key),
        key.sign_count,
        key.transports,
        key.is_backup_eligible,
        key.is_backed_up,
      ],
    )
    if (!stored) throw conflict('too_many_passkeys')
    await noticeOf(ctx, 'passkey_added', name)
    return stored
  },
})

export const list = operation({
  ...own,
  id: 'passkeys.list',
  kind: 'query',
  summary: 'List my passkeys',
  http: { method: 'GET', path: '/auth/passkeys/', base: 'root' },
  input: Closed({}),
  output: Closed({ results: Type.Array(Passkey) }),
  example: { input: {} },
  run: async ({ tx, actor }) => ({
    results: await tx.query<Passkey>(`select ${PASSKEY_COLUMNS} from passkeys where user_id = $1 order by id`, [
      actor.userId,
    ]),
  }),
})

export const rename = operation({
  ...own,
  id: 'passkeys.update',
  kind: 'mutation',
  summary: 'Rename a passkey',
  http: { method: 'PATCH', path: '/auth/passkeys/{id}/', base: 'root' },
  input: Closed({ id: Id, name: Name }),
  output: Passkey,
  example: { input: { id: 1, name: 'Phone' } },
  run: ({ tx, actor }, { id, name }) =>
    tx.one<Passkey>(`update passkeys set name = $3 where id = $1 and user_id = $2 returning ${PASSKEY_COLUMNS}`, [
      id,
      actor.userId,
      name,
    ]),
})

export const remove = operation({
  ...own,
  id: 'passkeys.delete',
  kind: 'mutation',
  summary: 'Remove a passkey',
  needsProof: true,
  http: { method: 'DELETE', path: '/auth/passkeys/{id}/', base: 'root', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  async run({ tx, actor }, { id }) {
    await tx.one('delete from passkeys where id = $1 and user_id = $2 returning id', [id, actor.userId])
    return null
  },
})
