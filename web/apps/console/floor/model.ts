import { newcomerEstimate } from '../../../../shared/views.ts'
import { applySite, type SiteEvent, type SiteView } from '../../../../shared/views.ts'
import { alertsOf, targetsOf, type Alert, type FloorFacts, type Targets } from '../../../../shared/floor.ts'
import { follow, type Following, type Freshness } from '../../../data/live.ts'
import {
  queuesClosingForecast,
  queuesStaffingRequirements,
  sitesFloor,
  type QueuesClosingForecast,
  type SitesFloor,
} from '../../../data/operations.ts'
import type { Shell } from '../shell/shell.ts'
import { loadCatalogue, type Catalogue } from '../state/catalogue.ts'
import { serverNow } from '../state/clock.ts'
import { isSignedOut } from '../state/session.ts'
import { Store } from '../state/store.ts'

/** Figures that grow by themselves are asked for anew; events ask at once, a burst of them once. */
const AGAIN_MS = 30_000
const BURST_MS = 400
/** Needs and closing times are simulations: now and then is enough. */
const OUTLOOK_MS = 120_000

/** What lies open over the floor. */
export type FloorSheet =
  | { kind: 'broadcast' }
  | { kind: 'last_ticket'; queueId?: number }
  | { kind: 'transfer'; queueId: number; tickets: readonly { id: number }[] }
  | { kind: 'move'; agentId?: number }
  | { kind: 'open'; queueId?: number }
  | { kind: 'agent'; agentId: number }

type FloorQueue = SitesFloor['queues'][number]
export type FloorAgent = SitesFloor['agents'][number]
export type Closing = QueuesClosingForecast
export interface Tile {
  queue: FloorQueue & { needed: number | null; unserved: number | null }
  targets: Targets
}
interface FloorState {
  catalogue: Catalogue | null
  floor: SitesFloor | null
  view: SiteView | null
  freshness: Freshness
  needed: ReadonlyMap<number, number | null>
  closing: ReadonlyMap<number, Closing>
}

/** A site as its supervisor sees it: the live feed for what changes with events, and one question for the rest. */
export class Floor extends Store<FloorState> {
  readonly shell: Shell
  readonly siteId: number
  readonly #feed: Following<SiteView, SiteEvent>
  readonly #timers: ReturnType<typeof setInterval>[]
  #pending: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  constructor(shell: Shell, siteId: number) {
    super({ catalogue: null, floor: null, view: null, freshness: 'fresh', needed: new Map(), closing: new Map() })
    this.shell = shell
    this.siteId = siteId
    this.#feed = follow<SiteView, SiteEvent>({
      path: `/ws/tenants/${shell.tenant}/sites/${siteId}/`,
      reduce: (view, event) => applySite(view, event),
      onView: (view, event) => {
        this.set({ view })
        if (event === null || !/^(queue\.pace|message)/.test(event.type)) this.#loadSoon()
      },
      onFreshness: (freshness) => this.set({ freshness }),
    })
    this.#timers = [setInterval(() => this.load(), AGAIN_MS), setInterval(() => this.#loadOutlooks(), OUTLOOK_MS)]
    void this.#begin()
  }
  close(): void {
    this.#isClosed = true
    this.#feed.close()
    clearTimeout(this.#pending)
    for (const timer of this.#timers) clearInterval(timer)
  }

  async #begin(): Promise<void> {
    try {
      const [catalogue] = await Promise.all([loadCatalogue(this.shell.tenant, this.siteId), this.load()])
      if (this.#isClosed) return
      this.set({ catalogue })
      await this.#loadOutlooks()
    } catch (error) {
      if (isSignedOut(error)) this.shell.expire()
      else this.shell.refuse(error)
    }
  }
  #loadSoon(): void {
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined
      void this.load()
    }, BURST_MS)
  }
  /** Asks for what no event tells. */
  load = async (): Promise<void> => {
    const floor = await this.shell.run(sitesFloor, { id: this.siteId }).catch(() => null)
    if (floor && !this.#isClosed) this.set({ floor })
  }
  async #loadOutlooks(): Promise<void> {
    const { floor } = this.state
    if (!floor) return
    const zone = floor.site.timezone
    const date = new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(serverNow())
    const time = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(
      serverNow(),
    )
    for (const { id, goal_seconds, goal_percent } of floor.queues) {
      if (this.#isClosed) return
      const goal = { within_seconds: goal_seconds, share: Math.min(0.999, Math.max(0.01, goal_percent / 100)) }
      const [need, closing] = await Promise.all([
        this.shell.run(queuesStaffingRequirements, { id, date, ...goal }).catch(() => null),
        this.shell.run(queuesClosingForecast, { id }).catch(() => null),
      ])
      if (this.#isClosed) return
      const slot = need?.half_hours.findLast(({ from }) => from <= time)
      this.set({
        needed: new Map(this.state.needed).set(id, slot?.required ?? null),
        ...(closing && { closing: new Map(this.state.closing).set(id, closing) }),
      })
    }
  }

  /** Every line with its figures and targets. Lengths, counters and waits to come are those of the live feed. */
  tiles(): Tile[] {
    const { floor, view, needed, closing } = this.state
    if (!floor) return []
    return floor.queues.map((queue) => {
      const line =
        view && view.offset >= floor.offset ? view.lines.find((each) => each.queue.id === queue.id) : undefined
      const estimate = line && view ? newcomerEstimate({ ...line.queue, ...line }, view.agents) : undefined
      const merged = {
        ...queue,
        ...(line &&
          view && {
            status: line.queue.status,
            // A key pressed as soon as the word is there must mean what is there.
            is_active: line.queue.status !== 'paused',
            waiting: line.waiting_count,
            agents_open: view.agents.filter(
              ({ queue_ids, status }) =>
                queue_ids.includes(queue.id) && ['available', 'calling', 'serving', 'wrap_up'].includes(status),
            ).length,
          }),
        ...estimate,
        needed: needed.get(queue.id) ?? null,
        unserved: closing.get(queue.id)?.unserved ?? null,
      }
      return { queue: merged, targets: targetsOf(merged) }
    })
  }
  facts(): FloorFacts {
    const { floor, catalogue } = this.state
    const agents = floor?.agents ?? []
    const taken = new Set(agents.flatMap(({ counter_id }) => counter_id ?? []))
    return {
      queues: this.tiles().map(({ queue }) => queue),
      agents,
      devices: floor?.devices ?? [],
      free_counter_ids: (catalogue?.counters ?? []).flatMap(({ id }) => (taken.has(id) ? [] : id)),
    }
  }
  /** Alerts nobody looks after yet, and those somebody does. */
  alerts(): (Alert & { by: string | null })[] {
    const taken = new Map(this.state.floor?.acknowledged.map(({ alert, by }) => [alert, by]))
    return alertsOf(this.facts(), serverNow()).map((alert) => ({ ...alert, by: taken.get(alert.name) ?? null }))
  }
}
