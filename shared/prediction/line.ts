import { ByLength } from './by-length.ts'
import { MAX_CLASSES, ServiceOrder } from './order.ts'
import { CapacityProfile, DecayedRate } from './rates.ts'
import type { Ticket } from './sample.ts'
import { HourMeans, toLog } from './scale.ts'

/** Between two events nobody was at work for longer than this: the night does not count as slow service. */
const LONGEST_GAP_SECONDS = 3600
/** A service that has not ended after this long was forgotten. */
const LONGEST_SERVICE_SECONDS = 86_400
/** Services in progress that are remembered where ends are not told. */
const MOST_ENDLESS = 100
/** One ticket in five minutes, until something is configured or seen. */
const DEFAULT_RATE = 1 / 300
/** Waits that the average of the last ones is taken of. */
const RECENT = 10
/** Half-life of the load, in seconds. */
const LOAD_SECONDS = 1800
/** A mean service time follows the last so many. */
const SERVICES = 200
const CAPACITY_STEP = 0.15

/**
 * One line and what it has shown so far: who waits, who is served, how fast. A fold over events in the order of time,
 * the same whether they happen now or are read from a log. Times are seconds of the local wall clock.
 */
export class Line {
  /** By class, each in the order of arrival. */
  readonly waiting: Map<number, Ticket>[] = Array.from({ length: MAX_CLASSES }, () => new Map())
  waitingCount = 0
  /** Starts of the services in progress. */
  readonly serving = new Map<number, number>()
  /** Counters open, where somebody says so. */
  open: number | null = null
  /** Starts per second to believe in before any were seen. */
  priorRate = DEFAULT_RATE
  clock = Number.NEGATIVE_INFINITY
  startsSeen = 0
  endsSeen = 0
  /** Servers at work while somebody waits: what "all busy" is. */
  capacity = 0
  /** Mean of services whose end was told. */
  serviceSeconds = 0
  /** What the last to be called had waited, -1 before there was one, and what it had found ahead. */
  lastWait = -1
  lastAhead = 0
  recentLogs: number[] = []
  /** Arrivals and starts of the last half hour, fading. */
  arrivals = 0
  starts = 0
  /** Starts by second while somebody waits: long, an hour, a quarter. */
  readonly paces = [new DecayedRate(36_000), new DecayedRate(3600), new DecayedRate(900)] as const
  /** Today's starts by those the profile expects. */
  readonly level = new DecayedRate(2400)
  /** Starts by open-counter second. */
  readonly counterPace = new DecayedRate(40_000)
  readonly abandonment = new DecayedRate(500_000)
  readonly profile = new CapacityProfile()
  readonly byLength = new ByLength()
  readonly byHour = new HourMeans()
  readonly order = new ServiceOrder()

  /** Time passes; going back is ignored. */
  advance(at: number): void {
    if (!(at > this.clock)) return
    const from = this.clock
    this.#age(at)
    if (this.waitingCount > 0 && this.startsSeen > 0)
      this.profile.expose(from, from + Math.min(at - from, LONGEST_GAP_SECONDS))
  }

  /**
   * Looks at the line as it will be at `at` if nothing happens, and leaves it as it was: asking must not change what is
   * answered later, or a replay of the log would not give the same answers.
   */
  peek<T>(at: number, look: () => T): T {
    const { clock, arrivals, starts } = this
    const rates = this.#rates().map((rate) => rate.save())
    if (at > clock) this.#age(at)
    const seen = look()
    Object.assign(this, { clock, arrivals, starts })
    for (const [i, rate] of this.#rates().entries()) rate.load(rates[i]!)
    return seen
  }

  #age(at: number) {
    const from = this.clock
    this.clock = at
    if (from === Number.NEGATIVE_INFINITY) return
    const fade = 2 ** ((from - at) / LOAD_SECONDS)
    this.arrivals *= fade
    this.starts *= fade
    // Until somebody was called nobody knows that the doors are open.
    if (this.waitingCount === 0 || this.startsSeen === 0) return
    const lived = Math.min(at - from, LONGEST_GAP_SECONDS)
    this.level.expose(this.profile.rate(from, this.overallRate) * lived, lived)
    for (const pace of this.paces) pace.expose(lived)
    if (this.open) this.counterPace.expose(this.open * lived, lived)
    this.abandonment.expose(lived * this.waitingCount)
  }

  get overallRate(): number {
    return this.paces[0].rate(this.believedRate, 600)
  }
  /** Starts per second when all are busy, before the line itself showed any: servers by mean service, or as configured. */
  get believedRate(): number {
    const isMeasured = this.endsSeen > 5 && this.seesEnds && this.serviceSeconds > 0
    return isMeasured ? Math.max(1, this.capacity) / this.serviceSeconds : this.priorRate
  }
  /** Whether ends of services are told, so that it is known who is busy. */
  get seesEnds(): boolean {
    return this.endsSeen > 0.5 * this.startsSeen
  }
  get busy(): number {
    return this.serving.size
  }
  /** Servers that could start at once; 0 when ends of services are not told. */
  get idle(): number {
    return this.seesEnds && this.waitingCount === 0 ? Math.max(0, Math.round(this.capacity) - this.busy) : 0
  }

  /** Expected number of those who wait now and will be called before a ticket of this class that came at `at`. */
  ahead({ kind, at, id }: Pick<Ticket, 'kind' | 'at' | 'id'>): number {
    let ahead = 0
    for (let other = 0; other < MAX_CLASSES; other++) {
      const line = this.waiting[other]!
      if (line.size === 0) continue
      const isIn = line.has(id)
      let earlier = line.size
      if (isIn || at < this.clock) {
        earlier = 0
        for (const ticket of line.values()) {
          if (ticket.at > at || ticket.id === id) break
          earlier++
        }
      }
      const later = line.size - earlier - (isIn ? 1 : 0)
      ahead += earlier * (1 - this.order.overtakes(kind, other)) + later * this.order.overtakes(other, kind)
    }
    return ahead
  }

  arrive(ticket: Ticket): void {
    this.waiting[ticket.kind]!.set(ticket.id, ticket)
    this.waitingCount++
    this.arrivals++
  }

  leave(ticket: Ticket): void {
    this.#remove(ticket)
    this.abandonment.count()
  }

  start(ticket: Ticket, at: number): void {
    this.#remove(ticket)
    const waited = at - ticket.at
    this.startsSeen++
    this.starts++
    this.serving.set(ticket.id, at)
    if (!this.seesEnds && this.serving.size > MOST_ENDLESS) this.serving.delete(this.serving.keys().next().value!)
    // A start that nobody had to wait for says nothing about how fast the line moves when somebody does.
    if (waited > 0 || this.waitingCount > 0) this.#move(ticket, at)
    if (waited > 0) this.capacity += (this.busy - this.capacity) * (this.capacity === 0 ? 1 : CAPACITY_STEP)
    else if (this.busy > this.capacity) this.capacity = this.busy
    const log = toLog(waited)
    this.byLength.learn(ticket.kind, ticket.bucket, log)
    this.byHour.learn(ticket.at, log)
    this.lastWait = waited
    this.lastAhead = ticket.ahead
    this.recentLogs.push(log)
    if (this.recentLogs.length > RECENT) this.recentLogs.shift()
  }

  #move(started: Ticket, at: number) {
    for (const pace of this.paces) pace.count()
    this.profile.count(at)
    this.level.count()
    if (this.open) this.counterPace.count()
    for (let other = 0; other < MAX_CLASSES; other++) {
      const head = this.waiting[other]!.values().next().value
      if (!head) continue
      if (head.at < started.at) this.order.saw(started.kind, other, true)
      else this.order.saw(other, started.kind, false)
    }
  }

  #remove({ id, kind }: Ticket) {
    if (this.waiting[kind]!.delete(id)) this.waitingCount--
  }

  end(id: number, at: number): void {
    const started = this.serving.get(id)
    if (started === undefined) return
    this.serving.delete(id)
    this.endsSeen++
    this.serviceSeconds += (at - started - this.serviceSeconds) / Math.min(this.endsSeen, SERVICES)
    for (const [forgotten, since] of this.serving) {
      if (at - since < LONGEST_SERVICE_SECONDS) break
      this.serving.delete(forgotten)
    }
  }

  /** What the head of the line has waited; 0 when nobody waits. */
  headWait(at: number): number {
    let first = at
    for (const line of this.waiting) first = Math.min(first, line.values().next().value?.at ?? at)
    return at - first
  }

  save() {
    const { open, priorRate, clock, startsSeen, endsSeen, capacity, serviceSeconds } = this
    const { lastWait, lastAhead, recentLogs, arrivals, starts } = this
    return {
      plain: {
        open,
        priorRate,
        clock,
        startsSeen,
        endsSeen,
        capacity,
        serviceSeconds,
        lastWait,
        lastAhead,
        arrivals,
        starts,
      },
      recentLogs: [...recentLogs],
      serving: [...this.serving],
      rates: this.#rates().map((rate) => rate.save()),
      profile: this.profile.save(),
      byLength: this.byLength.save(),
      byHour: this.byHour.save(),
      order: this.order.save(),
    }
  }

  load(saved: ReturnType<Line['save']>): void {
    Object.assign(this, saved.plain)
    // JSON has no infinity: a line that saw nothing yet.
    if (saved.plain.clock === null) this.clock = Number.NEGATIVE_INFINITY
    this.recentLogs = saved.recentLogs
    for (const [id, since] of saved.serving) this.serving.set(id, since)
    for (const [i, rate] of this.#rates().entries()) rate.load(saved.rates[i]!)
    this.profile.load(saved.profile)
    this.byLength.load(saved.byLength)
    this.byHour.load(saved.byHour)
    this.order.load(saved.order)
  }

  #rates = () => [...this.paces, this.level, this.counterPace, this.abandonment]
}
