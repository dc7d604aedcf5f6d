import type { Actor } from '../../kernel/access.ts'
import { Cache } from '../../kernel/cache/cache.ts'
import { now } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import { hashToken } from '../../kernel/ids.ts'
import { actorOfToken, verifyAccessToken } from './access-token.ts'
import { apiKeyOf } from './api-keys.ts'
import { deviceOf } from './devices.ts'
import { KnownCredentials } from './known.ts'
import { OPAQUE } from './opaque-tokens.ts'
import { isRevoked } from './revocations.ts'

/** Who is behind a bearer token: a person's signed token, or an opaque one looked up in the database. */
export interface Bearers {
  /** @throws AppError unauthorized; forbidden `device_locked` */
  actorOf(token: string): Actor | Promise<Actor>
  /** Seconds since 1970 at which a signed token ends; an opaque one is asked again each time, so Infinity. */
  expiryOf(token: string): number
}

export function bearers(db: Database, cache = new Cache()): Bearers {
  const known = new KnownCredentials('opaque-token', cache)
  async function lookUp(token: string): Promise<Actor> {
    const [, purpose, tenant] = OPAQUE.exec(token)!
    const tenantId = Number.parseInt(tenant!, 36)
    if (!Number.isSafeInteger(tenantId)) throw new AppError('unauthorized', 'token_invalid')
    const hash = hashToken(token)
    const credential = await known.get(hash, tenantId, () =>
      (purpose === 'sd' ? deviceOf : apiKeyOf)(db, tenantId, hash),
    )
    if (!credential) throw new AppError('unauthorized', 'token_invalid')
    const { actor, expiresAt, isLocked } = credential
    if (isRevoked(actor.sessionId!)) throw new AppError('unauthorized', 'session_revoked')
    if (expiresAt !== null && expiresAt <= now()) throw new AppError('unauthorized', 'token_expired')
    if (isLocked) throw new AppError('forbidden', 'device_locked')
    return actor
  }
  return {
    actorOf: (token) => (OPAQUE.test(token) ? lookUp(token) : actorOfToken(token)),
    expiryOf: (token) => (OPAQUE.test(token) ? Infinity : verifyAccessToken(token).exp),
  }
}
