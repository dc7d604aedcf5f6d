import type { Actor, Role, Scope } from './access.ts'
import type { Database } from './db/types.ts'
import type { Hub, StreamEvent } from './events/index.ts'
import type { Tenant } from './operation.ts'
import type { Locale } from './schema.ts'

/**
 * A live view: a snapshot, then the events that change it. Declared by a module beside its operations and served by every
 * live transport. What is sent depends on the opened feed's `key` alone, so it is made once for all who follow it.
 */
export interface Feed {
  /** `queue`, `display`, `agent`, `site`, `ticket`. */
  name: string
  /** Path with `{param}`s and a trailing slash, e.g. `/ws/tenants/{tenant}/queues/{queue_id}/`. */
  path: string
  summary: string
  scope: Scope | null
  roles: readonly Role[]
  /** Decides whether this caller may follow it. Throws the one not-found error for a missing or foreign id. */
  open(ctx: FeedContext, params: Readonly<Record<string, string>>): Promise<OpenFeed>
}

export interface FeedContext {
  db: Database
  hub: Hub
  tenant: Tenant
  actor: Actor
  locale: Locale
}

export interface OpenFeed {
  /** The stream it follows; 0 is the tenant's own. */
  site_id: number
  /** Same key, same frames: name, ids and the audience, e.g. `queue:3:staff`. Unique within a tenant. */
  key: string
  /**
   * The state after the last event of this feed. `offset` is that event's (not merely the site's head), so that the next
   * frame's `after` equals it wherever the client reconnects. May already know more than the process's tail.
   */
  snapshot(): Promise<FeedSnapshot>
  /** Does this event belong to the feed? Called for every event of the site: no I/O. */
  select(event: StreamEvent): boolean
  /** Whom this caller's following shows to be at work; absent when it shows nobody. */
  presence?: { kind: 'agent' | 'device'; id: number } | undefined
  /** Payload of a selected event, without `type`, `offset`, `after` and `at`, which the transport adds. No I/O. */
  project(event: StreamEvent): Record<string, unknown>
}

export interface FeedSnapshot {
  epoch: string
  offset: number
  [property: string]: unknown
}
