import type { LimitState } from './store.ts'

/**
 * `RateLimit-Policy` and `RateLimit` as structured fields (draft-ietf-httpapi-ratelimit-headers): per policy its quota
 * `q` in a window of `w` seconds, what remains `r`, and the seconds `t` until all of it is back.
 */
export function limitHeaders(states: readonly LimitState[]): Record<string, string> {
  return {
    'ratelimit-policy': states
      .map(({ by, amount, windowSeconds }) => `"${by}";q=${amount};w=${windowSeconds}`)
      .join(', '),
    ratelimit: states.map(({ by, remaining, resetSeconds }) => `"${by}";r=${remaining};t=${resetSeconds}`).join(', '),
  }
}
