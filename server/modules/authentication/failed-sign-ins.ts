import {
  addressPrefix,
  appendAudit,
  PLATFORM_LOG,
  userAgentFamily,
  type AuditEntry,
  type Origin,
} from '../../kernel/audit/index.ts'
import type { Database } from '../../kernel/db/types.ts'

/** One row of an account in this time, however often it is tried: a flood must not fill the trail. */
const FLUSH_MS = 60_000
/** Accounts told apart between two rounds; what comes after them is counted with the unknown ones. */
const MOST_ACCOUNTS = 1000

interface Tally {
  count: number
  origin: Origin | undefined
}
/** By account; null = no such account. Addresses that nobody owns are not kept. */
let tallies = new Map<number | null, Tally>()

/** Notes that somebody did not get in. Written later, so that an answer takes as long whether or not there is an account. */
export function noteFailedSignIn(userId: number | undefined, origin: Origin | undefined): void {
  const key = userId !== undefined && (tallies.has(userId) || tallies.size < MOST_ACCOUNTS) ? userId : null
  tallies.set(key, { count: (tallies.get(key)?.count ?? 0) + 1, origin })
}

/**
 * Writes what was noted to the trails: of each organisation the account works in, and of the platform for operators and
 * for addresses that are no account.
 */
export async function flushFailedSignIns(db: Database): Promise<void> {
  const noted = tallies
  tallies = new Map()
  for (const [userId, tally] of noted) {
    const entry = entryOf(userId, tally)
    const logs = userId === null ? [] : await tenantsOf(db, userId)
    for (const tenantId of logs.length ? logs : [PLATFORM_LOG]) {
      const { text, values } = appendAudit(tenantId, [entry])
      await db.platform((tx) => tx.query(text, values))
    }
  }
}

const tenantsOf = async (db: Database, userId: number): Promise<number[]> =>
  (
    await db.platform((tx) => tx.query<{ tenant_id: number }>('select tenant_id from app.memberships_of($1)', [userId]))
  ).map(({ tenant_id }) => tenant_id)

const entryOf = (userId: number | null, { count, origin }: Tally): AuditEntry => ({
  principal: 'anonymous',
  role: 'anonymous',
  operation: 'auth.failed',
  subject: userId === null ? '' : `user:${userId}`,
  details: { given: { failures: count } },
  request_id: null,
  // Of the last one.
  address: origin ? addressPrefix(origin.address) : null,
  user_agent: origin ? userAgentFamily(origin.userAgent) : null,
})

/** Writes them once a minute, and for the last time when the answer is called. */
export function auditFailedSignIns(db: Database, onError: (error: unknown) => void): () => Promise<void> {
  const timer = setInterval(() => void flushFailedSignIns(db).catch(onError), FLUSH_MS).unref()
  return async () => {
    clearInterval(timer)
    await flushFailedSignIns(db).catch(onError)
  }
}
