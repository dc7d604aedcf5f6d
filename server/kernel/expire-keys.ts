import type { Tx } from './db/types.ts'
import type { Job } from './jobs/index.ts'
import type { Operation } from './operation.ts'

/** Rows of one statement: a busy organisation's day must not hold locks for long. */
const BATCH = 5000
const expired = (table: 'idempotency_keys' | 'platform_idempotency_keys') => (tx: Tx) =>
  tx.query<{ n: number }>(
    `with gone as (
       delete from ${table} where ctid = any(array(
         select ctid from ${table} where created_at < now() - interval '24 hours' order by created_at limit $1)) returning 1)
     select count(*)::int as n from gone`,
    [BATCH],
  )

/** Answers are kept for a day: they hold names and numbers of people. */
const expireKeys: Job = {
  name: 'idempotency.expire_keys',
  schedule: '23 * * * *',
  async run({ runtime: { db } }) {
    const until = async (round: () => Promise<{ n: number }[]>) => {
      while ((await round())[0]!.n === BATCH);
    }
    await until(() => db.platform(expired('platform_idempotency_keys')))
    // Also of organisations that are suspended.
    const tenants = await db.platform((tx) => tx.query<{ id: number }>('select id from tenants order by id'))
    for (const { id } of tenants) await until(() => db.tenant(id, expired('idempotency_keys')))
  },
}

export const jobs: readonly Job[] = [expireKeys]
export const operations: readonly Operation[] = []
