/** OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. */
export const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/**
 * Whoever has none gets nine times the processor when both want it. At the highest there is, seventy times, a sign-in beside four
 * busy loops on two cores took up to 12 s, and the counters had nothing of it: docs/performance.md has the figures.
 */
export const NICENESS = 10

/** Hash `password`, or say whether it is what `stored` was made of. */
export interface Question {
  id: number
  password: string
  stored?: string
}
export type Answer = { id: number; hash?: string; matches?: boolean; failure?: string }
