/**
 * Queueing formulas of staffing. Loads are in erlangs (arrivals per second × mean service seconds), times in seconds.
 * Everything is a recursion with bounded terms: no factorials, so nothing overflows at any load.
 */

/**
 * Erlang B: the share of arrivals that finds `servers` servers busy when nobody waits.
 * @param servers whole, 0 or more
 * @param load erlangs, 0 or more
 */
export function erlangB(servers: number, load: number): number {
  check(servers, load)
  if (load === 0) return servers === 0 ? 1 : 0
  // B(k) = a B(k−1) / (k + a B(k−1)), by its inverse: small numbers are added to large ones, never subtracted.
  let inverse = 1
  for (let k = 1; k <= servers; k++) {
    inverse = 1 + (k / load) * inverse
    if (inverse === Infinity) return 0
  }
  return 1 / inverse
}

/** Erlang C: the share of arrivals that has to wait; 1 when the load is not below the servers ("overloaded"). */
export function erlangC(servers: number, load: number): number {
  check(servers, load)
  if (load === 0) return servers === 0 ? 1 : 0
  if (load >= servers) return 1
  const blocked = erlangB(servers, load)
  return (servers * blocked) / (servers - load * (1 - blocked))
}

/** People who come by chance and are served by equal servers. */
export interface Demand {
  /** People an hour. */
  arrivals_per_hour: number
  /** Mean time a service takes, wrap-up included. */
  service_seconds: number
  /** Mean time after which somebody who waits leaves; null or absent: everybody stays. */
  patience_seconds?: number | null
}

/** What a number of servers gives. Times are null where the line grows without end. */
export interface Performance {
  servers: number
  /** Erlangs. */
  load: number
  /** More comes than can be served, and nobody leaves. */
  is_overloaded: boolean
  /** Share of the servers' time that is work. */
  occupancy: number
  wait_probability: number
  /** Mean over everybody (average speed of answer). */
  mean_wait_seconds: number | null
  p90_wait_seconds: number | null
  /** Mean number of people who wait. */
  queue_length: number | null
  /** Share that leaves unserved. */
  abandoned: number
}

/** How `servers` servers cope with `demand`: Erlang C, or Erlang A where people lose patience. */
export function performance(servers: number, demand: Demand): Performance {
  return figures(servers, demand, true)
}
/** @param isWhole with the time that nine of ten are called within, which takes as long as everything else together */
function figures(servers: number, demand: Demand, isWhole: boolean): Performance {
  const { arrivals_per_hour, service_seconds, patience_seconds = null } = demand
  const rate = arrivals_per_hour / 3600
  const load = rate * service_seconds
  check(servers, load)
  if (patience_seconds !== null) return impatient(servers, rate, service_seconds, patience_seconds, isWhole)
  const wait_probability = erlangC(servers, load)
  const is_overloaded = load > 0 && load >= servers
  const spare = servers / service_seconds - rate
  const mean = rate === 0 ? 0 : wait_probability / spare
  return {
    servers,
    load,
    is_overloaded,
    occupancy: servers === 0 ? 0 : Math.min(1, load / servers),
    wait_probability,
    mean_wait_seconds: is_overloaded ? null : mean,
    p90_wait_seconds: is_overloaded ? null : Math.max(0, Math.log(wait_probability / 0.1) / spare),
    queue_length: is_overloaded ? null : rate * mean,
    abandoned: 0,
  }
}

/**
 * Share of people called within `seconds`: the service level. With patience, people who would have been called in time
 * count as called; who leaves earlier counts as not.
 */
export function serviceLevel(servers: number, demand: Demand, seconds: number): number {
  const { arrivals_per_hour, service_seconds, patience_seconds = null } = demand
  const rate = arrivals_per_hour / 3600
  const load = rate * service_seconds
  check(servers, load)
  if (rate === 0) return servers > 0 ? 1 : 0
  if (patience_seconds !== null) return impatientLevel(servers, rate, service_seconds, patience_seconds, seconds)
  if (load >= servers) return 0
  return 1 - erlangC(servers, load) * Math.exp(-(servers / service_seconds - rate) * seconds)
}

const MOST_STATES = 1_000_000
/** How many would wait if nobody served: the time that everything here takes grows with it. */
export const patientPeople = ({ arrivals_per_hour, patience_seconds }: Demand): number =>
  (arrivals_per_hour / 3600) * (patience_seconds ?? 0)

/** Erlang A (Palm): the birth-death chain from "all servers busy, nobody waits" upwards, in shares of time. */
interface Chain {
  /** `waiting[j]`: j people wait. */
  waiting: number[]
  rate: number
  /** Calls a second while all servers are busy, per unit of 1 / patience. */
  c: number
  patience_seconds: number
}
function chainOf(servers: number, rate: number, service_seconds: number, patience_seconds: number): Chain {
  const served = servers / service_seconds
  // Weights as logarithms: under overload they rise by hundreds of orders of magnitude before they fall.
  const logs = [0]
  let log = 0
  let highest = 0
  for (let j = 1; ; j++) {
    const leaving = served + j / patience_seconds
    log += Math.log(rate / leaving)
    logs.push(log)
    highest = Math.max(highest, log)
    if (rate < leaving && log < highest - 60) break
    if (j > MOST_STATES) throw new RangeError('too many would wait')
  }
  const blocked = erlangB(servers, rate * service_seconds)
  // Everything below "all busy" weighs 1 / B together, that state included.
  const below = blocked === 0 ? Infinity : Math.exp(-highest) * (1 / blocked - 1)
  const weights = logs.map((each) => Math.exp(each - highest))
  const total = below + weights.reduce((sum, weight) => sum + weight, 0)
  return { waiting: weights.map((weight) => weight / total), rate, c: served * patience_seconds, patience_seconds }
}

function impatient(
  servers: number,
  rate: number,
  service_seconds: number,
  patience_seconds: number,
  isWhole: boolean,
): Performance {
  const load = rate * service_seconds
  if (rate === 0) {
    const nobody = { mean_wait_seconds: 0, p90_wait_seconds: 0, queue_length: 0, abandoned: 0 }
    return { servers, load, is_overloaded: false, occupancy: 0, wait_probability: servers === 0 ? 1 : 0, ...nobody }
  }
  const chain = chainOf(servers, rate, service_seconds, patience_seconds)
  const queue_length = chain.waiting.reduce((sum, share, j) => sum + j * share, 0)
  const abandoned = queue_length / patience_seconds / rate
  const wait_probability = chain.waiting.reduce((sum, share) => sum + share, 0)
  return {
    servers,
    load,
    is_overloaded: false,
    occupancy: servers === 0 ? 0 : (load * (1 - abandoned)) / servers,
    wait_probability,
    mean_wait_seconds: queue_length / rate,
    p90_wait_seconds:
      wait_probability <= 0.1 || !isWhole ? 0 : bisect((seconds) => stillWaiting(chain, seconds) <= 0.1),
    queue_length,
    abandoned,
  }
}

/**
 * Σ over j of `waiting[j] × factor(j) × I_x(a, j + 1)`, x = e^(−t / patience). Who finds j people waiting is called after
 * a sum of exponential times with the rates c, c + 1, … c + j (per patience), which is −ln Y of a Beta(c, j + 1) variable.
 */
function weighted(
  { waiting, patience_seconds }: Chain,
  a: number,
  seconds: number,
  factor: (j: number) => number,
): number {
  const logX = -seconds / patience_seconds
  const logRest = Math.log(-Math.expm1(logX))
  let logTerm = a * logX
  let incomplete = Math.exp(logTerm)
  let sum = 0
  for (const [j, share] of waiting.entries()) {
    sum += share * factor(j) * Math.min(1, incomplete)
    // I_x(a, b + 1) = I_x(a, b) + x^a (1 − x)^b Γ(a + b) / (Γ(a) Γ(b + 1))
    logTerm += logRest + Math.log((a + j) / (j + 1))
    incomplete += Math.exp(logTerm)
  }
  return sum
}
/** Share of all people who are neither called nor gone after `seconds`. */
const stillWaiting = (chain: Chain, seconds: number): number =>
  Math.exp(-seconds / chain.patience_seconds) * weighted(chain, chain.c, seconds, () => 1)

function impatientLevel(
  servers: number,
  rate: number,
  service_seconds: number,
  patience_seconds: number,
  seconds: number,
) {
  const chain = chainOf(servers, rate, service_seconds, patience_seconds)
  const called = (j: number) => chain.c / (chain.c + j + 1)
  const waiting = chain.waiting.reduce((sum, share) => sum + share, 0)
  if (seconds <= 0) return 1 - waiting
  const sooner = chain.waiting.reduce((sum, share, j) => sum + share * called(j), 0)
  return 1 - waiting + sooner - weighted(chain, chain.c + 1, seconds, called)
}

/** The least time, to a millisecond, that fulfils a condition which holds from some time on. */
function bisect(holds: (seconds: number) => boolean): number {
  let high = 1
  while (!holds(high)) {
    high *= 2
    if (high === Infinity) throw new RangeError('never')
  }
  let low = 0
  while (high - low > 1e-3) {
    const middle = (low + high) / 2
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}

/** What a line should be like. All that is given must hold. */
export interface ServiceGoal {
  /** `share` of people are called within `within_seconds`. */
  within_seconds?: number
  share?: number
  max_mean_wait_seconds?: number
  max_wait_probability?: number
  /** Nobody works well at 100 %. */
  max_occupancy?: number
}

function meetsGoal(servers: number, demand: Demand, goal: ServiceGoal): boolean {
  if (demand.arrivals_per_hour === 0) return true
  const { mean_wait_seconds, wait_probability, occupancy, is_overloaded } = figures(servers, demand, false)
  if (is_overloaded) return false
  if (goal.within_seconds !== undefined && serviceLevel(servers, demand, goal.within_seconds) < (goal.share ?? 0.8))
    return false
  if (goal.max_mean_wait_seconds !== undefined && mean_wait_seconds! > goal.max_mean_wait_seconds) return false
  if (goal.max_wait_probability !== undefined && wait_probability > goal.max_wait_probability) return false
  return goal.max_occupancy === undefined || occupancy <= goal.max_occupancy
}

/** Servers nobody asks for: a goal that needs more cannot be met. */
const MOST_SERVERS = 5000
/** The fewest servers that meet a goal, 0 when nobody comes; null when none do. */
export function requiredServers(demand: Demand, goal: ServiceGoal): number | null {
  if (demand.arrivals_per_hour === 0) return 0
  let high = 1
  while (!meetsGoal(high, demand, goal)) {
    if (high === MOST_SERVERS) return null
    high = Math.min(high * 2, MOST_SERVERS)
  }
  let low = Math.floor(high / 2)
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (meetsGoal(middle, demand, goal)) high = middle
    else low = middle
  }
  return high
}

function check(servers: number, load: number): void {
  if (!Number.isInteger(servers) || servers < 0) throw new RangeError('servers must be a whole number')
  if (!Number.isFinite(load) || load < 0) throw new RangeError('the load must be 0 or more')
}
