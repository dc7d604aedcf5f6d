import { ROLE_SCOPES, type Role } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import type { Account, Place } from './schema.ts'

/** A person as sign-in needs them. `now` is the database's time in seconds since 1970. */
export interface AccountRow extends Account {
  is_operator: boolean
  now: number
}
export const ACCOUNT_COLUMNS =
  'u.id, u.email, u.name, u.locale, u.is_operator, extract(epoch from now())::bigint as now'

/** The tenants this person may sign in to, oldest first. */
export function placesOf(tx: Tx, userId: number): Promise<Place[]> {
  return tx.query<Place>(
    `select t.id, t.slug, t.name, t.locale, t.timezone, m.role
     from app.memberships_of($1) m join tenants t on t.id = m.tenant_id order by t.id`,
    [userId],
  )
}

/** What a person is once signed in: a member of one tenant, or an operator of the platform. */
export interface Standing {
  tenant: Place | null
  role: Role
  scopes: readonly string[]
}
export function standingIn(place: Place): Standing {
  return { tenant: place, role: place.role, scopes: ROLE_SCOPES[place.role] }
}
export const OPERATOR: Standing = { tenant: null, role: 'operator', scopes: ROLE_SCOPES.operator }
