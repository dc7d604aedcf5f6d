import { whenOver } from './when-over.ts'
import type { Actor } from '../kernel/access.ts'
import type { SharedCache } from '../kernel/cache/shared.ts'
import type { Database } from '../kernel/db/types.ts'
import { Hub } from '../kernel/events/index.ts'
import { Runtime } from '../kernel/execute.ts'
import type { Operation, Tenant } from '../kernel/operation.ts'

/** The kernel over a test database. Its hub applies its own events; it does not listen for other processes. */
export function testRuntime(db: Database, shared?: SharedCache): Runtime {
  const hub = new Hub(db)
  whenOver(() => hub.stop())
  return new Runtime({
    db,
    hub,
    shared,
    url: (path) => `https://smartqueue.example${path}`,
    renderError: (error) => JSON.stringify({ code: error.code, status: error.status }),
  })
}

/** Runs operations by id and answers their output, as `actor` in `tenant` (null: outside tenants). */
export function caller(runtime: Runtime, operations: readonly Operation[]) {
  const byId = new Map(operations.map((op) => [op.id, op]))
  return (actor: Actor, tenant: Tenant | null) =>
    async <Output = any>(
      id: string,
      input: Record<string, unknown> = {},
      options: { ifMatch?: string; key?: string } = {},
    ): Promise<Output> => {
      const op = byId.get(id)
      if (!op) throw new Error(`no operation ${id}`)
      const { output } = await runtime.execute(op, { actor, tenant, locale: 'en', input, ...options })
      return output as Output
    }
}
