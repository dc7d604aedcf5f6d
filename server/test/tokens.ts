import type { Actor } from '../kernel/access.ts'
import { now } from '../kernel/clock.ts'
import { signAccessToken } from '../modules/authentication/index.ts'
import { file } from './file.ts'

/** A bearer token for an actor of a fixture, signed with the keys of this process `ageSeconds` ago. */
export function tokenOf(actor: Actor, lifeSeconds = 600, ageSeconds = 0): string {
  return signAccessToken(
    {
      sub: actor.principal,
      user_id: actor.userId,
      tenant_id: actor.tenantId,
      role: actor.role,
      scopes: [...actor.scopes],
      sid: actor.sessionId ?? `test:${file.mark}:${actor.principal}`,
      ...(actor.userId !== null && { auth_time: actor.provenAt ?? Math.floor(now() / 1000) }),
      ...(actor.siteIds && { site_ids: actor.siteIds }),
      ...(actor.queueIds && { queue_ids: actor.queueIds }),
      iat: Math.floor(now() / 1000) - ageSeconds,
    },
    lifeSeconds,
  )
}
