/**
 * Recursive least squares with a ridge prior that draws every weight to 0 (Ljung 1999, ch. 11). Only the upper triangle
 * of the inverse covariance is kept. A prediction costs O(d), an update O(d²).
 */
export class Regression {
  readonly size: number
  readonly #forget: number
  #weights: Float64Array<ArrayBuffer>
  #inverse: Float64Array<ArrayBuffer>
  #gain: Float64Array

  constructor(size: number, ridge: number, forget = 1) {
    this.size = size
    this.#forget = forget
    this.#weights = new Float64Array(size)
    this.#gain = new Float64Array(size)
    this.#inverse = new Float64Array((size * (size + 1)) / 2)
    for (let i = 0; i < size; i++) this.#inverse[this.#at(i, i)] = 1 / ridge
  }

  predict(features: ArrayLike<number>): number {
    let sum = 0
    for (let i = 0; i < this.size; i++) sum += this.#weights[i]! * features[i]!
    return sum
  }

  learn(features: ArrayLike<number>, target: number, weight = 1): void {
    const { size } = this
    const gain = this.#gain
    gain.fill(0)
    for (let i = 0, at = 0; i < size; i++) {
      const own = features[i]!
      let sum = 0
      for (let j = i; j < size; j++, at++) {
        sum += this.#inverse[at]! * features[j]!
        if (j > i) gain[j]! += this.#inverse[at]! * own
      }
      gain[i]! += sum
    }
    let spread = this.#forget / weight
    for (let i = 0; i < size; i++) spread += gain[i]! * features[i]!
    const error = (target - this.predict(features)) / spread
    for (let i = 0, at = 0; i < size; i++) {
      this.#weights[i]! += gain[i]! * error
      const scaled = gain[i]! / spread
      for (let j = i; j < size; j++, at++) {
        this.#inverse[at] = (this.#inverse[at]! - scaled * gain[j]!) / this.#forget
      }
    }
  }

  #at = (i: number, j: number): number => i * this.size - (i * (i - 1)) / 2 + (j - i)

  save() {
    return [this.#weights, this.#inverse] as const
  }
  load([weights, inverse]: ReturnType<Regression['save']>): void {
    this.#weights = weights
    this.#inverse = inverse
  }
}
