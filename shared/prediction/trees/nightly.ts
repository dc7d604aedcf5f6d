import { DAY_SECONDS } from '../scale.ts'
import { Forest } from './forest.ts'

/** When a learning day begins: nobody waits. */
const NIGHT_SECONDS = 3 * 3600
/** Waits that a night learns from: at most, by each line beyond the first (whose room goes to what lines share), at least. */
const MOST_ROWS = 6000
const ROWS_BY_LINE = 1000
const LEAST_ROWS = 300
/** The oldest waits are dropped when there are so many times too many: not one by one. */
const SLACK = 1.2
/** Targets beyond are as good as there. */
const LIMIT = 2.5

/** How much the trees may weigh, and how long an error counts. */
const WEIGHTS = [0, 0.25, 0.5] as const
const MEMORY = 0.999

/** Boosted trees made anew each night from the waits of the days before, and how far they are to be trusted. */
export class NightlyTrees {
  readonly #width: number
  readonly #forest = new Forest()
  #rows = new Uint8Array(0)
  #targets = new Float16Array(0)
  #count = 0
  #night = Number.NEGATIVE_INFINITY
  #losses = new Float64Array(WEIGHTS.length)

  constructor(width: number) {
    this.#width = width
  }

  /** Whether a night has passed since the trees were made. */
  isDue(at: number): boolean {
    return nightOf(at) > this.#night
  }

  /** Makes the trees anew, a tree at each step. */
  *refit(at: number): Generator<void, void> {
    this.#night = nightOf(at)
    if (this.#count < LEAST_ROWS) return
    const rows = this.#rows.subarray(0, this.#count * this.#width)
    yield* this.#forest.fit({ width: this.#width, rows }, Float64Array.from(this.#targets.subarray(0, this.#count)))
  }

  /** What the trees say; NaN before the first night. */
  predict(row: Uint8Array): number {
    return this.#forest.isFitted ? this.#forest.predict(row) : Number.NaN
  }

  /** Share of the trees in what is told: that which would have been off least of late. */
  get weight(): number {
    return WEIGHTS[this.#losses.indexOf(Math.min(...this.#losses))]!
  }

  /** A wait ended: `missBy` tells how far off each weight would have been. */
  judge(missBy: (weight: number) => number): void {
    for (const [i, weight] of WEIGHTS.entries()) this.#losses[i] = this.#losses[i]! * MEMORY + missBy(weight)
  }

  /** Keeps a wait for the nights to come, of as many as so many lines have room for. */
  keep(row: Uint8Array, target: number, lines: number): void {
    const most = Math.min(MOST_ROWS, ROWS_BY_LINE * (lines - 1))
    if (most <= 0) return
    if (this.#count >= Math.floor(most * SLACK)) this.#drop(this.#count - most)
    if (this.#count === this.#targets.length) this.#grow()
    this.#rows.set(row, this.#count * this.#width)
    this.#targets[this.#count++] = Math.min(Math.max(target, -LIMIT), LIMIT)
  }

  #drop(oldest: number) {
    this.#rows.copyWithin(0, oldest * this.#width, this.#count * this.#width)
    this.#targets.copyWithin(0, oldest, this.#count)
    this.#count -= oldest
  }

  #grow() {
    const { length } = this.#targets
    const rows = new Uint8Array((2 * length + LEAST_ROWS) * this.#width)
    const targets = new Float16Array(2 * length + LEAST_ROWS)
    rows.set(this.#rows)
    targets.set(this.#targets)
    this.#rows = rows
    this.#targets = targets
  }

  save() {
    const rows = this.#rows.slice(0, this.#count * this.#width)
    const night = Number.isFinite(this.#night) ? this.#night : null
    return [rows, this.#targets.slice(0, this.#count), night, this.#losses, this.#forest.save()] as const
  }
  load([rows, targets, night, losses, forest]: ReturnType<NightlyTrees['save']>): void {
    this.#rows = rows
    this.#targets = targets
    this.#count = targets.length
    this.#night = night ?? Number.NEGATIVE_INFINITY
    this.#losses = losses
    this.#forest.load(forest)
  }
}

const nightOf = (at: number): number => Math.floor((at - NIGHT_SECONDS) / DAY_SECONDS)
