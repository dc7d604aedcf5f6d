import type { Tenant } from '../operation.ts'

/**
 * Visits organisations one after the other. What fails in one stops no other; it is thrown when all have been visited.
 * @throws AggregateError of what failed
 */
export const eachTenant = (tenants: readonly Tenant[], visit: (tenant: Tenant) => Promise<void>): Promise<void> =>
  each(tenants, ({ id }) => `organisation ${id}`, visit)

/** The same for the sites of one organisation. */
export const eachSite = (siteIds: readonly number[], visit: (siteId: number) => Promise<void>): Promise<void> =>
  each(siteIds, (id) => `site ${id}`, visit)

async function each<One>(all: readonly One[], name: (one: One) => string, visit: (one: One) => Promise<void>) {
  const failures: unknown[] = []
  for (const one of all) {
    try {
      await visit(one)
    } catch (cause) {
      failures.push(new Error(`${name(one)}: ${cause instanceof Error ? cause.message : cause}`, { cause }))
    }
  }
  if (failures.length > 0) {
    const [first] = failures as [Error]
    throw new AggregateError(failures, `${failures.length} of ${all.length} failed; ${first.message}`)
  }
}
