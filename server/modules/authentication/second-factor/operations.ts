import { Secret } from 'otpauth'
import Type from 'typebox'
import type { Tx } from '../../../kernel/db/types.ts'
import { AppError, conflict, invalid, notFound } from '../../../kernel/errors.ts'
import { hashToken, randomBase62 } from '../../../kernel/ids.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Text } from '../../../kernel/schema.ts'
import { refused } from '../accounts.ts'
import { checkAttempts, recordFailure } from '../attempts.ts'
import { noticeOf } from '../email/jobs.ts'
import { seal } from '../keys.ts'
import { PEOPLE } from '../own-sessions.ts'
import { passwordMatches, withPasswordSlot } from '../passwords.ts'
import { recordProof } from '../proofs.ts'
import { Proof } from '../schema.ts'
import { checkSecondFactor, Code, foldRecoveryCode, generatorOf, readGenerator, useAppCode } from './check.ts'

const RECOVERY_CODES = 10
/** 12 signs, about 60 random bits. */
const RECOVERY_LENGTH = 12
const own = { scope: null, roles: PEOPLE, transaction: false } as const
const RecoveryCodes = Closed({
  recovery_codes: Type.Array(Type.String(), { description: 'Shown once; each opens one sign-in without the app' }),
})

/** Replaces all codes there were. */
async function newRecoveryCodes(tx: Tx, userId: number): Promise<{ recovery_codes: string[] }> {
  const codes = Array.from({ length: RECOVERY_CODES }, () => randomBase62(RECOVERY_LENGTH).toUpperCase())
  await tx.query(
    `with old as (delete from recovery_codes where user_id = $1 and code_hash <> all ($2))
     insert into recovery_codes (user_id, code_hash) select $1, unnest($2::bytea[])`,
    [userId, codes.map((code) => hashToken(foldRecoveryCode(code)))],
  )
  return { recovery_codes: codes.map((code) => code.replace(/(.{4})(?=.)/g, '$1-')) }
}

const factors = operation({
  ...own,
  id: 'auth.factors',
  kind: 'query',
  summary: 'How can I prove who I am?',
  http: { method: 'GET', path: '/auth/factors/', base: 'root' },
  input: Closed({}),
  output: Closed({
    has_password: Type.Boolean(),
    has_app: Type.Boolean(),
    passkeys: Type.Integer(),
    recovery_codes: Type.Integer({ description: 'Left' }),
  }),
  example: { input: {} },
  run: ({ tx, actor }) =>
    tx.one(
      `select password_hash is not null as has_password,
         exists (select from code_generators where user_id = u.id and confirmed_at is not null) as has_app,
         (select count(*) from passkeys where user_id = u.id) as passkeys,
         (select count(*) from recovery_codes where user_id = u.id) as recovery_codes
       from users u where id = $1`,
      [actor.userId],
    ),
})

const beginApp = operation({
  ...own,
  id: 'auth.beginApp',
  kind: 'mutation',
  summary: 'Begin to set up an authenticator app',
  description: 'The address is for a QR code. Nothing changes until a first code has been confirmed.',
  needsProof: true,
  http: { method: 'POST', path: '/auth/app/', base: 'root', status: 201 },
  input: Closed({}),
  output: Closed({ secret: Type.String(), uri: Type.String() }),
  example: { input: {} },
  async run({ tx, actor }) {
    const { email } = await tx.one<{ email: string }>('select email from users where id = $1', [actor.userId])
    const secret = new Secret({ size: 20 }).base32
    const stored = await tx.maybe(
      `insert into code_generators (user_id, secret) values ($1, $2)
       on conflict (user_id) do update set secret = excluded.secret where code_generators.confirmed_at is null
       returning user_id`,
      [actor.userId, seal('totp', secret)],
    )
    if (!stored) throw conflict('app_exists')
    return { secret, uri: generatorOf(secret, email).toString() }
  },
})

const confirmApp = operation({
  ...own,
  id: 'auth.confirmApp',
  kind: 'mutation',
  summary: 'Confirm the authenticator app with its first code',
  description: 'From now on a password alone no longer signs in.',
  needsProof: true,
  http: { method: 'POST', path: '/auth/app/confirm/', base: 'root' },
  input: Closed({ code: Code }),
  output: RecoveryCodes,
  example: { input: { code: '123456' } },
  async run(ctx, { code }) {
    const { tx, actor } = ctx
    const generator = await readGenerator(tx, actor.userId!)
    if (!generator) throw notFound()
    if (generator.is_confirmed) throw conflict('app_exists')
    if (!(await useAppCode(tx, actor.userId!, generator, code))) throw invalid('/code', 'code_wrong')
    await tx.query('update code_generators set confirmed_at = now() where user_id = $1', [actor.userId])
    await noticeOf(ctx, 'app_added')
    return newRecoveryCodes(tx, actor.userId!)
  },
})

const removeApp = operation({
  ...own,
  id: 'auth.removeApp',
  kind: 'mutation',
  summary: 'Give up the authenticator app',
  needsProof: true,
  http: { method: 'DELETE', path: '/auth/app/', base: 'root', status: 204 },
  input: Closed({}),
  output: Type.Null(),
  example: { input: {} },
  async run({ tx, actor }) {
    await tx.query('delete from recovery_codes where user_id = $1', [actor.userId])
    await tx.one('delete from code_generators where user_id = $1 returning user_id', [actor.userId])
    return null
  },
})

const renewRecoveryCodes = operation({
  ...own,
  id: 'auth.renewRecoveryCodes',
  kind: 'mutation',
  summary: 'Get new recovery codes',
  description: 'The old ones no longer count.',
  needsProof: true,
  http: { method: 'POST', path: '/auth/recovery-codes/', base: 'root' },
  input: Closed({}),
  output: RecoveryCodes,
  example: { input: {} },
  async run({ tx, actor }) {
    if (!(await readGenerator(tx, actor.userId!))?.is_confirmed) throw notFound()
    return newRecoveryCodes(tx, actor.userId!)
  },
})

const proof = operation({
  ...own,
  id: 'auth.prove',
  kind: 'mutation',
  summary: 'Prove with a code or the password that it is me',
  description: 'Who has an authenticator app gives its `code`, others their `password`.',
  http: { method: 'POST', path: '/auth/proof/', base: 'root' },
  input: Closed({ code: Type.Optional(Code), password: Type.Optional(Text(200)) }),
  output: Proof,
  example: { input: { code: '123456' } },
  async run({ tx, actor }, { code, password }) {
    const userId = actor.userId!
    const guessed = `proof:${userId}`
    await checkAttempts(guessed)
    if ((await readGenerator(tx, userId))?.is_confirmed) {
      if (code === undefined) throw invalid('/code', 'required')
      await checkSecondFactor(tx, userId, code).catch(notSignedOut)
      return recordProof(tx, actor)
    }
    const { password_hash: stored } = await tx.one<{ password_hash: string | null }>(
      'select password_hash from users where id = $1',
      [userId],
    )
    if (password === undefined) throw invalid('/password', 'required')
    if (!(await withPasswordSlot(() => passwordMatches(stored, password)))) {
      await recordFailure(guessed)
      return notSignedOut(refused())
    }
    return recordProof(tx, actor)
  },
})

/** A wrong answer here is no reason for a client to believe that its session has ended. */
function notSignedOut(error: unknown): never {
  if (error instanceof AppError && error.kind === 'unauthorized') throw new AppError('forbidden', error.code)
  throw error
}

export const secondFactorOperations = [factors, beginApp, confirmApp, removeApp, renewRecoveryCodes, proof]
