import { LRUCache } from 'lru-cache'
import { notFound } from '../../kernel/errors.ts'
import type { Hub, StreamEvent } from '../../kernel/events/index.ts'
import type { Context, Place } from '../../kernel/operation.ts'
import type { AlgorithmSettings } from './algorithm.ts'
import type { PublishedRule } from './rules/engine.ts'
import { closesAt, isOpen, nextOpening, type OpeningHours } from '../sites/index.ts'
import { upTo } from '../../kernel/up-to.ts'

/** Everything the ticket operations need to know of a queue. */
export interface QueueConfig {
  id: number
  site_id: number
  service_id: number
  name: string
  algorithm: string
  algorithm_settings: AlgorithmSettings
  /** In force, in order. */
  rules: PublishedRule[]
  max_capacity: number | null
  is_active: boolean
  number_prefix: string
  number_first: number
  number_last: number
  number_reset: 'daily' | 'never'
  confirm_arrival: boolean
  max_recalls: number
  recall_gap_seconds: number
  no_show_after_seconds: number | null
  grace_seconds: number
  delay_budget: number
  carry_over: boolean
  one_ticket_per_device: boolean
  /** Of the site. */
  timezone: string
  opening_hours: OpeningHours | null
  site_is_active: boolean
  latitude: number | null
  longitude: number | null
  presence_radius_metres: number | null
  service: {
    code: string
    required_fields: string[]
    expected_duration_seconds: number
    is_active: boolean
  }
}

const CONFIGS = `
  select q.id, q.site_id, q.service_id, q.name, q.algorithm, q.algorithm_settings, q.max_capacity, q.is_active, q.number_prefix,
         q.number_first, q.number_last, q.number_reset, q.confirm_arrival, q.max_recalls, q.recall_gap_seconds,
         q.no_show_after_seconds, q.grace_seconds, q.delay_budget, q.carry_over, q.one_ticket_per_device,
         coalesce((select v.rules from queue_rule_versions v where v.tenant_id = q.tenant_id and v.queue_id = q.id
                   order by v.version desc limit 1), '[]') as rules,
         s.timezone, s.opening_hours, s.is_active as site_is_active, s.latitude, s.longitude, s.presence_radius_metres,
         json_build_object('code', v.code, 'required_fields', v.required_fields,
           'expected_duration_seconds', v.expected_duration_seconds, 'is_active', v.is_active) as service
  from queues q
  join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id
  join services v on v.tenant_id = q.tenant_id and v.id = q.service_id
  where q.id = any($1)`

/**
 * Kept only while its stream is heard, whose poll finds a lost event within a second; the age bounds what changes without
 * an event (somebody's own SQL). Short ages cost a statement in nearly every batch of a tenant with many queues.
 */
const MAX_AGE_MS = 30_000
const MAX_QUEUES = 20_000
const CHANGES = /^(?:queue|site|service)\./

interface Entry {
  config: QueueConfig
  generation: number
}
/** One tenant's cache state: `generation` rises with every change of configuration anywhere in the tenant. */
interface TenantFollow {
  generation: number
  /** Streams whose changes are heard. Without that nothing of the site is kept. */
  followed: Set<number>
}

/** Of one process and database; keys carry the tenant, so no tenant can be given another's queue. */
class ConfigCache {
  readonly entries = new LRUCache<string, Entry>({ ...upTo(MAX_QUEUES), ttl: MAX_AGE_MS })
  #tenants = new Map<number, TenantFollow>()
  #hub: Hub

  constructor(hub: Hub) {
    this.#hub = hub
  }

  tenant(tenantId: number): TenantFollow {
    let tenant = this.#tenants.get(tenantId)
    if (!tenant) this.#tenants.set(tenantId, (tenant = { generation: 0, followed: new Set() }))
    return tenant
  }

  /**
   * Starts to listen, without waiting: the caller may hold a connection, and whoever holds one must not wait for
   * another. Until the tail stands, every caller reads the database.
   */
  follow(tenantId: number, siteId: number): boolean {
    const tenant = this.tenant(tenantId)
    if (tenant.followed.has(siteId)) return true
    void this.#listen(tenant, tenantId, siteId).catch(() => {})
    return false
  }

  #following = new Set<string>()
  async #listen(tenant: TenantFollow, tenantId: number, siteId: number) {
    const stream = `${tenantId}:${siteId}`
    if (this.#following.has(stream)) return
    this.#following.add(stream)
    try {
      const tail = await this.#hub.tail(tenantId, siteId)
      tail.listeners.add((events) => {
        if (events.some((event: StreamEvent) => CHANGES.test(event.type))) tenant.generation++
      })
      tail.resets.add(() => void tenant.generation++)
      tenant.followed.add(siteId)
    } finally {
      this.#following.delete(stream)
    }
  }
}

const caches = new WeakMap<Hub, ConfigCache>()
function cacheOf(hub: Hub): ConfigCache {
  let cache = caches.get(hub)
  if (!cache) caches.set(hub, (cache = new ConfigCache(hub)))
  return cache
}

type Caller = Pick<Context, 'tx' | 'tenant' | 'hub'>

/**
 * Configurations by queue id; an id that does not exist in this tenant is absent. At most one second old, and read
 * afresh at once after an event `queue.*`, `site.*` or `service.*` of the tenant was heard. Must not be called by an
 * operation that has changed configuration in its own transaction.
 */
export async function queueConfigs(ctx: Caller, queueIds: readonly number[]): Promise<Map<number, QueueConfig>> {
  const cache = cacheOf(ctx.hub)
  const tenant = cache.tenant(ctx.tenant.id)
  const { generation } = tenant
  const found = new Map<number, QueueConfig>()
  const missing = new Set<number>()
  for (const id of queueIds) {
    const entry = cache.entries.get(`${ctx.tenant.id}:${id}`)
    if (entry?.generation === generation) found.set(id, entry.config)
    else missing.add(id)
  }
  if (missing.size === 0) return found
  // Asked before the read: what changes while it runs is heard, and raises the generation.
  const followed = new Set(tenant.followed)
  for (const config of await ctx.tx.query<QueueConfig>(CONFIGS, [[...missing]])) {
    found.set(config.id, config)
    const isHeard = followed.has(0) && followed.has(config.site_id)
    if (isHeard) {
      if (tenant.generation === generation) cache.entries.set(`${ctx.tenant.id}:${config.id}`, { config, generation })
    } else {
      cache.follow(ctx.tenant.id, 0)
      cache.follow(ctx.tenant.id, config.site_id)
    }
  }
  return found
}

/** Configuration of one queue; see `queueConfigs`. Throws the one not-found error. */
export async function queueConfig(ctx: Caller, queueId: number): Promise<QueueConfig> {
  const config = (await queueConfigs(ctx, [queueId])).get(queueId)
  if (!config) throw notFound()
  return config
}

/** Where everything that concerns a queue is told; undefined when there is no such queue. */
export async function placeOfQueue(ctx: Caller, queueId: number): Promise<Place | undefined> {
  const config = (await queueConfigs(ctx, [queueId])).get(queueId)
  return config && { siteId: config.site_id, queueId }
}

/** As `queueConfig`, past the cache: what this transaction sees. */
export const freshQueueConfig = ({ tx }: Pick<Caller, 'tx'>, queueId: number): Promise<QueueConfig> =>
  tx.one<QueueConfig>(CONFIGS, [[queueId]])

/** Whether a queue takes people at an instant, by its switches and the site's hours; capacity is not looked at. */
export interface OpenState {
  is_open: boolean
  is_paused: boolean
  /** When the doors close; null when closed, or when they do not close. */
  closes_at: Temporal.Instant | null
  /** When they open next; null when open, or never again within reach. */
  opens_at: Temporal.Instant | null
}

type Hours = Pick<QueueConfig, 'is_active' | 'site_is_active' | 'timezone' | 'opening_hours'> & {
  service?: Pick<QueueConfig['service'], 'is_active'>
}
/** @param instant RFC 3339 in UTC, of the database's clock */
export function openState(config: Hours, instant: string): OpenState {
  const { timezone, opening_hours } = config
  const now = Temporal.Instant.from(instant)
  const isRun = config.site_is_active && config.service?.is_active !== false
  const is_open = isRun && isOpen(opening_hours, timezone, now)
  return {
    is_open,
    is_paused: !config.is_active,
    closes_at: is_open ? closesAt(opening_hours, timezone, now) : null,
    opens_at: is_open || !isRun ? null : nextOpening(opening_hours, timezone, now),
  }
}
