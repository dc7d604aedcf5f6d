/** Classes beyond the last share its place. */
export const MAX_CLASSES = 16
/** Each pair is believed to go by arrival as firmly as if it had done so this often. */
const PRIOR = 4
/** Seen this often, older cases count half. */
const MEMORY = 400

/**
 * Who goes first, learned from what is seen: how often a ticket of one class is called before another that came
 * earlier. Priorities, skills and appointments show up here without being configured.
 */
export class ServiceOrder {
  /** At `later * MAX_CLASSES + earlier`: how often the later one was called first, and how often it was not. */
  #pairs = new Map<number, [overtook: number, kept: number]>()

  saw(later: number, earlier: number, didOvertake: boolean): void {
    const at = later * MAX_CLASSES + earlier
    let pair = this.#pairs.get(at)
    if (!pair) this.#pairs.set(at, (pair = [0, 0]))
    pair[didOvertake ? 0 : 1] += 1
    if (pair[0] + pair[1] > MEMORY) {
      pair[0] /= 2
      pair[1] /= 2
    }
  }

  /** Probability that a ticket of class `later` is called before a ticket of class `earlier` that came before it. */
  overtakes(later: number, earlier: number): number {
    const pair = this.#pairs.get(later * MAX_CLASSES + earlier)
    return pair ? pair[0] / (pair[0] + pair[1] + PRIOR) : 0
  }

  save() {
    return [...this.#pairs].map(([at, [overtook, kept]]) => [at, overtook, kept] as const)
  }
  load(pairs: ReturnType<ServiceOrder['save']>): void {
    this.#pairs = new Map(pairs.map(([at, overtook, kept]) => [at, [overtook, kept]]))
  }
}
