import { LRUCache } from 'lru-cache'
import { monotonicMs } from '../../kernel/clock.ts'
import type { Database, Tx } from '../../kernel/db/types.ts'
import { upTo } from '../../kernel/up-to.ts'

const CHANNEL = 'session_revoked'
/** Revoked sessions that tokens may still name: those of the last hour, the longest life of an access token. */
const revoked = new LRUCache<string, true>({ ...upTo(100_000), ttl: 3_600_000 })
const listeners = new Set<(sessionId: string) => void>()

/** Has this session been revoked within the life of its access tokens? */
export const isRevoked = (sessionId: string): boolean => revoked.has(sessionId)

/** Calls `listener` when a session ends early, so that open connections of it can be cut. Returns a stop function. */
export function onRevoked(listener: (sessionId: string) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
/** The id of a session that has a row; null for a name that has none, such as a device's or a key's. */
export const rowOf = (sessionId: string | null): string | null =>
  sessionId !== null && UUID.test(sessionId) ? sessionId : null

/** Ends a session for every process that watches. Unknown and ended sessions are left alone. */
export async function revokeSession(tx: Tx, sessionId: string): Promise<void> {
  await tx.query(
    `with ended as (update sessions set revoked_at = now() where id = $1 and revoked_at is null returning id)
     select pg_notify('${CHANNEL}', id::text) from ended`,
    [rowOf(sessionId)],
  )
  markRevoked(sessionId)
}

/** Ends what is open under a name that is no person's session: a key's or a device's. */
export async function announceEnd(tx: Tx, name: string): Promise<void> {
  await tx.query(`select pg_notify('${CHANNEL}', $1)`, [name])
  markRevoked(name)
}

/** Ends every session of a user, e.g. after a new password; sessions of one tenant only when `tenantId` is given. */
export async function revokeUser(
  tx: Tx,
  userId: number,
  tenantId: number | null = null,
  exceptSession: string | null = null,
): Promise<void> {
  // Who is signing in at this moment holds the row until the session can be seen, or waits for it and is refused.
  await tx.query('select from users where id = $1 for no key update', [userId])
  const ended = await tx.query<{ id: string }>(
    `with ended as (
       update sessions set revoked_at = now()
       where user_id = $1 and revoked_at is null and ($2::bigint is null or tenant_id = $2)
         and id is distinct from $3 returning id)
     select id, pg_notify('${CHANNEL}', id::text) from ended`,
    [userId, tenantId, rowOf(exceptSession)],
  )
  for (const { id } of ended) markRevoked(id)
}

/** How often each process looks for itself, should the database's notices not come through. */
const POLL_MILLISECONDS = 2000

/**
 * Follows revocations of all processes: notices come at once, and the table is read every two seconds, which also finds
 * the sessions whose time was up. After a gap those of the last hour are read.
 */
export async function watchRevocations(db: Database): Promise<() => Promise<void>> {
  const read = async (seconds: number) => {
    const rows = await db.platform((tx) =>
      tx.query<{ id: string }>(
        `select id from sessions where revoked_at > now() - make_interval(secs => $1)
         union all
         select id from sessions where expires_at between now() - make_interval(secs => $1) and now()`,
        [seconds],
      ),
    )
    for (const { id } of rows) markRevoked(id)
  }
  let lastRead = monotonicMs()
  const poll = async () => {
    const started = monotonicMs()
    await read(Math.min(3600, (started - lastRead) / 1000 + 10))
    lastRead = started
  }
  const timer = setInterval(() => void poll().catch(() => {}), POLL_MILLISECONDS).unref()
  const listening = await db.listen(CHANNEL, markRevoked, () => void read(3600).catch(() => {}))
  await read(3600)
  return () => {
    clearInterval(timer)
    return listening.stop()
  }
}

function markRevoked(sessionId: string): void {
  if (revoked.has(sessionId)) return
  revoked.set(sessionId, true)
  for (const listener of listeners) listener(sessionId)
}
