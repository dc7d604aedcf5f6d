/** Softmax over discounted losses (exponentially weighted forecasters, Cesa-Bianchi & Lugosi 2006, ch. 2). */
export class Mixture {
  readonly #eta: number
  readonly #memory: number
  #losses: Float64Array<ArrayBuffer>

  constructor(experts: number, eta: number, memory: number) {
    this.#eta = eta
    this.#memory = memory
    this.#losses = new Float64Array(experts)
  }

  mix(values: ArrayLike<number>): number {
    let best = Number.POSITIVE_INFINITY
    for (const loss of this.#losses) if (loss < best) best = loss
    let sum = 0
    let total = 0
    for (let i = 0; i < this.#losses.length; i++) {
      const weight = Math.exp(-this.#eta * (this.#losses[i]! - best))
      sum += weight * values[i]!
      total += weight
    }
    return sum / total
  }

  learn(losses: readonly number[]): void {
    for (let i = 0; i < this.#losses.length; i++) this.#losses[i] = this.#losses[i]! * this.#memory + losses[i]!
  }

  save() {
    return this.#losses
  }
  load(losses: ReturnType<Mixture['save']>): void {
    this.#losses = losses
  }
}
