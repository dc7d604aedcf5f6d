import { randomInt } from 'node:crypto'

/** Waits before another attempt differ by a quarter either way: what failed together must not come back together. */
export const JITTER = 0.25
const STEPS = 1 << 20

/** A random number from 0 to 1, both included. */
const chance = () => randomInt(STEPS + 1) / STEPS

/**
 * Milliseconds until the attempt after the `attempt`-th (from 1): `first` seconds, doubled each time up to `most`, give or
 * take the jitter. Who says when to come back (`retryAfterSeconds`) is never asked sooner, only up to a quarter later.
 * @param random from 0 to 1
 */
export function retryWaitMs(
  attempt: number,
  { first, most, retryAfterSeconds }: { first: number; most: number; retryAfterSeconds?: number | undefined },
  random: number = chance(),
): number {
  if (retryAfterSeconds) return Math.ceil(retryAfterSeconds * 1000 * (1 + JITTER * random))
  const seconds = Math.min(most, first * 2 ** Math.min(attempt - 1, 30))
  return Math.round(seconds * 1000 * (1 - JITTER + 2 * JITTER * random))
}
