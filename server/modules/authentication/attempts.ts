import { AppError } from '../../kernel/errors.ts'
import { hashToken } from '../../kernel/ids.ts'
import { MemoryFailures, RedisFailures, type FailureStore } from '../../kernel/limits/index.ts'
import type { RedisLink } from '../../kernel/redis.ts'

const WINDOW_SECONDS = 15 * 60
/** Enough for a forgetful person; a guesser gets 2,880 a day. Addresses are limited apart, before it comes to this. */
const MAX_FAILURES = 30

/** Failed sign-ins by e-mail, whether or not such an account exists. */
let failures: FailureStore = new MemoryFailures(WINDOW_SECONDS)

/** Shares the counts with all processes of an installation, or begins counts of this process's own. */
export function useAttemptStore(redis: RedisLink | undefined): void {
  failures = redis ? new RedisFailures(redis, WINDOW_SECONDS) : new MemoryFailures(WINDOW_SECONDS)
}

/** Nobody reads addresses out of the shared store. */
const keyOf = (name: string) => hashToken(name).toString('base64url')

/**
 * @throws AppError limit_exceeded `rate_limited` when this account was tried too often; unavailable `overloaded` when the
 *   shared counts cannot be asked
 */
export async function checkAttempts(name: string, max = MAX_FAILURES): Promise<void> {
  const { count, retrySeconds } = await failures.of(keyOf(name))
  if (count >= max) throw new AppError('limit_exceeded', 'rate_limited', { retryAfterSeconds: retrySeconds })
}
/** @throws AppError unavailable `overloaded` */
export const recordFailure = (name: string): Promise<void> => failures.add(keyOf(name))
export const forgetFailures = (name: string): Promise<void> => failures.forget(keyOf(name))
