import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Lets virtual time run at most `speed` times as fast as real time. Virtual time itself moves only when the driver says
 * so: it stands still while requests are under way, so a slow server makes the replay longer and never wrong.
 */
export class Pacer {
  /** Virtual seconds that were jumped over because nothing was going on. */
  skippedSeconds = 0
  readonly #speed: number
  #realOrigin: number
  #virtualOrigin: number
  readonly #startedAt = performance.now()
  readonly #firstSecond: number

  /** `speed` Infinity: as fast as events allow. */
  constructor(speed: number, virtualStart: number) {
    this.#speed = speed
    this.#realOrigin = performance.now()
    this.#virtualOrigin = virtualStart
    this.#firstSecond = virtualStart
  }

  /** Resolves when virtual second `at` may begin. */
  async reach(at: number): Promise<void> {
    if (this.#speed === Number.POSITIVE_INFINITY) return
    const due = this.#realOrigin + ((at - this.#virtualOrigin) * 1000) / this.#speed
    const wait = due - performance.now()
    if (wait > 1) await sleep(wait)
  }

  /** Jumps to virtual second `at` without waiting: a night with nobody in the building. */
  skip(from: number, at: number): void {
    this.skippedSeconds += at - from
    this.#realOrigin = performance.now()
    this.#virtualOrigin = at
  }

  realSeconds(): number {
    return (performance.now() - this.#startedAt) / 1000
  }

  /** Virtual seconds lived through by `now`, without the jumps. */
  livedSeconds(now: number): number {
    return now - this.#firstSecond - this.skippedSeconds
  }
}
