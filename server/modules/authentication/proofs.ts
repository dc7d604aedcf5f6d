import type { Actor } from '../../kernel/access.ts'
import { PROOF_SECONDS } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import { sign, verify } from './keys.ts'
import { rowOf } from './revocations.ts'

/**
 * Notes that the person of this session has just proved who they are. The console's session knows from now on; whoever
 * carries tokens shows the answer as `X-Biometric-Token` for the next minutes.
 */
export async function recordProof(tx: Tx, actor: Actor): Promise<{ biometric_token: string; expires_in: number }> {
  // Whoever acts as somebody else proves nothing in their name, whatever they know.
  if (actor.impersonatorId) throw new AppError('forbidden', 'forbidden')
  const row = await tx.maybe<{ now: number }>(
    `update sessions set proven_at = now() where id = $1 and user_id = $2 and revoked_at is null
     returning extract(epoch from now())::bigint as now`,
    [rowOf(actor.sessionId), actor.userId],
  )
  if (!row) throw new AppError('unauthorized', 'session_expired')
  const claims = { sid: actor.sessionId, user_id: actor.userId, iat: row.now, exp: row.now + PROOF_SECONDS }
  return { biometric_token: sign('proof', claims), expires_in: PROOF_SECONDS }
}

/**
 * The actor with what an `X-Biometric-Token` shows, which counts for its own session only.
 * @throws AppError unauthorized `token_invalid` or `token_expired`
 */
export function provenActor(actor: Actor, token: string): Actor {
  const { sid, user_id, iat } = verify('proof', token) as { sid: string; user_id: number; iat: number }
  if (sid !== actor.sessionId || user_id !== actor.userId) throw new AppError('unauthorized', 'token_invalid')
  return { ...actor, provenAt: iat }
}
