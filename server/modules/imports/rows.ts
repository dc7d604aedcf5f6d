import { databaseError } from '../../kernel/db/index.ts'
import type { Tx } from '../../kernel/db/types.ts'
import type { Actor } from '../../kernel/access.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Runtime } from '../../kernel/execute.ts'
import { enqueueJob } from '../../kernel/jobs/enqueue.ts'
import type { Context, Operation, Tenant } from '../../kernel/operation.ts'
import { checkInput } from '../../kernel/validate.ts'

/** What is wrong with a row; its words are found when somebody reads it. */
export interface RowError {
  /** JSON pointer; '' = the row as a whole. */
  path: string
  code: string
  params?: Record<string, string | number>
}

/** @throws what is no refusal */
export function refusalsOf(error: unknown, op: Operation): RowError[] {
  const constraint = databaseError(error)?.constraint
  const declared = constraint === undefined ? undefined : op.constraints?.[constraint]?.()
  const refusal = declared ?? error
  // In flight: another worker is at the same row.
  if (!(refusal instanceof AppError) || refusal.status >= 500 || refusal.code === 'idempotency_in_flight') throw error
  if (refusal.fields.length > 0)
    return refusal.fields.map(({ path, code, params }) => ({ path, code: `fields.${code}`, ...(params && { params }) }))
  return [{ path: '', code: `errors.${refusal.code}`, params: refusal.params }]
}

class TakenBack extends Error {}

/** Does everything a row would do, in a transaction that is taken back: the operation's own checks, and the database's. */
export async function tryRow(
  runtime: Runtime,
  tenant: Tenant,
  actor: Actor,
  op: Operation,
  input: unknown,
): Promise<RowError[]> {
  try {
    checkInput(op, input)
    await runtime.db.tenant(tenant.id, async (tx) => {
      await op.run(contextOf(runtime, tenant, actor, tx), input)
      // Refusals of deferred constraints come now.
      await tx.query('set constraints all immediate')
      throw new TakenBack()
    })
    return []
  } catch (error) {
    return error instanceof TakenBack ? [] : refusalsOf(error, op)
  }
}

const contextOf = (runtime: Runtime, tenant: Tenant, actor: Actor, tx: Tx): Context => ({
  tx,
  tenant,
  actor,
  origin: undefined,
  locale: tenant.locale,
  hub: runtime.hub,
  ifMatch: null,
  url: (path) => runtime.url(path),
  emit: () => {},
  record: () => {},
  enqueue: (task, payload, options) => enqueueJob(tx, tenant.id, task, payload, options),
})
