import { setTimeout as delay } from 'node:timers/promises'
import { callNext, complete, noShow, recall, type Seat, setStatus, start, takeAs, type Ticket } from './actors.ts'
import { ApiClient, type ClientOptions } from './client.ts'
import { castTenant, type DemoAgentRow } from './demo-cast.ts'
import {
  CHANNELS,
  isOnDuty,
  NO_SHOW_EVERY,
  presentAt,
  WALK_SECONDS,
  type DemoAgent,
  type DemoPart,
} from './demo-plan.ts'
import { type PlannedVisit } from './plan.ts'
import { DAY_SECONDS } from './staffing.ts'

export interface DemoDayOptions {
  baseUrl: string
  /** The demo's tenants, each with an administrator. */
  tenants: readonly Omit<ClientOptions, 'baseUrl'>[]
  /** Virtual seconds per real second. Default 20: a day in under half an hour. */
  speed?: number | undefined
  /** Time of day the demo begins at, `HH:MM`. Default 10:30, when people wait. */
  from?: string | undefined
  /** Which agents the demo plays; the others are left to whoever tries them. Default: all. */
  plays?: ((agent: DemoAgentRow) => boolean) | undefined
  /** Told of what went wrong; the demo goes on. */
  onError?: ((error: unknown) => void) | undefined
}

/** How long an agent waits for somebody who does not come. */
const NO_SHOW_SECONDS = 60
/** An idle agent looks again at least this often: people who try the demo take tickets too. */
const LOOK_MS = 3000
const TROUBLE_MS = 2000
const LANGUAGES = ['fr', 'fr', 'ar', 'fr', 'en'] as const

/**
 * Plays one real office day in the demo's tenants, again and again, over HTTP like anybody else: visitors arrive as they
 * did, agents call, serve, recall and mark no-shows, so that everything on screen lives. Starts mid-morning with the
 * people who were there. Never throws and never stops by itself.
 * @returns stops it; resolves when nothing of it runs any more
 */
export function startDemoDay(options: DemoDayOptions): () => Promise<void> {
  const stopping = new AbortController()
  const runs = options.tenants.map((tenant) => new DemoTenant(options, tenant, stopping.signal).run())
  return async () => {
    stopping.abort()
    await Promise.all(runs)
  }
}

class DemoTenant {
  #options: DemoDayOptions
  #client: ApiClient
  #signal: AbortSignal
  #speed: number
  #now: () => number = () => 0
  #parts: DemoPart[] = []
  /** Visitors of the day who have not been called, by ticket. */
  #visits = new Map<number, { visit: PlannedVisit; queueId: number }>()
  /** Wakes idle agents. */
  #bell = new EventTarget()

  constructor(options: DemoDayOptions, tenant: DemoDayOptions['tenants'][number], signal: AbortSignal) {
    this.#options = options
    this.#client = new ApiClient({ ...tenant, baseUrl: options.baseUrl, signal })
    this.#signal = signal
    this.#speed = options.speed ?? 20
  }

  /** Plays until stopped; whatever fails is reported and tried again. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) await this.#surviving(() => this.#play())
  }

  async #play(): Promise<void> {
    const cast = await castTenant(this.#client, this.#options.plays ?? (() => true))
    this.#parts = cast.parts
    if (this.#parts.length === 0) return void (await this.#sleep(60_000))
    await Promise.all([this.#days(), ...cast.agents.map((agent) => this.#work(agent, cast.agents))])
  }

  /** Visitors, one day after the other, each beginning mid-morning. */
  async #days(): Promise<void> {
    const visits = this.#parts.flatMap((part) => part.plan.visits.map((visit) => ({ visit, queueId: part.queueId })))
    visits.sort((a, b) => a.visit.arrival_s - b.visit.arrival_s)
    const midnight = Math.floor((visits[0]?.visit.arrival_s ?? 0) / DAY_SECONDS) * DAY_SECONDS
    const [hours = 10, minutes = 30] = (this.#options.from ?? '10:30').split(':').map(Number)
    const opening = midnight + hours * 3600 + minutes * 60
    while (!this.#signal.aborted) {
      const origin = performance.now()
      this.#now = () => opening + ((performance.now() - origin) / 1000) * this.#speed
      for (const part of this.#parts) {
        const present = presentAt(part.plan, opening)
        // Whoever still waits from the day before is there already.
        const waiting = this.#visits.values().filter(({ queueId }) => queueId === part.queueId)
        for (const visit of present.slice(waiting.toArray().length)) {
          await this.#surviving(() => this.#arrive(part.queueId, visit))
        }
      }
      for (const { visit, queueId } of visits) {
        if (visit.arrival_s <= opening) continue
        await this.#sleep(((visit.arrival_s - this.#now()) * 1000) / this.#speed)
        if (this.#signal.aborted) return
        await this.#surviving(() => this.#arrive(queueId, visit))
      }
    }
  }

  async #arrive(queueId: number, visit: PlannedVisit): Promise<void> {
    const channel = CHANNELS[visit.index % CHANNELS.length] ?? 'kiosk'
    const language = LANGUAGES[visit.index % LANGUAGES.length] ?? 'fr'
    const ticket = await takeAs(this.#client, { queue_id: queueId, channel, language })
    this.#visits.set(ticket.id, { visit, queueId })
    this.#bell.dispatchEvent(new Event('ring'))
  }

  /** One agent's days: at the counter as long as the day has it open. */
  async #work(agent: DemoAgent & Seat, agents: readonly DemoAgent[]): Promise<void> {
    let status = ''
    await this.#surviving(() => this.#finishLeftover(agent))
    while (!this.#signal.aborted) {
      await this.#surviving(
        async () => {
          const wanted = isOnDuty(agent, agents, this.#parts, this.#now()) ? 'available' : 'break'
          if (wanted !== status) await setStatus(this.#client, agent, wanted)
          status = wanted
          const ticket = wanted === 'available' ? await callNext(this.#client, agent.id) : null
          if (ticket) await this.#serve(ticket)
          else await this.#idle()
        },
        () => (status = ''),
      )
    }
  }

  async #serve(ticket: Ticket): Promise<void> {
    const visit = this.#visits.get(ticket.id)?.visit
    this.#visits.delete(ticket.id)
    if (visit && visit.index % NO_SHOW_EVERY === 0) {
      await this.#virtualSleep(NO_SHOW_SECONDS)
      // Recalling too early is refused by a queue's own rule; then the person is simply given up.
      await recall(this.#client, ticket.id).catch(() => {})
      await this.#virtualSleep(NO_SHOW_SECONDS)
      return void (await noShow(this.#client, ticket.id))
    }
    await this.#virtualSleep(WALK_SECONDS)
    await start(this.#client, ticket.id)
    await this.#virtualSleep(visit?.service_s ?? 300)
    await complete(this.#client, ticket.id)
  }

  /** What this agent was serving when the demo last stopped. */
  async #finishLeftover(agent: DemoAgent): Promise<void> {
    for (const status of ['appelé', 'en_service']) {
      const path = `/tickets/?agent=${agent.id}&status=${encodeURIComponent(status)}`
      for await (const ticket of this.#client.list<Ticket>('demo', path)) {
        if (status === 'appelé') await start(this.#client, ticket.id)
        await complete(this.#client, ticket.id)
      }
    }
  }

  async #idle(): Promise<void> {
    const woken = new AbortController()
    const wake = () => woken.abort()
    this.#bell.addEventListener('ring', wake, { once: true })
    await delay(LOOK_MS, undefined, { signal: AbortSignal.any([this.#signal, woken.signal]) }).catch(() => {})
    this.#bell.removeEventListener('ring', wake)
  }

  #virtualSleep(seconds: number): Promise<void> {
    return this.#sleep((seconds * 1000) / this.#speed)
  }
  /** Sleeps, or returns at once when the demo stops. */
  async #sleep(ms: number): Promise<void> {
    if (ms > 0) await delay(ms, undefined, { signal: this.#signal }).catch(() => {})
  }

  async #surviving(act: () => Promise<void>, onError?: () => void): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (this.#signal.aborted) return
      onError?.()
      this.#options.onError?.(error)
      await this.#sleep(TROUBLE_MS)
    }
  }
}
