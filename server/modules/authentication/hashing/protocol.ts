/** OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. */
export const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** The highest there is: whoever has none gets seventy times the processor when both want it. */
export const NICENESS = 19

/** Hash `password`, or say whether it is what `stored` was made of. */
export interface Question {
  id: number
  password: string
  stored?: string
}
export type Answer = { id: number; hash?: string; matches?: boolean; failure?: string }
