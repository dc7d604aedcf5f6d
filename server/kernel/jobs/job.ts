import type { Tx } from '../db/types.ts'
import type { Runtime } from '../execute.ts'
import type { Tenant } from '../operation.ts'

/** A background task. It may run twice (a worker can die after its work), so its effect must be the same as once. */
export interface Job {
  /** `tickets.sweep_timers` */
  name: string
  /** Cron expression (UTC) for work that comes by the clock; absent for work that is only enqueued. */
  schedule?: string
  /** `03:17`: runs for each organisation once a night, at this time of its own zone, with `tenant_id` and the local `day`. */
  nightly?: string
  run(ctx: JobContext, payload: Record<string, unknown>): Promise<void>
}

/** A worker's hold on the job it runs. It is lost when the worker is silent for too long. */
export interface Lease {
  /**
   * Ends the job in the transaction of its effect, as its last statement: both happen, once, or neither does.
   * @throws Error when the lease was lost; the transaction must not commit
   */
  settle(tx: Tx): Promise<void>
}

export interface JobContext {
  runtime: Runtime
  /** Absent where no worker runs the job. */
  lease?: Lease
  /** All active tenants; a cross-tenant job visits them one by one, each behind its own wall. */
  tenants(): Promise<Tenant[]>
}
