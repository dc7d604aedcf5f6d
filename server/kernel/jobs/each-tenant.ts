import type { Tenant } from '../operation.ts'

/**
 * Visits organisations one after the other. What fails in one stops no other; it is thrown when all have been visited.
 * @throws AggregateError of what failed
 */
export async function eachTenant(tenants: readonly Tenant[], visit: (tenant: Tenant) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  for (const tenant of tenants) {
    try {
      await visit(tenant)
    } catch (cause) {
      failures.push(
        new Error(`organisation ${tenant.id}: ${cause instanceof Error ? cause.message : cause}`, { cause }),
      )
    }
  }
  if (failures.length > 0) {
    const [first] = failures as [Error]
    throw new AggregateError(failures, `${failures.length} of ${tenants.length} organisations failed; ${first.message}`)
  }
}
