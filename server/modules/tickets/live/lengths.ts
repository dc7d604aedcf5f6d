import type { Database } from '../../../kernel/db/types.ts'
import type { LineLengths } from '../../../kernel/metrics.ts'
import type { Tenant } from '../../../kernel/operation.ts'

/** How many wait in each organisation and since when: one statement each, behind its own wall. */
export async function lineLengths(db: Database, tenants: readonly Tenant[]): Promise<LineLengths[]> {
  const lengths: LineLengths[] = []
  for (const { id, slug } of tenants) {
    const { waiting, longest_wait_seconds } = await db.reader(id, 'reports').one<Omit<LineLengths, 'tenant'>>(
      `select count(*)::int as waiting, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as longest_wait_seconds
       from tickets where status = 'en_attente' and queue_id in (select q.id from queues q)`,
    )
    lengths.push({ tenant: slug, waiting, longest_wait_seconds: Number(longest_wait_seconds) })
  }
  return lengths
}
