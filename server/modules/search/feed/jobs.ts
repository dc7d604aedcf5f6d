import { setTimeout as sleep } from 'node:timers/promises'
import type { Job, JobContext } from '../../../kernel/jobs/index.ts'
import { searchServer } from '../server.ts'
import { reindexTenant } from './reindex.ts'
import { takeInAll } from './take-in.ts'

const ROUND_MS = 500
/** After a round that failed. */
const REST_MS = 5000

/**
 * Tells the search server, where there is one, what changes, while the process runs jobs.
 * @returns stops it, when the round in progress has ended
 */
export function followForSearch(context: JobContext, onError: (error: unknown) => void): () => Promise<void> {
  const ending = new AbortController()
  async function follow() {
    while (!ending.signal.aborted) {
      const server = searchServer()
      let isWell = true
      const note = (error: unknown) => {
        isWell = false
        onError(error)
      }
      if (server) await takeInAll(context.runtime.db, server, await context.tenants(), note).catch(note)
      await sleep(isWell ? ROUND_MS : REST_MS, undefined, { signal: ending.signal, ref: false }).catch(() => {})
    }
  }
  const following = follow().catch(onError)
  return () => {
    ending.abort()
    return following
  }
}

const FORGET = ['delete from search_changes', 'delete from search_cursors']

/** Every night all is told again: what was lost on the way is found, what is gone goes. Without a server nothing is noted any more. */
const sweep: Job = {
  name: 'search.sweep',
  nightly: '04:35',
  async run({ runtime: { db } }, payload) {
    const tenantId = payload['tenant_id'] as number
    const server = searchServer()
    if (server) await reindexTenant(db, server, tenantId)
    else
      await db.tenant(tenantId, async (tx) => {
        for (const text of FORGET) await tx.query(text)
      })
  },
}
export const jobs: readonly Job[] = [sweep]
