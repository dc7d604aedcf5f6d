import type { Tx } from '../db/types.ts'

/**
 * Adds a background job in the caller's transaction: it exists if and only if the change commits.
 * `job_key` makes a second call replace the first while it waits; `run_at` is RFC 3339.
 */
export async function enqueueJob(
  tx: Tx,
  tenantId: number | null,
  task: string,
  payload: Record<string, unknown>,
  options: { run_at?: string; job_key?: string } = {},
): Promise<void> {
  await tx.query('select app.enqueue_job($1, $2::json, $3::timestamptz, $4)', [
    task,
    JSON.stringify({ ...payload, tenant_id: tenantId }),
    options.run_at ?? null,
    options.job_key ?? null,
  ])
}
