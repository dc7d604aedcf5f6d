import { DAY_SECONDS, timeOfDay, weekendOf } from './scale.ts'

/** Events per unit of exposure in which old exposure fades: after `halfLife` units it counts half. */
export class DecayedRate {
  readonly halfLife: number
  events = 0
  exposure = 0

  constructor(halfLife: number) {
    this.halfLife = halfLife
  }

  /** `lived` is how much of the half-life goes by, where that is not the exposure itself. */
  expose(amount: number, lived = amount): void {
    const fade = 2 ** (-lived / this.halfLife)
    this.events *= fade
    this.exposure = this.exposure * fade + amount
  }

  count(events = 1): void {
    this.events += events
  }

  /** The rate, drawn towards `prior` as if that had been seen for `weight` units before. */
  rate(prior: number, weight: number): number {
    return (this.events + prior * weight) / (this.exposure + weight)
  }

  save(): readonly [number, number] {
    return [this.events, this.exposure]
  }
  load([events, exposure]: ReturnType<DecayedRate['save']>): void {
    this.events = events
    this.exposure = exposure
  }
}

const BIN_SECONDS = 900
const BINS = 96
/** Exposure after which what a bin saw counts half: about two weeks of a busy quarter of an hour. */
const BIN_HALF_LIFE_SECONDS = 9000
/** Nothing is extrapolated further than this. */
const HORIZON_SECONDS = 2 * DAY_SECONDS

/**
 * How fast a line is served at each quarter of an hour of a weekday or weekend day: starts while somebody waited by time
 * while somebody waited. Knows opening hours, lunch dips and closing without being told.
 */
export class CapacityProfile {
  #starts = new Float64Array(2 * BINS)
  #exposure = new Float64Array(2 * BINS)

  /** Somebody waited from `from` to `until`; the pieces beyond a bin's edge go to the next bins. */
  expose(from: number, until: number): void {
    for (let at = from; at < until;) {
      const edge = Math.min(until, (Math.floor(at / BIN_SECONDS) + 1) * BIN_SECONDS)
      const bin = this.#bin(at)
      const fade = 2 ** (-(edge - at) / BIN_HALF_LIFE_SECONDS)
      this.#starts[bin]! *= fade
      this.#exposure[bin] = this.#exposure[bin]! * fade + (edge - at)
      at = edge
    }
  }

  count(at: number): void {
    this.#starts[this.#bin(at)]! += 1
  }

  /** Starts per second at that time of day: the bin's own, shrunk to five bins around it, shrunk to `overall`. */
  rate(at: number, overall: number): number {
    const bin = this.#bin(at)
    const first = bin < BINS ? 0 : BINS
    let starts = overall * 900
    let exposure = 900
    for (let i = Math.max(first, bin - 2); i <= Math.min(first + BINS - 1, bin + 2); i++) {
      starts += this.#starts[i]!
      exposure += this.#exposure[i]!
    }
    return (this.#starts[bin]! + (starts / exposure) * 1800) / (this.#exposure[bin]! + 1800)
  }

  /** Seconds until the curve, times `level`, delivers `starts` more starts. */
  secondsFor(starts: number, now: number, overall: number, level: number): number {
    let left = starts
    for (let at = now; at < now + HORIZON_SECONDS;) {
      const edge = (Math.floor(at / BIN_SECONDS) + 1) * BIN_SECONDS
      const rate = Math.max(1e-7, this.rate(at, overall) * level)
      if (rate * (edge - at) >= left) return at + left / rate - now
      left -= rate * (edge - at)
      at = edge
    }
    return HORIZON_SECONDS
  }

  #bin(at: number): number {
    return weekendOf(at) * BINS + Math.floor(timeOfDay(at) / BIN_SECONDS)
  }

  save() {
    return [this.#starts, this.#exposure] as const
  }
  load([starts, exposure]: ReturnType<CapacityProfile['save']>): void {
    this.#starts = starts
    this.#exposure = exposure
  }
}
