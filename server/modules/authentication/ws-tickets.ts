import type { Actor } from '../../kernel/access.ts'
import type { Database, Tx } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import { actorOf, type AccessClaims } from './access-token.ts'
import { issueOnce, redeemOnce } from './one-time.ts'
import { isRevoked } from './revocations.ts'

/** Time from asking for a ticket to opening the socket. */
export const WS_TICKET_SECONDS = 30

/** A ticket that opens one socket as `actor`. */
export function issueWsTicket(tx: Tx, actor: Actor): Promise<string> {
  const claims = {
    sub: actor.principal,
    user_id: actor.userId,
    tenant_id: actor.tenantId,
    role: actor.role,
    scopes: [...actor.scopes],
    sid: actor.sessionId,
    auth_time: actor.provenAt ?? null,
    imp: actor.impersonatorId ?? null,
    site_ids: actor.siteIds ?? null,
    queue_ids: actor.queueIds ?? null,
  }
  return issueOnce(tx, 'ws', claims, WS_TICKET_SECONDS)
}

/**
 * The actor of a ticket that was not used before, in any process.
 * @throws AppError unauthorized `token_invalid`, `token_expired` or `session_expired`
 */
export async function redeemWsTicket(db: Database, ticket: string): Promise<Actor> {
  const claims = await db.platform((tx) => redeemOnce<AccessClaims>(tx, 'ws', ticket))
  if (isRevoked(claims.sid)) throw new AppError('unauthorized', 'session_expired')
  return actorOf(claims)
}
