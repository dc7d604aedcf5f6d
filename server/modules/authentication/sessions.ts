import { randomUUID } from 'node:crypto'
import { addressPrefix, userAgentFamily, type Origin } from '../../kernel/audit/origin.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import { ACCESS_SECONDS, signAccessToken, type AccessClaims } from './access-token.ts'
import { OPERATOR, placesOf, standingIn, type AccountRow, type Standing } from './accounts.ts'
import { sign, verify } from './keys.ts'
import { revokeSession } from './revocations.ts'
import type { Tokens } from './schema.ts'

/** A session that nobody refreshes ends after this. */
const IDLE_SECONDS = 30 * 86_400
/** However often it is used, a session ends after this. */
const MAX_SECONDS = 90 * 86_400
/** An old refresh token is a lost answer within this time of its replacement, and a theft later. */
const GRACE_SECONDS = 10

export type Method = 'password' | 'passkey' | 'sso' | 'impersonation'

/** A sign-in that has succeeded. */
export interface SignIn {
  account: AccountRow
  standing: Standing
  method: Method
  /** Hash of the password that was right: if it is another one by now, the sign-in is void. */
  passwordHash?: string | null
  /** Did the person prove who they are with something of their own? Another organisation's word is none. */
  isProven?: boolean
  origin: Origin | undefined
  /** The operator who signs in as this person, and why. */
  impersonation?: { operatorId: number; reason: string }
}
export interface NewSession {
  kind: 'tokens' | 'console'
  /** Of the cookie's opaque id. */
  secretHash?: Buffer
  /** It ends when nobody has used it for this long. */
  idleSeconds?: number
  /** It ends then, however often it is used. */
  maxSeconds?: number
}

/** What a session's row says, with the person's. Times are seconds since 1970. */
export interface SessionRow extends AccountRow {
  session_id: string
  tenant_id: number | null
  refresh_id: string
  previous_refresh_id: string | null
  just_rotated: boolean
  rotated: number
  expires: number
  ends: number
  proven: number | null
  impersonator_id: number | null
}
export const SESSION_COLUMNS = `u.id, u.email, u.name, u.locale, u.is_operator, extract(epoch from now())::bigint as now,
  s.id as session_id, s.tenant_id, s.impersonator_id, s.refresh_id, s.previous_refresh_id,
  coalesce(s.rotated_at > now() - interval '${GRACE_SECONDS} seconds', false) as just_rotated,
  extract(epoch from coalesce(s.rotated_at, s.created_at))::bigint as rotated,
  extract(epoch from s.expires_at)::bigint as expires, extract(epoch from s.ends_at)::bigint as ends,
  extract(epoch from s.proven_at)::bigint as proven`

/**
 * Starts a session if the person may still sign in: whoever closes an account, a membership or changes a password holds
 * the person's row until that is certain, and ends the sessions there are by then.
 * @throws AppError unauthorized `invalid_credentials`
 */
export async function startSession(tx: Tx, who: SignIn, session: NewSession): Promise<SessionRow> {
  const { account, standing, method, passwordHash = null, isProven = true, origin, impersonation } = who
  const { kind, secretHash = null, idleSeconds = IDLE_SECONDS, maxSeconds = MAX_SECONDS } = session
  const row = await tx.maybe<SessionRow>(
    `with u as materialized (
       select id, email, name, locale, is_operator from users
       where id = $2 and is_active and ($3::text is null or password_hash = $3) for share),
     s as (
       insert into sessions (id, user_id, tenant_id, scopes, kind, secret_hash, method, proven_at, ends_at, expires_at, address, user_agent,
         impersonator_id, reason)
       select $1, u.id, $4, $5, $6, $7, $8, case when $9 then now() end, now() + make_interval(secs => $10),
         now() + make_interval(secs => least($10, $13)), $11, $12, $14, $15
       from u where case when $4::bigint is null then u.is_operator else app.is_member(u.id, $4) end
       returning *)
     select ${SESSION_COLUMNS} from s, u`,
    [
      randomUUID(),
      account.id,
      passwordHash,
      standing.tenant?.id ?? null,
      standing.scopes,
      kind,
      secretHash,
      method,
      isProven,
      maxSeconds,
      origin ? addressPrefix(origin.address) : null,
      origin ? userAgentFamily(origin.userAgent) : null,
      idleSeconds,
      impersonation?.operatorId ?? null,
      impersonation?.reason ?? null,
    ],
  )
  if (!row) throw new AppError('unauthorized', 'invalid_credentials')
  return row
}

/** Signs a person in: a new session and its first pair of tokens. */
export async function startTokens(tx: Tx, who: SignIn): Promise<Tokens> {
  return tokens(await startSession(tx, who, { kind: 'tokens' }), who.standing)
}

/**
 * Exchanges a refresh token for a new pair. Each works once, but an answer that got lost can be asked for again within
 * ${GRACE_SECONDS} seconds, and is the same. A token that was exchanged before ends the session: somebody has a copy.
 * Every statement of `tx` commits alone, so that the end stays although the caller gets an error.
 * @throws AppError unauthorized `token_invalid`, `token_expired`, `token_reused` or `session_expired`
 */
export async function refreshSession(tx: Tx, presented: string): Promise<Tokens> {
  const { sid, jti } = verify('refresh', presented) as { sid: string; jti: string }
  // A second round only when another request rotated the token in between.
  for (let round = 0; round < 2; round++) {
    const session = await tx.maybe<SessionRow>(
      `select ${SESSION_COLUMNS} from sessions s join users u on u.id = s.user_id and u.is_active
       where s.id = $1 and s.kind = 'tokens' and s.revoked_at is null and s.expires_at > now()`,
      [sid],
    )
    if (!session) throw new AppError('unauthorized', 'session_expired')
    const isCurrent = jti === session.refresh_id
    const isLostAnswer = session.just_rotated && jti === session.previous_refresh_id
    const isReused = !isCurrent && !isLostAnswer
    const standing = isReused ? undefined : await standingOf(tx, session)
    if (!standing) {
      await revokeSession(tx, sid)
      throw new AppError('unauthorized', isReused ? 'token_reused' : 'session_expired')
    }
    if (isLostAnswer) return tokens(session, standing)
    const rotated = await tx.maybe<Pick<SessionRow, 'refresh_id' | 'rotated' | 'expires'>>(
      `update sessions set refresh_id = gen_random_uuid(), previous_refresh_id = refresh_id, rotated_at = now(),
         scopes = $3, seen_at = now(), expires_at = least(now() + interval '${IDLE_SECONDS} seconds', ends_at)
       where id = $1 and refresh_id = $2 and revoked_at is null
       returning refresh_id, extract(epoch from rotated_at)::bigint as rotated, extract(epoch from expires_at)::bigint as expires`,
      [sid, jti, standing.scopes],
    )
    if (rotated) return tokens({ ...session, ...rotated }, standing)
  }
  throw new AppError('unauthorized', 'session_expired')
}

/** What the person is now, which may be less than at sign-in; undefined when the door has closed. */
export async function standingOf(
  tx: Tx,
  { id, tenant_id, is_operator }: Pick<SessionRow, 'id' | 'tenant_id' | 'is_operator'>,
): Promise<Standing | undefined> {
  if (tenant_id === null) return is_operator ? OPERATOR : undefined
  const place = (await placesOf(tx, id)).find((each) => each.id === tenant_id)
  return place && standingIn(place)
}

/** What a session says of its person, in a token or behind a cookie. */
export function claimsOf(
  session: SessionRow,
  { tenant, role, scopes, siteIds, queueIds }: Standing,
): Omit<AccessClaims, 'exp'> {
  const { id, session_id: sid, now, proven, impersonator_id } = session
  return {
    // Whatever is done, events and audit trail name both.
    sub: impersonator_id === null ? `user:${id}` : `user:${id}+operator:${impersonator_id}`,
    user_id: id,
    tenant_id: tenant?.id ?? null,
    role,
    scopes,
    sid,
    auth_time: proven,
    imp: impersonator_id,
    // Who acts as somebody else reads their own language.
    ...(session.locale && impersonator_id === null && { locale: session.locale }),
    ...(siteIds && { site_ids: siteIds }),
    ...(queueIds && { queue_ids: queueIds }),
    iat: now,
  }
}

/** The pair that belongs to a session as it is: the same row gives the same refresh token. */
function tokens(session: SessionRow, standing: Standing): Tokens {
  const { id, email, name, locale, session_id: sid, refresh_id: jti, now, expires, ends, rotated } = session
  const { tenant, role, scopes } = standing
  const lifeSeconds = Math.min(ACCESS_SECONDS, Math.max(0, ends - now))
  return {
    access: signAccessToken(claimsOf(session, standing), lifeSeconds),
    refresh: sign('refresh', { sid, user_id: id, jti, iat: rotated, exp: expires }),
    token_type: 'Bearer',
    expires_in: lifeSeconds,
    tenant,
    user: { id, email, name, locale },
    role,
    scopes: [...scopes],
  }
}
