import { LRUCache } from 'lru-cache'
import type { Actor } from '../../kernel/access.ts'
import { now } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import { hashToken } from '../../kernel/ids.ts'
import { actorOfToken, verifyAccessToken } from './access-token.ts'
import { apiKeyOf } from './api-keys.ts'
import { deviceOf } from './devices.ts'
import { OPAQUE, type Credential } from './opaque-tokens.ts'
import { isRevoked } from './revocations.ts'

/** A revoked credential is refused at once where the notice arrives, and after this time everywhere. */
const STALE_MILLISECONDS = 5000
const NONE = Symbol('opens nothing')

/** Who is behind a bearer token: a person's signed token, or an opaque one looked up in the database. */
export interface Bearers {
  /** @throws AppError unauthorized; forbidden `device_locked` */
  actorOf(token: string): Actor | Promise<Actor>
  /** Seconds since 1970 at which a signed token ends; an opaque one is asked again each time, so Infinity. */
  expiryOf(token: string): number
}

export function bearers(db: Database): Bearers {
  const known = new LRUCache<string, Credential | typeof NONE>({
    max: 10_000,
    ttl: STALE_MILLISECONDS,
    fetchMethod: async (token) => {
      const [, purpose, tenant] = OPAQUE.exec(token)!
      const tenantId = Number.parseInt(tenant!, 36)
      if (!Number.isSafeInteger(tenantId)) return NONE
      const credential = await (purpose === 'sd' ? deviceOf : apiKeyOf)(db, tenantId, hashToken(token))
      // Nobody waits for the note, and nobody is refused for want of it.
      credential?.touch().catch(() => {})
      return credential ?? NONE
    },
  })
  async function lookUp(token: string): Promise<Actor> {
    const credential = await known.fetch(token)
    if (!credential || credential === NONE) throw new AppError('unauthorized', 'token_invalid')
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
