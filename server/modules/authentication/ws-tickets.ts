import { randomUUID } from 'node:crypto'
import type { Actor } from '../../kernel/access.ts'
import type { Database, Tx } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import { actorOf, type AccessClaims } from './access-token.ts'
import { sign, verify } from './keys.ts'
import { isRevoked } from './revocations.ts'

/** Time from asking for a ticket to opening the socket. */
export const WS_TICKET_SECONDS = 30

/** A ticket that opens one socket as `actor`. */
export async function issueWsTicket(tx: Tx, actor: Actor): Promise<string> {
  const { now } = await tx.one<{ now: number }>('select extract(epoch from now())::bigint as now')
  return sign('ws', {
    sub: actor.principal,
    user_id: actor.userId,
    tenant_id: actor.tenantId,
    role: actor.role,
    scopes: [...actor.scopes],
    sid: actor.sessionId,
    auth_time: actor.provenAt ?? null,
    site_ids: actor.siteIds ?? null,
    queue_ids: actor.queueIds ?? null,
    jti: randomUUID(),
    iat: now,
    exp: now + WS_TICKET_SECONDS,
  })
}

/**
 * The actor of a ticket that was not used before, in any process.
 * @throws AppError unauthorized `token_invalid`, `token_expired` or `session_expired`
 */
export async function redeemWsTicket(db: Database, ticket: string): Promise<Actor> {
  const claims = verify('ws', ticket) as unknown as AccessClaims & { jti: string; sid: string | null }
  if (claims.sid !== null && isRevoked(claims.sid)) throw new AppError('unauthorized', 'session_expired')
  const first = await db.platform((tx) =>
    tx.maybe(
      `with old as (delete from ws_tickets where expires_at < now() - interval '1 minute')
       insert into ws_tickets (id, expires_at) values ($1, to_timestamp($2)) on conflict do nothing returning id`,
      [claims.jti, claims.exp],
    ),
  )
  if (!first) throw new AppError('unauthorized', 'token_invalid')
  return actorOf(claims)
}
