import type { Database, Tx } from '../db/types.ts'
import type { Backlog } from '../metrics.ts'

/** What waits in the job tables, whoever runs jobs; read outside tenants. */
export const backlogOf = (tx: Tx): Promise<Backlog> =>
  tx.one<Backlog>('select due, oldest_seconds, dead from app.job_backlog()')
export const jobBacklog = (db: Database): Promise<Backlog> => db.platform(backlogOf)
