import { randomBytes } from 'node:crypto'
import type { Actor } from '../../../kernel/access.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import { AppError } from '../../../kernel/errors.ts'
import { issueOnce, redeemOnce } from '../one-time.ts'

/** Time for somebody to find their device and look at it. */
export const CHALLENGE_SECONDS = 300

export type Purpose = 'register' | 'sign_in' | 'prove'
interface Challenge {
  challenge: string
  purpose: Purpose
  sid: string | null
  user_id: number | null
}

/**
 * 256 random bits for an authenticator to sign, and the signed note that says what they are for: one act, by whoever is
 * signed in now (nobody, to sign in), within five minutes. Who has the note but not the session can do nothing with it.
 */
export async function newChallenge(
  tx: Tx,
  purpose: Purpose,
  actor: Actor,
): Promise<{ challenge: string; challenge_id: string }> {
  const challenge = randomBytes(32).toString('base64url')
  const claims: Challenge = { challenge, purpose, ...holderOf(purpose, actor) }
  return { challenge, challenge_id: await issueOnce(tx, 'challenge', { ...claims }, CHALLENGE_SECONDS) }
}

/**
 * The challenge of a note, which works once: a replayed answer finds it used.
 * @throws AppError unauthorized `token_invalid` or `token_expired`
 */
export async function redeemChallenge(tx: Tx, purpose: Purpose, actor: Actor, note: string): Promise<string> {
  const claims = await redeemOnce<Challenge>(tx, 'challenge', note)
  const holder = holderOf(purpose, actor)
  if (claims.purpose !== purpose || claims.sid !== holder.sid || claims.user_id !== holder.user_id)
    throw new AppError('unauthorized', 'token_invalid')
  return claims.challenge
}

const holderOf = (purpose: Purpose, { sessionId, userId }: Actor) =>
  purpose === 'sign_in' ? { sid: null, user_id: null } : { sid: sessionId, user_id: userId }
