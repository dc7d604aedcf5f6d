import type { Database } from '../db/types.ts'
import type { Backlog } from '../metrics.ts'

/** What waits in the job tables, whoever runs jobs. */
export const jobBacklog = (db: Database): Promise<Backlog> =>
  db.platform((tx) => tx.one<Backlog>('select due, oldest_seconds, dead from app.job_backlog()'))
