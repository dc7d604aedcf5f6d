import { ROLE_SCOPES, type Role } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Account, Place } from './schema.ts'

/** A person as sign-in needs them. `now` is the database's time in seconds since 1970. */
export interface AccountRow extends Account {
  is_operator: boolean
  now: number
}
export const ACCOUNT_COLUMNS =
  'u.id, u.email, u.name, u.locale, u.is_operator, extract(epoch from now())::bigint as now'

/** A tenant with what the person is there; the limits go into tokens and are not shown. */
export interface Membership extends Place {
  site_ids: number[] | null
  queue_ids: number[] | null
}

/** What others are shown of it. */
export const placeOf = ({ site_ids: _sites, queue_ids: _queues, ...place }: Membership): Place => place

/** The tenants this person may sign in to, oldest first. */
export function placesOf(tx: Tx, userId: number): Promise<Membership[]> {
  return tx.query<Membership>(
    `select t.id, t.slug, t.name, t.locale, t.timezone, m.role, m.site_ids, m.queue_ids
     from app.memberships_of($1) m join tenants t on t.id = m.tenant_id order by t.id`,
    [userId],
  )
}

/** What a person is once signed in: a member of one tenant, or an operator of the platform. */
export interface Standing {
  tenant: Place | null
  role: Role
  scopes: readonly string[]
  /** Limits of the membership; null = none. */
  siteIds: readonly number[] | null
  queueIds: readonly number[] | null
}
export function standingIn(membership: Membership): Standing {
  const { role, site_ids, queue_ids } = membership
  return { tenant: placeOf(membership), role, scopes: ROLE_SCOPES[role], siteIds: site_ids, queueIds: queue_ids }
}
export const OPERATOR: Standing = {
  tenant: null,
  role: 'operator',
  scopes: ROLE_SCOPES.operator,
  siteIds: null,
  queueIds: null,
}

/** One answer for a wrong password, an unknown or closed account and a tenant that is not theirs. */
export const refused = () => new AppError('unauthorized', 'invalid_credentials')

/**
 * Where a person signs in: the tenant they name, else the platform for an operator, else their first tenant.
 * @throws AppError unauthorized `invalid_credentials`
 */
export async function chooseStanding(tx: Tx, account: AccountRow, tenant: string | undefined): Promise<Standing> {
  if (tenant === undefined && account.is_operator) return OPERATOR
  const places = await placesOf(tx, account.id)
  const place = tenant === undefined ? places[0] : places.find(({ slug }) => slug === tenant)
  if (!place) throw refused()
  return standingIn(place)
}
