import { randomInt } from 'node:crypto'

/** Seconds between attempts: ten in a little over three days, as Standard Webhooks recommend. */
const DELAYS_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]

/** No receiver may ask for a longer rest. */
const MOST_REST_SECONDS = 86_400

/** Milliseconds until the attempt after the `step`-th (from 0), a fifth more or less; undefined when that was the last. */
export function waitMs(step: number): number | undefined {
  const seconds = DELAYS_SECONDS[step]
  return seconds === undefined ? undefined : Math.round(seconds * (800 + randomInt(401)))
}

/** Milliseconds of rest that `Retry-After` asks for: seconds or a date (RFC 9110 §10.2.3). @param now since 1970 */
export function restMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now
  return ms > 0 ? Math.min(ms, MOST_REST_SECONDS * 1000) : undefined
}
