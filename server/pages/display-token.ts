import { createHmac, timingSafeEqual } from 'node:crypto'
import { ROLE_SCOPES } from '../kernel/access.ts'
import { now } from '../kernel/clock.ts'
import { signAccessToken } from '../modules/authentication/index.ts'

interface Keys {
  secretKey: string
  secretKeyFallbacks: readonly string[]
}
interface TenantRef {
  id: number
  slug: string
}

/** 128 bits that only this installation can compute, for one display of one tenant. They live as long as SECRET_KEY. */
function signature(secretKey: string, tenantId: number, displayId: number): Buffer {
  return createHmac('sha256', secretKey).update(`display-link:${tenantId}:${displayId}`).digest().subarray(0, 16)
}

/** Address that opens a display's screen: what is typed once into the television. */
export function displayLink({ secretKey }: Keys, tenant: TenantRef, displayId: number): string {
  return `/display/${tenant.slug}/${displayId}?token=${signature(secretKey, tenant.id, displayId).toString('base64url')}`
}

export function isDisplayToken(keys: Keys, tenantId: number, displayId: number, token: string): boolean {
  const given = Buffer.from(token, 'base64url')
  if (given.length !== 16) return false
  return [keys.secretKey, ...keys.secretKeyFallbacks].some((key) =>
    timingSafeEqual(signature(key, tenantId, displayId), given),
  )
}

const ACCESS_SECONDS = 3600

/** What the screen reads with: a display's access token, renewed by the page before it ends. */
export function displayAccess(
  tenantId: number,
  displayId: number,
  siteId: number,
): { access: string; expires_in: number } {
  const principal = `display:${displayId}`
  const access = signAccessToken(
    {
      sub: principal,
      user_id: null,
      tenant_id: tenantId,
      role: 'display',
      scopes: ROLE_SCOPES.display,
      site_ids: [siteId],
      sid: principal,
      iat: Math.floor(now() / 1000),
    },
    ACCESS_SECONDS,
  )
  return { access, expires_in: ACCESS_SECONDS }
}
