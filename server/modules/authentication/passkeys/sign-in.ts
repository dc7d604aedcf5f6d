import Type, { type Static } from 'typebox'
import { ROLES } from '../../../kernel/access.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed, Slug } from '../../../kernel/schema.ts'
import { chooseStanding } from '../accounts.ts'
import { startConsole } from '../console.ts'
import { PEOPLE } from '../own-sessions.ts'
import { recordProof } from '../proofs.ts'
import { ConsoleSession, Proof, Tokens } from '../schema.ts'
import { startTokens, type SignIn } from '../sessions.ts'
import { CHALLENGE_SECONDS, newChallenge, redeemChallenge, type Purpose } from './challenges.ts'
import { useCredential } from './credentials.ts'
import { AssertionResponse, ChallengeId, Options } from './schema.ts'
import { relyingParty, webAuthn } from './verify.ts'

const answer = { challenge_id: ChallengeId, response: AssertionResponse }
const example = {
  challenge_id: 'eyJhbGciOiJIUzI1NiJ9.e30.signature',
  response: {
    id: 'AAAA',
    rawId: 'AAAA',
    type: 'public-key',
    clientExtensionResults: {},
    response: { clientDataJSON: 'e30', authenticatorData: 'AAAA', signature: 'AAAA' },
  },
}

/** Options name nobody's passkeys: who is asking is not known, and nothing can be learnt from them. */
async function optionsFor(purpose: Purpose, { tx, actor, url }: Context, allowed: { id: string }[] = []) {
  const { challenge, challenge_id } = await newChallenge(tx, purpose, actor)
  const { generateAuthenticationOptions } = await webAuthn()
  const options = await generateAuthenticationOptions({
    rpID: relyingParty(url).id,
    challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
    timeout: CHALLENGE_SECONDS * 1000,
    userVerification: 'required',
    allowCredentials: allowed,
  })
  return { challenge_id, options }
}

export const signInOptions = operation({
  id: 'passkeys.signInOptions',
  kind: 'mutation',
  summary: 'Begin to sign in with a passkey',
  description: 'Options for `navigator.credentials.get`, the same for everybody, good for five minutes and one answer.',
  unaudited: 'changes nothing: the sign-in that may follow is recorded',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/passkeys/sign-in-options/', base: 'root' },
  transaction: false,
  input: Closed({}),
  output: Options,
  example: { input: {} },
  run: (ctx) => optionsFor('sign_in', ctx),
})

const SignInInput = Closed({ ...answer, tenant: Type.Optional(Slug) })

async function recognise(
  ctx: Context,
  { challenge_id, response, tenant }: Static<typeof SignInInput>,
): Promise<SignIn> {
  const { tx, actor, url, origin } = ctx
  const challenge = await redeemChallenge(tx, 'sign_in', actor, challenge_id)
  const account = await useCredential(tx, response, challenge, relyingParty(url))
  return { account, standing: await chooseStanding(tx, account, tenant), method: 'passkey', origin }
}

export const signIn = operation({
  id: 'passkeys.signIn',
  kind: 'mutation',
  summary: 'Sign in to the console with a passkey',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/passkeys/sign-in/', base: 'root', cookie: 'session' },
  transaction: false,
  input: SignInInput,
  output: ConsoleSession,
  example: { input: example },
  run: async (ctx, input) => startConsole(ctx.tx, await recognise(ctx, input)),
})

export const token = operation({
  id: 'passkeys.token',
  kind: 'mutation',
  summary: 'Sign in with a passkey',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/passkeys/token/', base: 'root' },
  transaction: false,
  input: SignInInput,
  output: Tokens,
  example: { input: example },
  run: async (ctx, input) => startTokens(ctx.tx, await recognise(ctx, input)),
})

const own = { scope: null, roles: PEOPLE, transaction: false } as const
const credentialsOf = (tx: Tx, userId: number | null) =>
  tx.query<{ id: string }>('select credential_id as id from passkeys where user_id = $1', [userId])

export const proofOptions = operation({
  ...own,
  id: 'passkeys.proofOptions',
  kind: 'mutation',
  summary: 'Begin to prove with a passkey that it is me',
  unaudited: 'changes nothing: the proof that may follow is recorded',
  http: { method: 'POST', path: '/auth/biometric/options/', base: 'root' },
  input: Closed({}),
  output: Options,
  example: { input: {} },
  run: async (ctx) => optionsFor('prove', ctx, await credentialsOf(ctx.tx, ctx.actor.userId)),
})

export const prove = operation({
  ...own,
  id: 'passkeys.prove',
  kind: 'mutation',
  summary: 'Prove with a passkey that it is me',
  description: 'The token goes into `X-Biometric-Token` of what asks for a fresh proof; a console session needs none.',
  http: { method: 'POST', path: '/auth/biometric/verify/', base: 'root' },
  input: Closed(answer),
  output: Proof,
  example: { input: example },
  async run({ tx, actor, url }, { challenge_id, response }) {
    const challenge = await redeemChallenge(tx, 'prove', actor, challenge_id)
    await useCredential(tx, response, challenge, relyingParty(url), actor.userId)
    return recordProof(tx, actor)
  },
})
