import { LRUCache } from 'lru-cache'
import { AppError } from '../../kernel/errors.ts'

const WINDOW_MILLISECONDS = 15 * 60_000
/** Enough for a forgetful person; a guesser gets 2,880 a day. Addresses are limited apart, before it comes to this. */
const MAX_FAILURES = 30

/** Failed sign-ins by e-mail, whether or not such an account exists. */
const failures = new LRUCache<string, number>({ max: 20_000, ttl: WINDOW_MILLISECONDS, noUpdateTTL: true })

/** @throws AppError limit_exceeded `rate_limited` when this account was tried too often */
export function checkAttempts(email: string, max = MAX_FAILURES): void {
  if ((failures.get(email) ?? 0) < max) return
  const retryAfterSeconds = Math.max(1, Math.ceil(failures.getRemainingTTL(email) / 1000))
  throw new AppError('limit_exceeded', 'rate_limited', { retryAfterSeconds })
}
export function recordFailure(email: string): void {
  failures.set(email, (failures.get(email) ?? 0) + 1)
}
export function forgetFailures(email: string): void {
  failures.delete(email)
}
