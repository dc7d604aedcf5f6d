import { randomBytes } from 'node:crypto'
import type { Actor } from '../../kernel/access.ts'
import { Cache } from '../../kernel/cache/cache.ts'
import { ALL } from '../../kernel/cache/key.ts'
import { now } from '../../kernel/clock.ts'
import type { Database, Tx } from '../../kernel/db/types.ts'
import { hashToken } from '../../kernel/ids.ts'
import { actorOf } from './access-token.ts'
import { keepCookie } from './cookies.ts'
import { isMac, mac } from './keys.ts'
import { KnownCredentials } from './known.ts'
import type { Credential } from './opaque-tokens.ts'
import { isRevoked } from './revocations.ts'
import type { ConsoleSession } from './schema.ts'
import { claimsOf, SESSION_COLUMNS, standingOf, startSession, type SessionRow, type SignIn } from './sessions.ts'

/** A console that nobody touches is closed after a working day, and a used one after a week. */
const IDLE_SECONDS = 12 * 3600
const MAX_SECONDS = 7 * 86_400

/** Signs a person in to the console. The opaque id goes into a cookie and nowhere else. */
export async function startConsole(tx: Tx, who: SignIn, maxSeconds = MAX_SECONDS): Promise<ConsoleSession> {
  const secret = randomBytes(32).toString('base64url')
  const session = await startSession(tx, who, {
    kind: 'console',
    secretHash: hashToken(secret),
    idleSeconds: IDLE_SECONDS,
    maxSeconds,
  })
  const { id, email, name, locale } = session
  const { tenant, role, scopes } = who.standing
  const answer: ConsoleSession = {
    tenant,
    user: { id, email, name, locale },
    role,
    scopes: [...scopes],
    csrf_token: csrfTokenOf(session.session_id),
  }
  return keepCookie(answer, 'session', secret)
}

/** What pages send along with changes, in `X-CSRF-Token`: only this server can make it, only the session's pages read it. */
export const csrfTokenOf = (sessionId: string): string => mac('csrf', sessionId)
export const isCsrfToken = (sessionId: string, token: string): boolean => isMac('csrf', sessionId, token)

/** Whose cookies these are. */
export interface Consoles {
  /**
   * undefined when it is nobody's, or the session has ended.
   * @param isFresh read it anew, because the moment of the last proof matters
   */
  actorOf(secret: string, isFresh?: boolean): Promise<Actor | undefined>
}

export function consoles(db: Database, cache = new Cache()): Consoles {
  const known = new KnownCredentials('console-session', cache)
  return {
    async actorOf(secret, isFresh = false) {
      const hash = hashToken(secret)
      const look = () => db.platform((tx) => read(tx, hash))
      const credential = await (isFresh ? look() : known.get(hash, ALL, look))
      if (!credential) return undefined
      const { actor, expiresAt } = credential
      return isRevoked(actor.sessionId!) || expiresAt! <= now() ? undefined : actor
    },
  }
}

async function read(tx: Tx, secretHash: Buffer): Promise<Credential | undefined> {
  const session = await tx.maybe<SessionRow & { is_quiet: boolean }>(
    `select ${SESSION_COLUMNS}, s.seen_at < now() - interval '1 minute' as is_quiet
     from sessions s join users u on u.id = s.user_id and u.is_active
     where s.secret_hash = $1 and s.revoked_at is null and s.expires_at > now()`,
    [secretHash],
  )
  const standing = session && (await standingOf(tx, session))
  if (!session || !standing) return undefined
  if (session.is_quiet) {
    await tx.query(
      `update sessions set seen_at = now(), expires_at = least(now() + make_interval(secs => $2), ends_at)
       where id = $1 and revoked_at is null`,
      [session.session_id, IDLE_SECONDS],
    )
  }
  return { actor: actorOf(claimsOf(session, standing)), expiresAt: session.expires * 1000 }
}
