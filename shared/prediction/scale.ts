/** Waits are learned as log(wait + 20 s): relative error for long waits, absolute error for short ones. */
const SHIFT_SECONDS = 20
/** exp(18) s is two years. */
const LARGEST_LOG = 18

export const toLog = (seconds: number): number => Math.log(Math.max(0, seconds) + SHIFT_SECONDS)
export const toSeconds = (log: number): number => Math.exp(Math.min(log, LARGEST_LOG)) - SHIFT_SECONDS
export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)

export const DAY_SECONDS = 86_400
/** Seconds since local midnight. */
export const timeOfDay = (at: number): number => ((at % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS
/** Day of the week of a local wall-clock second, Sunday 0 (1970-01-01 was a Thursday). */
export const weekdayOf = (at: number): number => (((Math.floor(at / DAY_SECONDS) + 4) % 7) + 7) % 7
/** 0 Monday to Friday, 1 Saturday and Sunday. */
export const weekendOf = (at: number): 0 | 1 => (weekdayOf(at) % 6 === 0 ? 1 : 0)

const HOURS = 24
const MEMORY = 100
const ENOUGH = 3

/** The mean, in log seconds, of what those waited who came at this hour of a weekday or weekend day. */
export class HourMeans {
  #values = new Float32Array(2 * HOURS)
  #counts = new Float32Array(2 * HOURS)

  learn(at: number, log: number): void {
    const hour = this.#hour(at)
    this.#counts[hour] = Math.min(MEMORY, this.#counts[hour]! + 1)
    this.#values[hour]! += (log - this.#values[hour]!) / this.#counts[hour]!
  }

  /** NaN when too few came at this hour. */
  estimate(at: number): number {
    const hour = this.#hour(at)
    return this.#counts[hour]! < ENOUGH ? Number.NaN : this.#values[hour]!
  }

  #hour = (at: number) => weekendOf(at) * HOURS + Math.floor(timeOfDay(at) / 3600)

  save() {
    return [this.#values, this.#counts] as const
  }
  load([values, counts]: ReturnType<HourMeans['save']>): void {
    this.#values = values
    this.#counts = counts
  }
}
