import type { Runtime } from '../execute.ts'
import type { Tenant } from '../operation.ts'

/** A background task. It may run twice (a worker can die after its work), so its effect must be the same as once. */
export interface Job {
  /** `tickets.sweep_timers` */
  name: string
  /** Cron expression (UTC) for work that comes by the clock; absent for work that is only enqueued. */
  schedule?: string
  run(ctx: JobContext, payload: Record<string, unknown>): Promise<void>
}

export interface JobContext {
  runtime: Runtime
  /** All active tenants; a cross-tenant job visits them one by one, each behind its own wall. */
  tenants(): Promise<Tenant[]>
}
