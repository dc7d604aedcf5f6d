import { LRUCache } from 'lru-cache'
import type { Tx } from '../../../kernel/db/types.ts'
import type { Hub, Tail } from '../../../kernel/events/index.ts'
import { BOARD_AGENT } from './sql.ts'
import { SiteLive, type SiteState, type Waiting } from './site-live.ts'

/** Sites kept at once; the one asked for longest ago is dropped and read again at need. */
const MAX_SITES = 1000

/** One ordered scan of who waits, with the stream's place in the same snapshot. */
const STATE = `
  select json_build_object('epoch', s.epoch, 'offset', s.last_offset,
           'agents', (select coalesce(json_agg(${BOARD_AGENT}), '[]') from agents a where a.site_id = s.site_id),
           'paces', (select coalesce(json_agg(json_build_object('queue_id', st.queue_id, 'service_seconds', st.service_seconds,
             'forecast', st.forecast)), '[]')
                     from queues q join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id
                     where q.site_id = s.site_id)) as meta,
         null::bigint as queue_id, null::bigint as rank, null::bigint as id
  from streams s where s.site_id = $1
  union all
  (select null, t.queue_id, t.rank, t.id from tickets t
   where t.queue_id in (select q.id from queues q where q.site_id = $1) and t.status = 'en_attente'
   order by t.queue_id, t.rank, t.id)`

async function readState(tx: Tx, siteId: number): Promise<SiteState> {
  const rows = await tx.query<{ meta: Omit<SiteState, 'waiting'> | null } & Waiting>(STATE, [siteId])
  const head = rows.findIndex(({ meta }) => meta !== null)
  if (head < 0) throw new Error('no such stream')
  const { meta } = rows[head]!
  return { ...meta!, waiting: rows.filter((_, i) => i !== head) }
}

/** A projection and the tail that keeps it. */
class Followed {
  readonly live: SiteLive
  readonly tail: Tail
  constructor(live: SiteLive, tail: Tail) {
    this.live = live
    this.tail = tail
  }
  /** Takes in all the tail has; false when that is no longer possible and the site must be read anew. */
  catchUp(): boolean {
    if (this.live.epoch !== this.tail.epoch) return false
    if (this.live.offset >= this.tail.offset) return true
    return this.tail.recent(this.live.offset)?.every((event) => this.live.apply(event)) ?? false
  }
}

/** The projections of one process, by tenant and site. */
class Sites {
  #hub: Hub
  #loading = new Map<string, Promise<Followed>>()
  #sites = new LRUCache<string, Followed>({
    max: MAX_SITES,
    dispose: (site, key) => this.#unfollow(site, key),
  })
  #stops = new Map<string, () => void>()

  constructor(hub: Hub) {
    this.#hub = hub
  }

  /** The site as far as this process knows, or undefined when it has not been read. Never waits. */
  ready(tenantId: number, siteId: number): SiteLive | undefined {
    const key = `${tenantId}:${siteId}`
    const site = this.#sites.get(key)
    if (!site) return undefined
    if (site.catchUp()) return site.live
    this.#sites.delete(key)
    return undefined
  }

  /** Reads the site if need be; callers at once share one read. Rejects when the site does not exist. */
  async load(tenantId: number, siteId: number): Promise<SiteLive> {
    const ready = this.ready(tenantId, siteId)
    if (ready) return ready
    const key = `${tenantId}:${siteId}`
    let loading = this.#loading.get(key)
    if (!loading) {
      loading = this.#read(key, tenantId, siteId).finally(() => this.#loading.delete(key))
      this.#loading.set(key, loading)
    }
    return (await loading).live
  }

  async #read(key: string, tenantId: number, siteId: number): Promise<Followed> {
    // Followed first and read second: what happens between the two is in the tail's memory.
    const tail = await this.#hub.tail(tenantId, siteId)
    for (let attempt = 1; ; attempt++) {
      const live = new SiteLive(await readState(this.#hub.reader(tenantId), siteId))
      const site = new Followed(live, tail)
      if (live.epoch !== tail.epoch) await tail.refresh()
      if (!site.catchUp()) {
        if (attempt === 5) throw new Error(`site ${siteId} does not stand still`)
        continue
      }
      const listener = () => {
        if (!site.catchUp()) this.#sites.delete(key)
      }
      const onReset = () => void this.#sites.delete(key)
      tail.listeners.add(listener)
      tail.resets.add(onReset)
      this.#sites.set(key, site)
      this.#stops.set(key, () => {
        tail.listeners.delete(listener)
        tail.resets.delete(onReset)
      })
      return site
    }
  }

  #unfollow(_site: Followed, key: string) {
    this.#stops.get(key)?.()
    this.#stops.delete(key)
  }
}

const byHub = new WeakMap<Hub, Sites>()
function sitesOf(hub: Hub): Sites {
  let sites = byHub.get(hub)
  if (!sites) byHub.set(hub, (sites = new Sites(hub)))
  return sites
}

/**
 * The site's projection, read at first need, at `offset` or later. Not for use inside a transaction. Rejects when the
 * site does not exist.
 */
export async function loadSite(hub: Hub, tenantId: number, siteId: number, offset = 0): Promise<SiteLive> {
  const live = await sitesOf(hub).load(tenantId, siteId)
  if (live.offset >= offset) return live
  // Another process committed what this one has not heard of yet.
  await (await hub.tail(tenantId, siteId)).refresh()
  return sitesOf(hub).load(tenantId, siteId)
}

/** The site's projection if this process has it; otherwise it is read in the background, for the next who asks. */
export function siteIfLoaded(hub: Hub, tenantId: number, siteId: number): SiteLive | undefined {
  const sites = sitesOf(hub)
  const live = sites.ready(tenantId, siteId)
  if (!live) void sites.load(tenantId, siteId).catch(() => {})
  return live
}
