import { now } from './clock.ts'
import { AppError } from './errors.ts'
import type { Locale } from './schema.ts'

/** Who may be on the other side of a request. `system` is this program itself (jobs, listeners, command line). */
export const ROLES = [
  'operator',
  'admin',
  'supervisor',
  'agent',
  'kiosk',
  'display',
  'api_key',
  'visitor',
  'anonymous',
  'system',
] as const
export type Role = (typeof ROLES)[number]

export const SCOPES = [
  'read:tenant',
  'admin:tenant',
  'read:site',
  'write:site',
  'read:queue',
  'write:queue',
  'read:ticket',
  'write:ticket',
  'call:ticket',
  'read:agent',
  'write:agent',
  'read:customer',
  'write:customer',
  'read:display',
  'write:display',
  'read:analytics',
] as const
export type Scope = (typeof SCOPES)[number]

/** Scopes each role receives when it signs in; a token may carry fewer, never more. */
export const ROLE_SCOPES: Record<Role, readonly Scope[]> = {
  operator: SCOPES,
  system: SCOPES,
  admin: SCOPES,
  api_key: SCOPES,
  supervisor: SCOPES.filter((scope) => scope !== 'admin:tenant' && scope !== 'write:site'),
  agent: [
    'read:tenant',
    'read:site',
    'read:queue',
    'read:ticket',
    'write:ticket',
    'call:ticket',
    'read:agent',
    'write:agent',
    'read:customer',
    'write:customer',
    'read:display',
  ],
  kiosk: ['read:site', 'read:queue', 'write:ticket'],
  display: ['read:site', 'read:queue', 'read:display'],
  visitor: [],
  anonymous: [],
}

/** Staff: people of the tenant, its integrations, and the program itself. */
export const STAFF = ['admin', 'supervisor', 'agent', 'api_key', 'system'] as const satisfies readonly Role[]
export const MANAGERS = ['admin', 'supervisor', 'api_key', 'system'] as const satisfies readonly Role[]
export const ADMINS = ['admin', 'api_key', 'system'] as const satisfies readonly Role[]

/** The authenticated caller of an operation. `tenantId` is the credential's own; no header can change it. */
export interface Actor {
  role: Role
  /** Stable name of the principal inside its role, e.g. `user:12`, `device:3`, `visitor:99`, `system`. */
  principal: string
  tenantId: number | null
  userId: number | null
  scopes: ReadonlySet<string>
  sessionId: string | null
  /** Ticket the visitor's token opens; null for everybody else. */
  ticketId: number | null
  /** Sites and queues the actor is limited to; all when absent. */
  siteIds?: readonly number[]
  queueIds?: readonly number[]
  /** Seconds since 1970 at which the person last proved who they are (password, passkey, code). */
  provenAt?: number | null
  /** Language the person has set; absent where they leave it to the browser. */
  locale?: Locale
  /** The operator who acts as this person. */
  impersonatorId?: number | null
}

/** A proof this old no longer counts for operations that ask for a fresh one. */
export const PROOF_SECONDS = 300

/** @throws AppError forbidden `proof_required` when a person has not proved within the last minutes who they are */
export function checkProof({ userId, provenAt }: Actor): void {
  if (userId !== null && now() / 1000 - (provenAt ?? 0) >= PROOF_SECONDS)
    throw new AppError('forbidden', 'proof_required')
}

/** The program itself acting inside one tenant. */
export function systemActor(tenantId: number): Actor {
  return {
    role: 'system',
    principal: 'system',
    tenantId,
    userId: null,
    scopes: new Set(SCOPES),
    sessionId: null,
    ticketId: null,
  }
}
