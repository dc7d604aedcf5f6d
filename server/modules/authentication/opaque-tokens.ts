import type { Actor } from '../../kernel/access.ts'
import { randomBase62 } from '../../kernel/ids.ts'

/** What an opaque token opens. */
export interface Credential {
  actor: Actor
  /** Milliseconds since 1970, or null. */
  expiresAt: number | null
  isLocked?: boolean
}

/** Programs' keys and devices' tokens: purpose, tenant in base 36, 190 random bits. The tenant is no secret. */
export const OPAQUE = /^(sk_live|sk_test|sd)_([1-9a-z][0-9a-z]{0,10})_[0-9A-Za-z]{32}$/
type Purpose = 'sk_live' | 'sk_test' | 'sd'
export const newCredential = (purpose: Purpose, tenantId: number): string =>
  `${purpose}_${tenantId.toString(36)}_${randomBase62(32)}`
