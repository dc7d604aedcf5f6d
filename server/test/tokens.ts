import type { Actor } from '../kernel/access.ts'
import { now } from '../kernel/clock.ts'
import { signAccessToken } from '../modules/authentication/index.ts'

/** A bearer token for an actor of a fixture, signed with the keys of this process. */
export function tokenOf(actor: Actor, lifeSeconds = 600): string {
  return signAccessToken(
    {
      sub: actor.principal,
      user_id: actor.userId,
      tenant_id: actor.tenantId,
      role: actor.role,
      scopes: [...actor.scopes],
      sid: actor.sessionId ?? `test:${actor.principal}`,
      ...(actor.userId !== null && { auth_time: actor.provenAt ?? Math.floor(now() / 1000) }),
      ...(actor.siteIds && { site_ids: actor.siteIds }),
      ...(actor.queueIds && { queue_ids: actor.queueIds }),
      iat: Math.floor(now() / 1000),
    },
    lifeSeconds,
  )
}
