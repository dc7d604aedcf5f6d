import { randomUUID } from 'node:crypto'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import { hashToken } from '../../kernel/ids.ts'
import { ACCESS_SECONDS, signAccessToken } from './access-token.ts'
import { ACCOUNT_COLUMNS, OPERATOR, placesOf, standingIn, type AccountRow, type Standing } from './accounts.ts'
import { sign, verify } from './keys.ts'
import { revokeSession } from './revocations.ts'
import type { Tokens } from './schema.ts'

/** A session that nobody refreshes ends after this. */
const IDLE_SECONDS = 30 * 86_400
/** An old refresh token is a lost answer within this time of its replacement, and a theft later. */
const GRACE_SECONDS = 10

/** Signs a person in: a new session and its first pair of tokens. */
export async function startSession(tx: Tx, account: AccountRow, standing: Standing): Promise<Tokens> {
  const sessionId = randomUUID()
  const refresh = newRefreshToken(sessionId, account)
  await tx.query(
    `insert into sessions (id, user_id, tenant_id, scopes, refresh_hash, expires_at)
     values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
    [sessionId, account.id, standing.tenant?.id ?? null, standing.scopes, hashToken(refresh), IDLE_SECONDS],
  )
  return tokens(sessionId, refresh, account, standing)
}

interface SessionRow extends AccountRow {
  tenant_id: number | null
  refresh_hash: Buffer
  previous_refresh_hash: Buffer | null
  just_rotated: boolean
}

/**
 * Exchanges a refresh token for a new pair; each works once. One that was exchanged before ends the session: somebody
 * has a copy. Every statement of `tx` commits alone, so that the end stays although the caller gets an error.
 * @throws AppError unauthorized `token_invalid`, `token_expired`, `token_reused` or `session_expired`
 */
export async function refreshSession(tx: Tx, presented: string): Promise<Tokens> {
  const sessionId = String(verify('refresh', presented)['sid'])
  const hash = hashToken(presented)
  // A second round only when another request rotated the token in between.
  for (let round = 0; round < 3; round++) {
    const session = await tx.maybe<SessionRow>(
      `select ${ACCOUNT_COLUMNS}, s.tenant_id, s.refresh_hash, s.previous_refresh_hash,
         coalesce(s.rotated_at > now() - make_interval(secs => $2), false) as just_rotated
       from sessions s join users u on u.id = s.user_id and u.is_active
       where s.id = $1 and s.revoked_at is null and s.expires_at > now()`,
      [sessionId, GRACE_SECONDS],
    )
    if (!session) throw new AppError('unauthorized', 'session_expired')
    const isCurrent = hash.equals(session.refresh_hash)
    const isLostAnswer = session.just_rotated && session.previous_refresh_hash?.equals(hash)
    const isReused = !isCurrent && !isLostAnswer
    const standing = isReused ? undefined : await standingOf(tx, session)
    if (!standing) {
      await revokeSession(tx, sessionId)
      throw new AppError('unauthorized', isReused ? 'token_reused' : 'session_expired')
    }
    const refresh = newRefreshToken(sessionId, session)
    const rotated = await tx.maybe(
      `update sessions set refresh_hash = $3, scopes = $4, expires_at = now() + make_interval(secs => $5),
         previous_refresh_hash = case when $6 then refresh_hash else previous_refresh_hash end,
         rotated_at = case when $6 then now() else rotated_at end
       where id = $1 and refresh_hash = $2 and revoked_at is null returning id`,
      [sessionId, session.refresh_hash, hashToken(refresh), standing.scopes, IDLE_SECONDS, isCurrent],
    )
    if (rotated) return tokens(sessionId, refresh, session, standing)
  }
  throw new AppError('unauthorized', 'token_invalid')
}

/** What the person is now, which may be less than at sign-in; undefined when the door has closed. */
async function standingOf(tx: Tx, session: SessionRow): Promise<Standing | undefined> {
  if (session.tenant_id === null) return session.is_operator ? OPERATOR : undefined
  const place = (await placesOf(tx, session.id)).find(({ id }) => id === session.tenant_id)
  return place && standingIn(place)
}

function newRefreshToken(sessionId: string, { id, now }: AccountRow): string {
  return sign('refresh', { sid: sessionId, user_id: id, jti: randomUUID(), iat: now, exp: now + IDLE_SECONDS })
}

function tokens(sessionId: string, refresh: string, account: AccountRow, { tenant, role, scopes }: Standing): Tokens {
  const access = signAccessToken({
    sub: `user:${account.id}`,
    user_id: account.id,
    tenant_id: tenant?.id ?? null,
    role,
    scopes,
    sid: sessionId,
    iat: account.now,
  })
  const { id, email, name, locale } = account
  return {
    access,
    refresh,
    token_type: 'Bearer',
    expires_in: ACCESS_SECONDS,
    tenant,
    user: { id, email, name, locale },
    role,
    scopes: [...scopes],
  }
}
