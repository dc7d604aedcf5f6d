import type { Actor } from '../../kernel/access.ts'
import type { Database } from '../../kernel/db/types.ts'
import { deviceSession } from './devices.ts'
import { keySession } from './api-keys.ts'
import { rowOf } from './revocations.ts'

/**
 * Of the actors' sessions, those that have ended, or whose holder is no longer let in: for what stays open for hours, in
 * case a notice was lost. One statement for all people, and one a tenant for its keys and one for its devices.
 */
export async function endedSessions(db: Database, actors: readonly Actor[]): Promise<Set<string>> {
  const ended = new Set<string>()
  const people = actors.filter(({ sessionId, userId }) => userId !== null && rowOf(sessionId) !== null)
  if (people.length > 0) {
    const ids = people.map(({ sessionId }) => sessionId!)
    const rows = await db.platform((tx) =>
      tx.query<{ id: string }>(
        `select s.id from sessions s join users u on u.id = s.user_id and u.is_active
         where s.id = any($1::uuid[]) and s.revoked_at is null and s.expires_at > now()
           and (s.tenant_id is null or app.is_member(u.id, s.tenant_id))`,
        [ids],
      ),
    )
    const standing = new Set(rows.map(({ id }) => id))
    for (const id of ids) if (!standing.has(id)) ended.add(id)
  }
  const machines = actors.filter(
    ({ principal, tenantId }) => tenantId !== null && /^(device|api_key):\d+$/.test(principal),
  )
  for (const [tenantId, own] of Map.groupBy(machines, (actor) => actor.tenantId!)) {
    const idsOf = (kind: string) =>
      own.filter(({ principal }) => principal.startsWith(kind)).map(({ principal }) => Number(principal.split(':')[1]))
    const reader = db.reader(tenantId)
    const devices = await reader.query<{ id: number; updated_at: string }>(
      'select id, updated_at from devices where id = any($1) and revoked_at is null and not is_locked',
      [idsOf('device')],
    )
    const keys = await reader.query<{ id: number }>(
      'select id from api_keys where id = any($1) and revoked_at is null and (expires_at is null or expires_at > now())',
      [idsOf('api_key')],
    )
    const standing = new Set([
      ...devices.map((device) => deviceSession(tenantId, device)),
      ...keys.map(({ id }) => keySession(tenantId, id)),
    ])
    for (const { sessionId } of own)
      if (/^(device|key):\d+:/.test(sessionId!) && !standing.has(sessionId!)) ended.add(sessionId!)
  }
  return ended
}
