import { Cache } from '../../kernel/cache/cache.ts'
import { ALL, type CacheKey } from '../../kernel/cache/key.ts'
import type { Database } from '../../kernel/db/types.ts'
import type { Tenant } from '../../kernel/operation.ts'

/** Tenants by slug and by id for every request. An answer is at most one second old. */
export interface TenantDirectory {
  /** undefined when there is no such tenant; an inactive one is found, with `is_active` false. */
  bySlug(slug: string): Promise<Tenant | undefined>
  byId(id: number): Promise<Tenant | undefined>
  /** By slug or id if the answer is at hand; undefined says nothing. */
  now(named: string | number): Tenant | undefined
}

const LIFE_MS = 1000

/** @param cache shared by all processes where there is a second level */
export function tenantDirectory(db: Database, cache = new Cache()): TenantDirectory {
  // Misses are kept too, so that a flood of one wrong name costs one statement a second.
  const find = (column: 'id' | 'slug', value: string | number) =>
    cache.get(keyOf(value), LIFE_MS, () =>
      db.platform((tx) =>
        tx.maybe<Tenant>(
          `select id, slug, name, locale, timezone, is_active, take_challenge, brand_colour, languages,
             switched_off || array(select p.name from platform_switches p where p.is_off) as switched_off,
             (select coalesce(jsonb_agg(jsonb_build_object('level', n.level, 'texts', n.texts) order by n.id), '[]')
              from platform_notices n where n.ended_at is null and 'visitor' = any (n.surfaces)) as notices
           from tenants where ${column} = $1`,
          [value],
        ),
      ),
    )
  return {
    bySlug: (slug) => (/^[a-z0-9-]{1,63}$/.test(slug) ? find('slug', slug) : Promise.resolve(undefined)),
    byId: (id) => (Number.isSafeInteger(id) && id > 0 ? find('id', id) : Promise.resolve(undefined)),
    now: (named) => cache.peek<Tenant>(keyOf(named)),
  }
}

/** Who asks makes no difference: it is what requests are placed by. */
function keyOf(named: string | number): CacheKey {
  const [tenant, of] = typeof named === 'number' ? ([named, ''] as const) : ([ALL, named] as const)
  return { what: 'tenant', version: 3, tenant, reader: ALL, language: ALL, of }
}
