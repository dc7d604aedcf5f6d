import { lengthBucket } from './by-length.ts'
import { pack, unpack } from './codec.ts'
import { BASE, consult, COUNTED, EXPERTS, MIXED } from './experts.ts'
import { Line } from './line.ts'
import { Mixture } from './mixture.ts'
import { MAX_CLASSES } from './order.ts'
import { Regression } from './regression.ts'
import { Residuals } from './residuals.ts'
import { type Prediction, readTickets, type Sample, storeTickets, type Ticket } from './sample.ts'
import { clamp, DAY_SECONDS, toLog, toSeconds, weekendOf } from './scale.ts'
import { NightlyTrees } from './trees/nightly.ts'
import { rowOf, widthOf } from './trees/row.ts'

export type { Prediction } from './sample.ts'

const STATE_VERSION = 3

/** Features that say which line and class it is. */
const SLOTS = 12
const CIRCUMSTANCES = 18
const SLOTS_FROM = EXPERTS + CIRCUMSTANCES
const SIZE = SLOTS_FROM + SLOTS
/** Behind the competing experts a sample keeps what was learned online and what the trees said. */
const ONLINE = MIXED.length + 1
const TREES = ONLINE + 1

/** Learned apart: a newcomer who finds a free server, one who must wait, and one who has waited a while. */
const FREE = 0
const BUSY = 1
const LIVE = 2
const REGIMES = 3
/** Lines up to so long are told apart when errors are remembered. */
const LENGTHS = [0.5, 1.5, 3.5, 6.5, 11.5, 21.5, 41.5]
const FREE_CONTEXTS = 3
const CONTEXTS = FREE_CONTEXTS + 2 * (LENGTHS.length + 1)

/** Shorter waits are not estimated again. */
const LIVE_FROM_SECONDS = 120

/** No bound on what is told is lower, and so far above the three formulas it may be in log seconds. */
const LEAST_BOUND_SECONDS = 3600
const BEYOND_BASE = 1

/** Starts of a line until what was learned counts alone; before, two simple formulas do. */
const COLD_STARTS = 100

const SETTINGS = {
  ridge: 50,
  forget: 1,
  eta: 0.1,
  memory: 0.995,
  limit: 1.2,
  clip: 1.5,
  window: 250,
  deviation: 2,
  pending: 48,
}

interface Place {
  line: string
  kind: number
  slot: number
}

/**
 * Learns and predicts the waits of a group of lines that share their customers' habits: the queues of one site. Events
 * come in the order of time (seconds of the local wall clock); a prediction uses what came before it and nothing else.
 * Saved and loaded at any instant it goes on to predict, bit for bit, what it would have.
 */
export class Predictor {
  #lines = new Map<string, Line>()
  #kinds = new Map<string, number>()
  #slots = new Map<string, number>()
  #tickets = new Map<number, Ticket>()
  /** Agents at work, with the lines they serve. */
  #agents = new Map<number, readonly string[]>()
  #pending = 0
  /** The longest wait that was ever seen to end, in seconds. */
  #longest = 0
  readonly #models = Array.from({ length: REGIMES }, () => new Regression(SIZE, SETTINGS.ridge, SETTINGS.forget))
  readonly #mixtures = Array.from(
    { length: REGIMES },
    () => new Mixture(MIXED.length + 1, SETTINGS.eta, SETTINGS.memory),
  )
  readonly #residuals = Array.from({ length: CONTEXTS }, () => new Residuals(SETTINGS.window))
  readonly #trees = new NightlyTrees(widthOf(EXPERTS))
  readonly #consulted = new Float64Array(EXPERTS)

  /** Counters open at a line from now on; null when nobody knows. */
  setOpen(key: string, open: number | null, at: number): void {
    const line = this.#line(key)
    this.#advance(line, at)
    line.open = open === null ? null : Math.max(0, open)
  }

  /** Lines that this agent serves from now on; none when away. Counts as an open counter of each. */
  setAgent(agent: number, keys: readonly string[], at: number): void {
    const before = this.#agents.get(agent) ?? []
    if (keys.length > 0) this.#agents.set(agent, keys)
    else this.#agents.delete(agent)
    for (const key of new Set([...before, ...keys])) {
      const open = [...this.#agents.values()].filter((served) => served.includes(key)).length
      if (this.#line(key).open !== open) this.setOpen(key, open, at)
    }
  }

  /** Starts per second to believe in before any were seen: counters by the configured duration. */
  setPriorRate(key: string, rate: number): void {
    if (rate > 0) this.#line(key).priorRate = rate
  }

  /** A ticket joins the line: what it is told. `ahead` where the order of service is known, else it is learned. */
  arrive(id: number, key: string, kindName: string, at: number, ahead?: number): Prediction {
    if (this.#tickets.has(id)) this.leave(id, at)
    for (const _ of this.learnNight(at)) continue
    const line = this.#line(key)
    this.#advance(line, at)
    const place = this.#placeOf(key, kindName)
    const found = ahead ?? line.ahead({ kind: place.kind, at, id })
    const bucket = lengthBucket(found, line.idle)
    const sample = this.#sample(line, place, found, bucket, at, null)
    const first = this.#announce(sample)
    const isKept = this.#pending < SETTINGS.pending * this.#lines.size
    if (isKept) this.#pending++
    const ticket: Ticket = {
      id,
      ...place,
      at,
      ahead: Math.fround(found),
      bucket,
      first_p50: Math.fround(first.p50),
      sample: isKept ? sample : null,
      live: null,
    }
    line.arrive(ticket)
    this.#tickets.set(id, ticket)
    return first
  }

  /** What would be told to somebody who came now. Changes nothing. */
  foresee(key: string, kindName: string, at: number, ahead?: number): Prediction {
    const line = this.#lines.get(key) ?? new Line()
    const kind = this.#kinds.get(kindName) ?? MAX_CLASSES - 1
    const place = { line: key, kind, slot: this.#slots.get(`${key}|${kindName}`) ?? SLOTS - 1 }
    return line.peek(at, () => {
      const found = ahead ?? line.ahead({ kind, at, id: -1 })
      return this.#announce(this.#sample(line, place, found, lengthBucket(found, line.idle), at, null))
    })
  }

  /** What a waiting ticket has before it now; null for one that does not wait. Changes nothing. */
  remaining(id: number, at: number, ahead?: number): Prediction | null {
    const ticket = this.#tickets.get(id)
    if (!ticket) return null
    return this.#line(ticket.line).peek(at, () => this.#announce(this.#liveSample(ticket, at, ahead)))
  }

  /**
   * What the first arrival of a day sets off: trees made anew from the days before, some milliseconds a step. Who must
   * not be held up for their sum goes through the steps before that arrival.
   */
  *learnNight(at: number): Generator<void, void> {
    if (this.#trees.isDue(at)) yield* this.#trees.refit(at)
  }

  /** How many of this line were called so far. */
  startsSeen(key: string): number {
    return this.#lines.get(key)?.startsSeen ?? 0
  }

  /** The ticket is called: the seconds it waited, or null for one that does not wait. */
  start(id: number, at: number): number | null {
    const ticket = this.#tickets.get(id)
    if (!ticket) return null
    const line = this.#line(ticket.line)
    this.#advance(line, at)
    this.#forget(ticket)
    line.start(ticket, at)
    this.#longest = Math.max(this.#longest, at - ticket.at)
    if (ticket.sample) this.#learn(ticket.sample, at - ticket.at)
    if (ticket.live && at - ticket.at > LIVE_FROM_SECONDS) this.#learn(ticket.live, at - ticket.live.at)
    return at - ticket.at
  }

  /** Service of a ticket of this line ended. */
  end(id: number, key: string, at: number): void {
    const line = this.#line(key)
    this.#advance(line, at)
    line.end(id, at)
  }

  /** The ticket left the line without being called. */
  leave(id: number, at: number): void {
    const ticket = this.#tickets.get(id)
    if (!ticket) return
    const line = this.#line(ticket.line)
    this.#advance(line, at)
    this.#forget(ticket)
    line.leave(ticket)
  }

  save(): Uint8Array<ArrayBuffer> {
    return pack({
      version: STATE_VERSION,
      kinds: [...this.#kinds],
      agents: [...this.#agents],
      slots: [...this.#slots],
      longest: this.#longest,
      lines: [...this.#lines].map(([key, line]) => [key, line.save()] as const),
      tickets: storeTickets([...this.#tickets.values()], [...this.#lines.keys()]),
      models: this.#models.map((model) => model.save()),
      mixtures: this.#mixtures.map((mixture) => mixture.save()),
      residuals: this.#residuals.map((residuals) => residuals.save()),
      trees: this.#trees.save(),
    })
  }

  /** The predictor that was saved; null when another version of the program saved it. */
  static load(state: Uint8Array): Predictor | null {
    const saved = unpack(state) as unknown as Saved
    if (saved.version !== STATE_VERSION) return null
    const predictor = new Predictor()
    predictor.#kinds = new Map(saved.kinds)
    predictor.#agents = new Map(saved.agents)
    predictor.#slots = new Map(saved.slots)
    predictor.#longest = saved.longest
    for (const [key, line] of saved.lines) predictor.#line(key).load(line)
    for (const ticket of readTickets(saved.tickets, [...predictor.#lines.keys()])) {
      predictor.#tickets.set(ticket.id, ticket)
      if (ticket.sample) predictor.#pending++
      const line = predictor.#line(ticket.line)
      line.waiting[ticket.kind]!.set(ticket.id, ticket)
      line.waitingCount++
    }
    for (const [i, model] of predictor.#models.entries()) model.load(saved.models[i]!)
    for (const [i, mixture] of predictor.#mixtures.entries()) mixture.load(saved.mixtures[i]!)
    for (const [i, residuals] of predictor.#residuals.entries()) residuals.load(saved.residuals[i]!)
    predictor.#trees.load(saved.trees)
    return predictor
  }

  #line(key: string): Line {
    let line = this.#lines.get(key)
    if (!line) this.#lines.set(key, (line = new Line()))
    return line
  }

  #placeOf(line: string, kindName: string): Place {
    return {
      line,
      kind: place(this.#kinds, kindName, MAX_CLASSES),
      slot: place(this.#slots, `${line}|${kindName}`, SLOTS),
    }
  }

  #forget(ticket: Ticket) {
    this.#tickets.delete(ticket.id)
    if (ticket.sample) this.#pending--
  }

  /**
   * Time passes for a line until something happens to it. Of each wait one sample is kept, at an instant that is in the
   * end evenly spread over it (reservoir sampling by time), as the line was between two events.
   */
  #advance(line: Line, at: number) {
    const from = line.clock
    if (at > from)
      for (const kind of line.waiting) for (const ticket of kind.values()) this.#sampleLive(ticket, from, at)
    line.advance(at)
  }

  #sampleLive(ticket: Ticket, from: number, until: number) {
    const age = until - ticket.at
    if (!ticket.sample || chance(ticket.id, until) * age >= until - from) return
    const at = from + chance(ticket.id, until + 1) * (until - from)
    ticket.live = this.#line(ticket.line).peek(at, () => this.#liveSample(ticket, at))
  }

  #liveSample(ticket: Ticket, at: number, known?: number): Sample {
    const line = this.#line(ticket.line)
    const ahead = known ?? line.ahead(ticket)
    return this.#sample(line, ticket, ahead, lengthBucket(ahead, 0), at, ticket)
  }

  #sample(
    line: Line,
    { kind, slot }: Place,
    ahead: number,
    bucket: number,
    at: number,
    waiting: Ticket | null,
  ): Sample {
    const consulted = this.#consulted
    consult(line, kind, ahead, bucket, at, consulted)
    const simple = Number.isNaN(consulted[COUNTED]) ? consulted[0]! : (consulted[0]! + consulted[COUNTED]!) / 2
    const base = BASE.reduce<number>((sum, i) => sum + consulted[i]!, 0) / BASE.length
    const features = new Float16Array(SIZE)
    for (let i = 0; i < EXPERTS; i++) {
      if (Number.isNaN(consulted[i])) consulted[i] = base
      features[i] = clamp(consulted[i]! - base, -SETTINGS.deviation, SETTINGS.deviation)
    }
    const turn = (2 * Math.PI * at) / DAY_SECONDS
    const age = waiting ? at - waiting.at : 0
    const length = Math.log(ahead + 1) - 1.5
    const size = clamp((base - 6) / 2, -2, 2)
    features.set(
      [
        1,
        Math.sin(turn),
        Math.cos(turn),
        Math.sin(2 * turn),
        Math.cos(2 * turn),
        length,
        clamp(Math.log((line.arrivals + 1) / (line.starts + 1)), -2, 2),
        weekendOf(at),
        Math.log((line.open ?? 1) + 1) - 1,
        line.seesEnds ? clamp(line.capacity - line.busy, -3, 3) / 3 : 0,
        waiting ? clamp(toLog(waiting.first_p50 - age) - base, -2, 2) : 0,
        waiting ? clamp(toLog(age) - base, -2, 2) : 0,
        // Which formula to trust depends on how long the line is.
        features[0]! * length,
        features[3]! * length,
        features[5]! * length,
        features[0]! * features[4]!,
        size,
        size ** 2,
      ],
      EXPERTS,
    )
    features[SLOTS_FROM + slot] = 1
    const isFree = ahead < 0.5 && (!line.seesEnds || line.idle > 0)
    const regime = waiting ? LIVE : isFree ? FREE : BUSY
    const experts = new Float32Array(TREES + 1)
    for (const [place, expert] of MIXED.entries()) experts[place] = consulted[expert]!
    experts[MIXED.length] = base + clamp(this.#models[regime]!.predict(features), -SETTINGS.limit, SETTINGS.limit)
    const learned = Math.min(1, line.startsSeen / COLD_STARTS)
    const online = learned * this.#mixtures[regime]!.mix(experts) + (1 - learned) * simple
    const context = contextOf(regime, ahead, bucket)
    const { low, high } = this.#residuals[context]!
    const sample = { at, features, experts, base, mixed: online, regime, context, low, high }
    experts[ONLINE] = online
    experts[TREES] = regime === LIVE ? Number.NaN : base + this.#trees.predict(treeRow(sample))
    sample.mixed = blended(experts, this.#trees.weight, online)
    return sample
  }

  /** What is told is no multiple of anything ever seen, unless the line itself is that long. */
  #announce({ mixed, base, context, experts }: Sample): Prediction {
    const most = Math.max(toLog(Math.max(LEAST_BOUND_SECONDS, 2 * this.#longest)), base + BEYOND_BASE)
    const residuals = this.#residuals[context]!
    // Trees are fitted to the median as it is.
    const correction = residuals.median * (Number.isNaN(experts[TREES]) ? 1 : 1 - this.#trees.weight)
    const p90 = Math.max(0, toSeconds(Math.min(mixed + residuals.high, most)))
    const p10 = clamp(toSeconds(mixed + residuals.low), 0, p90)
    return { p10, p50: clamp(toSeconds(mixed + correction), p10, p90), p90 }
  }

  #learn(sample: Sample, seconds: number) {
    const truth = toLog(seconds)
    if (!Number.isFinite(truth - sample.mixed)) return
    this.#models[sample.regime]!.learn(sample.features, clamp(truth - sample.base, -SETTINGS.clip, SETTINGS.clip))
    this.#mixtures[sample.regime]!.learn(Array.from(sample.experts, (value) => Math.abs(truth - value)))
    if (sample.regime !== LIVE) this.#learnTrees(sample, truth)
    this.#residuals[sample.context]!.learn(truth - sample.mixed, sample.low, sample.high)
  }

  #learnTrees(sample: Sample, truth: number) {
    this.#trees.keep(treeRow(sample), truth - sample.base, this.#lines.size)
    if (Number.isNaN(sample.experts[TREES])) return
    const correction = this.#residuals[sample.context]!.median
    this.#trees.judge((weight) =>
      Math.abs(toSeconds(truth) - toSeconds(blended(sample.experts, weight) + (1 - weight) * correction)),
    )
  }
}

const treeRow = (sample: Sample) => rowOf(sample, sample.experts[ONLINE]!, EXPERTS, SLOTS_FROM)

/** The geometric mean, so weighted, of what was learned online and what the trees say. */
const blended = (experts: Float32Array, weight: number, online = experts[ONLINE]!): number =>
  Number.isNaN(experts[TREES]) ? online : online + weight * (experts[TREES]! - online)

/** In [0, 1), the same for the same ticket and instant: chance that a replay repeats. */
function chance(id: number, at: number): number {
  let hash = Math.imul(id ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(Math.floor(at) | 0, 0xc2b2_ae35)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d)
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}

interface Saved {
  version: number
  kinds: [string, number][]
  agents: [number, readonly string[]][]
  slots: [string, number][]
  longest: number
  lines: [string, ReturnType<Line['save']>][]
  tickets: ReturnType<typeof storeTickets>
  models: ReturnType<Regression['save']>[]
  mixtures: ReturnType<Mixture['save']>[]
  residuals: ReturnType<Residuals['save']>[]
  trees: ReturnType<NightlyTrees['save']>
}

function place(book: Map<string, number>, key: string, limit: number): number {
  let at = book.get(key)
  if (at === undefined) book.set(key, (at = Math.min(book.size, limit - 1)))
  return at
}

function contextOf(regime: number, ahead: number, bucket: number): number {
  if (regime === FREE) return Math.min(FREE_CONTEXTS - 1, Math.max(0, 6 - bucket))
  let length = 0
  while (length < LENGTHS.length && ahead > LENGTHS[length]!) length++
  return FREE_CONTEXTS + (regime === LIVE ? LENGTHS.length + 1 : 0) + length
}
