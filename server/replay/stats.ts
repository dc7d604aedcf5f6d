export interface Summary {
  count: number
  mean: number
  p50: number
  p90: number
  p99: number
  max: number
}

/** Mean and nearest-rank percentiles; all zero for no values. */
export function summarize(values: readonly number[]): Summary {
  const sorted = Float64Array.from(values).sort()
  const count = sorted.length
  const at = (p: number) => (count === 0 ? 0 : (sorted[Math.max(0, Math.ceil(p * count) - 1)] as number))
  const mean = count === 0 ? 0 : sorted.reduce((sum, value) => sum + value, 0) / count
  return { count, mean, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}

/** The nearest-rank median; 0 for no values. */
export const median = (values: readonly number[]) => summarize(values).p50
