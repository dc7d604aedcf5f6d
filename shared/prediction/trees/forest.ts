import { grow, leafOf, LEAVES, type Table, TREE_BYTES } from './tree.ts'

const TREES = 80
const RATE = 0.1

/**
 * Boosted trees for the median (Friedman, Annals of Statistics 2001, LAD_TreeBoost): each tree is grown on the signs of
 * what is still missing, its leaves move by a share of the median missing there. Kept in 44 bytes a tree.
 */
export class Forest {
  #start = 0
  #splits = new Uint8Array(0)
  #values = new Float16Array(0)

  get isFitted(): boolean {
    return this.#values.length > 0
  }

  /** Learns `targets` of the table's rows, one tree at each step; predicts as before until the last. */
  *fit(table: Table, targets: Float64Array): Generator<void, void> {
    const start = median(targets.slice())
    const splits = new Uint8Array(TREES * TREE_BYTES)
    const values = new Float16Array(TREES * LEAVES)
    const missing = targets.map((target) => target - start)
    const signs = new Float64Array(targets.length)
    for (let tree = 0; tree < TREES; tree++) {
      for (let i = 0; i < signs.length; i++) signs[i] = Math.sign(missing[i]!)
      const leaves = grow(table, signs, splits.subarray(tree * TREE_BYTES, (tree + 1) * TREE_BYTES))
      for (const [leaf, rows] of leaves.entries()) {
        const value = Math.f16round(RATE * median(Float64Array.from(rows, (row) => missing[row]!)))
        values[tree * LEAVES + leaf] = value
        for (const row of rows) missing[row]! -= value
      }
      yield
    }
    this.#start = start
    this.#splits = splits
    this.#values = values
  }

  predict(row: Uint8Array): number {
    const table = { width: row.length, rows: row }
    let sum = this.#start
    for (let tree = 0; tree * TREE_BYTES < this.#splits.length; tree++) {
      const leaf = leafOf(this.#splits.subarray(tree * TREE_BYTES, (tree + 1) * TREE_BYTES), table, 0)
      sum += this.#values[tree * LEAVES + leaf]!
    }
    return sum
  }

  save() {
    return [this.#start, this.#splits, this.#values] as const
  }
  load([start, splits, values]: ReturnType<Forest['save']>): void {
    this.#start = start
    this.#splits = splits
    this.#values = values
  }
}

function median(values: Float64Array): number {
  values.sort()
  const middle = values.length >> 1
  if (values.length === 0) return 0
  return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2
}
