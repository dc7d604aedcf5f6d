import { clamp } from './scale.ts'

const LOW = 0.096
const HIGH = 0.904
/** Share of the local spread that one observation moves a quantile. */
const STEP = 0.03
/** How strongly a tracked quantile is drawn to that of the window at each observation. */
const PULL = 0.01

/**
 * What the model got wrong lately in one context (in log seconds): the median of a window, and two quantiles that are
 * tracked: up when the truth was above, down when below, so that their coverage is right in the long run whatever the
 * distribution does (Gibbs & Candès 2021; Angelopoulos, Candès & Tibshirani 2023, "P" step).
 */
export class Residuals {
  readonly #capacity: number
  /** A ring in order of arrival, and the same values sorted. */
  #ring: Float16Array
  #sorted: Float16Array
  #count = 0
  #next = 0
  #low = -0.5
  #high = 0.5

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#ring = new Float16Array(capacity)
    this.#sorted = new Float16Array(capacity)
  }

  get count(): number {
    return this.#count
  }

  quantile(p: number): number {
    if (this.#count === 0) return 0
    const at = p * (this.#count - 1)
    const below = Math.floor(at)
    const low = this.#sorted[below]!
    const high = this.#sorted[Math.min(below + 1, this.#count - 1)]!
    return low + (high - low) * (at - below)
  }

  /** Median, drawn to 0 while few were seen. */
  get median(): number {
    return (this.quantile(0.5) * this.#count) / (this.#count + 20)
  }
  get low(): number {
    return this.#low
  }
  get high(): number {
    return this.#high
  }

  /** `low` and `high` are what the quantiles were when the prediction was made: the news comes late. */
  learn(residual: number, low: number, high: number): void {
    const value = Math.f16round(clamp(residual, -8, 8))
    const spread = clamp(this.quantile(0.75) - this.quantile(0.25), 0.1, 2)
    const step = STEP * spread * (1 + 10 / (1 + this.#count / 10))
    this.#low += step * (LOW - share(value < this.#low, value < low)) * 2
    this.#high += step * (share(value > this.#high, value > high) - (1 - HIGH)) * 2
    if (this.#count >= 20) {
      this.#low += PULL * (this.quantile(LOW) - this.#low)
      this.#high += PULL * (this.quantile(HIGH) - this.#high)
    }
    this.#insert(value)
  }

  #insert(value: number) {
    if (this.#count === this.#capacity) {
      const at = this.#find(this.#ring[this.#next]!)
      this.#sorted.copyWithin(at, at + 1, this.#count)
      this.#count--
    }
    const at = this.#find(value)
    this.#sorted.copyWithin(at + 1, at, this.#count)
    this.#sorted[at] = value
    this.#count++
    this.#ring[this.#next] = value
    this.#next = (this.#next + 1) % this.#capacity
  }

  /** First place whose value is not less. */
  #find(value: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#sorted[middle]! < value) low = middle + 1
      else high = middle
    }
    return low
  }

  save() {
    return [this.#ring.slice(0, this.#count), this.#next, this.#low, this.#high] as const
  }
  load([ring, next, low, high]: ReturnType<Residuals['save']>): void {
    this.#ring.set(ring)
    this.#sorted.set(ring.toSorted())
    this.#count = ring.length
    this.#next = next
    this.#low = low
    this.#high = high
  }
}

const TOLD = 0.5
/** A miss counts half when the quantile of that time missed, half when today's would have. */
const share = (missesNow: boolean, missedThen: boolean) => (missesNow ? 1 - TOLD : 0) + (missedThen ? TOLD : 0)
