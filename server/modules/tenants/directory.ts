import { LRUCache } from 'lru-cache'
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

const STALE_MILLISECONDS = 1000
/** Bounds what guessed slugs can occupy; far above the tenants active within a second. */
const MAX_ENTRIES = 10_000
const NONE = Symbol('no tenant')

export function tenantDirectory(db: Database): TenantDirectory {
  // Misses are kept too, so that a flood of one wrong name costs one statement a second.
  const cache = new LRUCache<string, Tenant | typeof NONE>({
    max: MAX_ENTRIES,
    ttl: STALE_MILLISECONDS,
    fetchMethod: async (key) => {
      const [column, value] = key.startsWith('#') ? ['id', key.slice(1)] : ['slug', key]
      const tenant = await db.platform((tx) =>
        tx.maybe<Tenant>(
          `select id, slug, name, locale, timezone, is_active, take_challenge from tenants where ${column} = $1`,
          [value],
        ),
      )
      return tenant ?? NONE
    },
  })
  const find = async (key: string) => {
    const entry = await cache.fetch(key)
    return entry === NONE ? undefined : entry
  }
  return {
    bySlug: (slug) => (/^[a-z0-9-]{1,63}$/.test(slug) ? find(slug) : Promise.resolve(undefined)),
    byId: (id) => (Number.isSafeInteger(id) && id > 0 ? find(`#${id}`) : Promise.resolve(undefined)),
    now(named) {
      const entry = cache.get(typeof named === 'number' ? `#${named}` : named)
      return entry === NONE ? undefined : entry
    },
  }
}
