/**
 * A worker process of the `jobs` run: DATABASE_URL, DATABASE_DIRECT_URL. Each job takes a while and writes one row; those of
 * `faults.fenced` settle in the same transaction, those of `faults.naive` trust that nobody else does the same job.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../server/kernel/db/index.ts'
import { Hub } from '../../server/kernel/events/index.ts'
import { Runtime } from '../../server/kernel/execute.ts'
import { startWorker, type JobContext } from '../../server/kernel/jobs/index.ts'

const [url, directUrl] = process.argv.slice(2) as [string, string]
const WORK_MS = 80
const db = await openDatabase({ url, directUrl })
const runtime = new Runtime({ db, hub: new Hub(db), url: (path) => path, renderError: ({ code }) => code })

const effect =
  (isFenced: boolean) =>
  async ({ lease }: JobContext, { tenant_id, n }: Record<string, unknown>) => {
    await sleep(WORK_MS)
    await db.tenant(Number(tenant_id), async (tx) => {
      await tx.query('insert into job_effects (n, is_fenced, pid) values ($1, $2, $3)', [n, isFenced, process.pid])
      if (isFenced) await lease!.settle(tx)
    })
  }
await startWorker({
  connectionString: directUrl,
  jobs: [
    { name: 'faults.fenced', run: effect(true) },
    { name: 'faults.naive', run: effect(false) },
  ],
  context: { runtime, tenants: async () => [] },
  log: () => {},
})
console.log('ready')
