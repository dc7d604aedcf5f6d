/** What is counted of each leg, added up wherever legs are put together. */
export const COUNTS = [
  'arrivals',
  'total_customers',
  'called',
  'started',
  'services',
  'served',
  'no_shows',
  'abandoned',
  'expired',
  'returned',
  'transferred',
  'unfinished',
  'held',
  'within_goal',
  'promised',
  'within_promise',
  'inside_promise',
  'rated',
  'rating_sum',
  'wait_seconds',
  'walk_seconds',
  'service_seconds',
  'held_seconds',
  'abandoned_seconds',
  'promise_error_seconds',
  'promise_absolute_error_seconds',
] as const
type Count = (typeof COUNTS)[number]
/** Sums over any number of legs; `max_wait_seconds` is their greatest. */
export type Sums = Record<Count, number> & { max_wait_seconds: number }

/** `sum(a) as a, …`, and the greatest wait. */
export const SUMS = [
  ...COUNTS.map((name) => `coalesce(sum(${name}), 0)::bigint as ${name}`),
  'coalesce(max(max_wait_seconds), 0)::int as max_wait_seconds',
].join(', ')

const range = (from: number, to: number, step: number) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step)

/**
 * Upper ends of the steps in which durations are counted, in seconds; what is longer than the last has a step of its own.
 * The same as `app.duration_edges()`.
 */
export const EDGES: readonly number[] = [
  ...range(0, 45, 15),
  ...range(60, 570, 30),
  ...range(600, 1740, 60),
  ...range(1800, 3480, 120),
  ...range(3600, 6900, 300),
  ...range(7200, 28_800, 900),
]

/** Counts by step, added up over rows, as one array. */
export const stepSums = (column: string): string =>
  `array[${Array.from({ length: EDGES.length + 1 }, (_, i) => `sum(${column}[${i + 1}])`)}]::int[]`

/**
 * The upper end of the step that holds the `share` smallest durations: the exact percentile (`percentile_disc`), rounded
 * up to its step. @param longest stands for the last step @returns null without durations
 */
export function stepPercentile(counts: readonly number[], share: number, longest: number): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all === 0) return null
  const wanted = Math.max(1, Math.ceil(share * all))
  let seen = 0
  for (const [step, count] of counts.entries()) {
    seen += count
    if (seen >= wanted) return EDGES[step] ?? longest
  }
  return longest
}
