import Type from 'typebox'
import { Secret, TOTP } from 'otpauth'
import { now } from '../../../kernel/clock.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import { AppError } from '../../../kernel/errors.ts'
import { hashToken } from '../../../kernel/ids.ts'
import { refused } from '../accounts.ts'
import { unseal } from '../keys.ts'

/** Six digits of an authenticator app, or a recovery code. */
export const Code = Type.String({ pattern: '^[0-9A-Za-z -]{6,24}$', maxLength: 24 })

const PERIOD_SECONDS = 30
/** Clocks of phones may be one code ahead or behind. */
const WINDOW = 1
const MAX_FAILURES = 5
const LOCK_MINUTES = 15

/** RFC 6238 with SHA-1, six digits and 30 seconds: the only parameters every app understands. */
export const generatorOf = (secret: string, label = ''): TOTP =>
  new TOTP({ issuer: 'SmartQueue', label, secret: Secret.fromBase32(secret), period: PERIOD_SECONDS })

export interface Generator {
  secret: Buffer
  last_step: number
  is_confirmed: boolean
  is_locked: boolean
}
export const readGenerator = (tx: Tx, userId: number): Promise<Generator | undefined> =>
  tx.maybe<Generator>(
    `select secret, last_step, confirmed_at is not null as is_confirmed, coalesce(locked_until > now(), false) as is_locked
     from code_generators where user_id = $1`,
    [userId],
  )

/** Uses up a code of the app: of two that present it at once, one succeeds. */
export async function useAppCode(tx: Tx, userId: number, { secret }: Generator, code: string): Promise<boolean> {
  const timestamp = now()
  const delta = generatorOf(unseal('totp', secret)).validate({ token: code, timestamp, window: WINDOW })
  if (delta === null) return false
  const step = Math.floor(timestamp / 1000 / PERIOD_SECONDS) + delta
  const used = await tx.maybe(
    'update code_generators set last_step = $2, failures = 0, locked_until = null where user_id = $1 and last_step < $2 returning user_id',
    [userId, step],
  )
  return used !== undefined
}

async function useRecoveryCode(tx: Tx, userId: number, code: string): Promise<boolean> {
  const used = await tx.maybe('delete from recovery_codes where user_id = $1 and code_hash = $2 returning user_id', [
    userId,
    hashToken(foldRecoveryCode(code)),
  ])
  return used !== undefined
}
export const foldRecoveryCode = (code: string) => code.replace(/[ -]/g, '').toUpperCase()

/**
 * Asks whoever has set up an authenticator app for its code, or for a recovery code. Five wrong ones close this way for
 * a quarter of an hour, in every process: a million codes are quickly tried.
 * @throws AppError unauthorized `code_required` or `invalid_credentials`, limit_exceeded `rate_limited`
 */
export async function checkSecondFactor(tx: Tx, userId: number, code: string | undefined): Promise<void> {
  const generator = await readGenerator(tx, userId)
  if (!generator?.is_confirmed) return
  if (code === undefined) throw new AppError('unauthorized', 'code_required')
  if (generator.is_locked)
    throw new AppError('limit_exceeded', 'rate_limited', { retryAfterSeconds: LOCK_MINUTES * 60 })
  const isRight = /^\d{6}$/.test(code)
    ? await useAppCode(tx, userId, generator, code)
    : await useRecoveryCode(tx, userId, code)
  if (isRight) return
  await tx.query(
    `update code_generators set
       failures = case when failures + 1 >= ${MAX_FAILURES} then 0 else failures + 1 end,
       locked_until = case when failures + 1 >= ${MAX_FAILURES} then now() + interval '${LOCK_MINUTES} minutes' else locked_until end
     where user_id = $1`,
    [userId],
  )
  throw refused()
}
