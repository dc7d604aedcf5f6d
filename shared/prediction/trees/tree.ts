/** Rows of the same width, one after the other; a feature is a byte, so a byte is its histogram's bin. */
export interface Table {
  width: number
  rows: Uint8Array
}

export const LEAVES = 8
/** Feature, highest byte that goes left, left and right; from `LEAF` on, what is left or right is a leaf. */
const SPLIT_BYTES = 4
export const TREE_BYTES = (LEAVES - 1) * SPLIT_BYTES
const LEAF = 128
const BINS = 256
/** Fewer rows on one side say nothing. */
const LEAST_ROWS = 30

interface Grown {
  rows: Int32Array
  gain: number
  feature: number
  bin: number
  /** Tells the split above where this one or this leaf is kept. */
  attach: (place: number) => void
}

/** The leaf where a row ends. */
export function leafOf(splits: Uint8Array, { rows, width }: Table, row: number): number {
  for (let at = 0; ;) {
    const isLeft = rows[row * width + splits[at]!]! <= splits[at + 1]!
    const next = splits[at + (isLeft ? 2 : 3)]!
    if (next >= LEAF) return next - LEAF
    at = next * SPLIT_BYTES
  }
}

/**
 * Grows one tree into `splits` and answers the rows of each leaf: always the split that lowers the squared distance to
 * the gradient most, by histograms (Ke et al., LightGBM, NeurIPS 2017). The same rows make the same tree.
 */
export function grow(table: Table, gradient: Float64Array, splits: Uint8Array): Int32Array[] {
  const everything = Int32Array.from(gradient, (_, i) => i)
  let leaves = [bestSplit(table, gradient, everything, () => {})]
  let count = 0
  while (leaves.length < LEAVES) {
    const next = leaves.reduce((best, leaf) => (leaf.gain > best.gain ? leaf : best))
    if (next.gain <= 0) break
    const at = count * SPLIT_BYTES
    next.attach(count++)
    splits.set([next.feature, next.bin], at)
    const isLeft = (row: number) => table.rows[row * table.width + next.feature]! <= next.bin
    const side = (rows: Int32Array, slot: number) =>
      bestSplit(table, gradient, rows, (place) => {
        splits[at + slot] = place
      })
    const [left, right] = [
      side(next.rows.filter(isLeft), 2),
      side(
        next.rows.filter((row) => !isLeft(row)),
        3,
      ),
    ]
    leaves = leaves.flatMap((leaf) => (leaf === next ? [left, right] : [leaf]))
  }
  // A tree of one leaf: whatever the row, it goes there.
  if (count === 0) splits.set([0, BINS - 1, LEAF, LEAF])
  for (const [i, { attach }] of leaves.entries()) attach(LEAF + i)
  return leaves.map(({ rows }) => rows)
}

const sums = new Float64Array(BINS)
const counts = new Int32Array(BINS)

function bestSplit(table: Table, gradient: Float64Array, rows: Int32Array, attach: Grown['attach']): Grown {
  const best: Grown = { rows, gain: 0, feature: 0, bin: 0, attach }
  if (rows.length < 2 * LEAST_ROWS) return best
  let total = 0
  for (const row of rows) total += gradient[row]!
  const whole = total ** 2 / rows.length
  for (let feature = 0; feature < table.width; feature++) {
    sums.fill(0)
    counts.fill(0)
    for (let i = 0; i < rows.length; i++) {
      const bin = table.rows[rows[i]! * table.width + feature]!
      sums[bin]! += gradient[rows[i]!]!
      counts[bin]!++
    }
    let sum = 0
    let count = 0
    for (let bin = 0; rows.length - count >= LEAST_ROWS; bin++) {
      sum += sums[bin]!
      count += counts[bin]!
      if (counts[bin] === 0 || count < LEAST_ROWS || rows.length - count < LEAST_ROWS) continue
      const gain = sum ** 2 / count + (total - sum) ** 2 / (rows.length - count) - whole
      if (gain > best.gain + 1e-9) Object.assign(best, { gain, feature, bin })
    }
  }
  return best
}
