import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { callNext, complete, noShow, recall, type Seat, setStatus, start, takeAs, type Ticket } from './actors.ts'
import { ApiClient, type ClientOptions } from './client.ts'
import { castDay, openShare, presentAt, type DemoAgent, type DemoPart } from './demo-plan.ts'
import { DAY_SECONDS, planTrace, type PlannedVisit } from './plan.ts'
import { readTrace } from './trace.ts'

export interface DemoDayOptions {
  baseUrl: string
  /** The demo's tenants, each with an administrator. */
  tenants: readonly Omit<ClientOptions, 'baseUrl'>[]
  /** Virtual seconds per real second. Default 20: a day in under half an hour. */
  speed?: number | undefined
  /** Time of day the demo begins at, `HH:MM`. Default 10:30, when people wait. */
  from?: string | undefined
  /** Which agents the demo plays; the others are left to whoever tries them. Default: all. */
  plays?: ((agent: { id: number; name: string; user_id: number | null }) => boolean) | undefined
  /** Told of what went wrong; the demo goes on. */
  onError?: ((error: unknown) => void) | undefined
}

/** One real day: 13 January 2020 at Warsaw-Ochota (see NOTICE.txt beside it). */
const DAY_FILE = fileURLToPath(new URL('../../db/demo/warsaw-ochota-day.csv.gz', import.meta.url))
/** From the call to the counter, and how long an agent waits for somebody who does not come. */
const WALK_SECONDS = 30
const NO_SHOW_SECONDS = 60
/** Every so many-th visitor does not come when called. */
const NO_SHOW_EVERY = 37
/** An idle agent looks again at least this often: people who try the demo take tickets too. */
const LOOK_MS = 3000
const TROUBLE_MS = 2000
const CHANNELS = ['kiosk', 'kiosk', 'kiosk', 'qr', 'kiosk', 'web', 'kiosk', 'reception'] as const
const LANGUAGES = ['fr', 'fr', 'ar', 'fr', 'en'] as const

/**
 * Plays one real office day in the demo's tenants, again and again, over HTTP like anybody else: visitors arrive as they
 * did, agents call, serve, recall and mark no-shows, so that everything on screen lives. Starts mid-morning with the
 * people who were there. Never throws and never stops by itself.
 * @returns stops it; resolves when nothing of it runs any more
 */
export function startDemoDay(options: DemoDayOptions): () => Promise<void> {
  const stopping = new AbortController()
  const runs = options.tenants.map((tenant, i) => new DemoTenant(options, tenant, i, stopping.signal).run())
  return async () => {
    stopping.abort()
    await Promise.all(runs)
  }
}

interface AgentRow {
  id: number
  name: string
  user_id: number | null
  site_id: number
  counter_id: number | null
  queues: { queue_id: number }[]
}

class DemoTenant {
  #options: DemoDayOptions
  #client: ApiClient
  #turn: number
  #signal: AbortSignal
  #speed: number
  #now: () => number = () => 0
  #parts: DemoPart[] = []
  /** How long the known visitors' services take, by ticket. */
  #visits = new Map<number, PlannedVisit>()
  /** Wakes idle agents. */
  #bell = new EventTarget()

  constructor(options: DemoDayOptions, tenant: DemoDayOptions['tenants'][number], index: number, signal: AbortSignal) {
    this.#options = options
    this.#client = new ApiClient({ ...tenant, baseUrl: options.baseUrl, signal })
    this.#turn = index * 3
    this.#signal = signal
    this.#speed = options.speed ?? 20
  }

  /** Plays until stopped; whatever fails is reported and tried again. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) await this.#surviving(() => this.#play())
  }

  async #play(): Promise<void> {
    const day = planTrace(await Array.fromAsync(readTrace(DAY_FILE)))
    const queues = await Array.fromAsync(this.#client.list<{ id: number; is_active: boolean }>('demo', '/queues/'))
    const rows = await Array.fromAsync(this.#client.list<AgentRow>('demo', '/agents/'))
    const counters = await Array.fromAsync(this.#client.list<{ id: number; site_id: number }>('demo', '/counters/'))
    const free = counters.filter((counter) => !rows.some((row) => row.counter_id === counter.id))
    const agents = rows
      .filter((row) => row.queues.length > 0 && (this.#options.plays?.(row) ?? true))
      .flatMap((row): (DemoAgent & Seat)[] => {
        const place = free.findIndex((counter) => counter.site_id === row.site_id)
        const counterId = row.counter_id ?? (place < 0 ? undefined : free.splice(place, 1)[0]?.id)
        // Nobody calls without a counter to call to.
        return counterId === undefined
          ? []
          : [{ id: row.id, counterId, queueIds: row.queues.map((queue) => queue.queue_id) }]
      })
    const served = queues.filter(
      (queue) => queue.is_active && agents.some((agent) => agent.queueIds.includes(queue.id)),
    )
    this.#parts = castDay(
      day,
      served.map((queue) => queue.id),
      agents,
      this.#turn,
    )
    if (this.#parts.length === 0) return void (await this.#sleep(60_000))
    await Promise.all([this.#days(), ...agents.map((agent, n) => this.#work(agent, (n + 0.5) / agents.length))])
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
        for (const visit of presentAt(part.plan, opening))
          await this.#surviving(() => this.#arrive(part.queueId, visit))
      }
      for (const { visit, queueId } of visits) {
        if (visit.arrival_s <= opening) continue
        await this.#sleep(((visit.arrival_s - this.#now()) * 1000) / this.#speed)
        if (this.#signal.aborted) return
        await this.#surviving(() => this.#arrive(queueId, visit))
      }
      this.#visits.clear()
    }
  }

  async #arrive(queueId: number, visit: PlannedVisit): Promise<void> {
    const channel = CHANNELS[visit.index % CHANNELS.length] ?? 'kiosk'
    const language = LANGUAGES[visit.index % LANGUAGES.length] ?? 'fr'
    const ticket = await takeAs(this.#client, { queue_id: queueId, channel, language })
    this.#visits.set(ticket.id, visit)
    this.#bell.dispatchEvent(new Event('ring'))
  }

  /** One agent's days. `place` between 0 and 1: at their counter while at least that share of the counters is open. */
  async #work(agent: DemoAgent & Seat, place: number): Promise<void> {
    let status = ''
    await this.#surviving(() => this.#finishLeftover(agent))
    while (!this.#signal.aborted) {
      await this.#surviving(
        async () => {
          const wanted = place <= openShare(this.#parts, this.#now()) ? 'available' : 'break'
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
    const visit = this.#visits.get(ticket.id)
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
