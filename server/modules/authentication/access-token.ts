import { LRUCache } from 'lru-cache'
import { ROLES, type Actor, type Role } from '../../kernel/access.ts'
import { now } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Locale } from '../../kernel/schema.ts'
import { onKeyChange, sign, verify } from './keys.ts'
import { isRevoked } from './revocations.ts'
import { upTo } from '../../kernel/up-to.ts'

/** Who a token speaks for. `sub` is the actor's principal, e.g. `user:12` or `device:3`. */
export interface AccessClaims {
  sub: string
  user_id: number | null
  tenant_id: number | null
  role: Role
  scopes: readonly string[]
  /** Session that can revoke it. */
  sid: string
  /** When the person last proved who they are, in seconds since 1970. */
  auth_time?: number | null
  /** Language the person has set. */
  locale?: Locale | null
  /** The operator who acts as this person. */
  imp?: number | null
  /** Sites and queues it is limited to; all when absent. */
  site_ids?: readonly number[] | null
  queue_ids?: readonly number[] | null
  /** Seconds since 1970. */
  iat: number
  exp: number
}

/** A stolen token works until it expires or its session is revoked, whichever comes first. */
export const ACCESS_SECONDS = 1800
const MAX_ACCESS_SECONDS = 3600
const MAX_VERIFIED = 10_000

interface Verified {
  claims: AccessClaims
  actor: Actor
}
/** Signatures are checked once per token, not once per request. */
const verified = new LRUCache<string, Verified>(upTo(MAX_VERIFIED))
onKeyChange(() => verified.clear())

export function signAccessToken(claims: Omit<AccessClaims, 'exp'>, lifeSeconds = ACCESS_SECONDS): string {
  return sign('access', { ...claims, exp: claims.iat + Math.min(lifeSeconds, MAX_ACCESS_SECONDS) })
}

/** @throws AppError unauthorized `token_invalid`, `token_expired` or `session_expired` */
export function verifyAccessToken(token: string): AccessClaims {
  return lookUp(token).claims
}

/** The actor a bearer token speaks for. @throws as verifyAccessToken */
export function actorOfToken(token: string): Actor {
  return lookUp(token).actor
}

function lookUp(token: string): Verified {
  let entry = verified.get(token)
  if (entry) {
    if (entry.claims.exp * 1000 <= now()) {
      verified.delete(token)
      throw new AppError('unauthorized', 'token_expired')
    }
  } else {
    entry = open(verify('access', token))
    verified.set(token, entry)
  }
  if (isRevoked(entry.claims.sid)) throw new AppError('unauthorized', 'session_expired')
  return entry
}

/** The signature says that this program wrote the claims; the shape says that this version can read them. */
function open(raw: Record<string, unknown>): Verified {
  const claims = raw as unknown as AccessClaims
  const readable =
    typeof claims.sub === 'string' &&
    typeof claims.sid === 'string' &&
    ROLES.includes(claims.role) &&
    isIdOrNull(claims.user_id) &&
    isIdOrNull(claims.tenant_id) &&
    Array.isArray(claims.scopes) &&
    claims.exp - claims.iat <= MAX_ACCESS_SECONDS
  if (!readable) throw new AppError('unauthorized', 'token_invalid')
  return { claims, actor: actorOf(claims) }
}
const isIdOrNull = (value: unknown) => value === null || Number.isSafeInteger(value)

export function actorOf(claims: Omit<AccessClaims, 'iat' | 'exp'>): Actor {
  return {
    role: claims.role,
    principal: claims.sub,
    tenantId: claims.tenant_id,
    userId: claims.user_id,
    scopes: new Set(claims.scopes),
    sessionId: claims.sid,
    ticketId: null,
    ...(claims.auth_time && { provenAt: claims.auth_time }),
    ...(claims.locale && { locale: claims.locale }),
    ...(claims.imp && { impersonatorId: claims.imp }),
    ...(claims.site_ids && { siteIds: claims.site_ids }),
    ...(claims.queue_ids && { queueIds: claims.queue_ids }),
  }
}
