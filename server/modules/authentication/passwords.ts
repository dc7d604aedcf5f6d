import { hash, verify } from '@node-rs/argon2'
import { AppError } from '../../kernel/errors.ts'

/** OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** Two at a time: a flood of sign-ins may take both cores of a small machine for a moment, never its memory. */
const SLOTS = 2
const MAX_WAITING = 20

let running = 0
const waiting: (() => void)[] = []

/**
 * Runs `work` when a slot is free.
 * @throws AppError limit_exceeded `rate_limited` when `maxWaiting` others wait already
 */
export async function withPasswordSlot<T>(work: () => Promise<T>, maxWaiting = MAX_WAITING): Promise<T> {
  if (running >= SLOTS) {
    if (waiting.length >= maxWaiting) throw new AppError('limit_exceeded', 'rate_limited', { retryAfterSeconds: 2 })
    // The slot is handed over, not freed, so that a newcomer cannot slip in between.
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else {
    running++
  }
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

/** One spelling for what a keyboard may send in several: NFKC, as NIST SP 800-63B advises. */
const spelling = (password: string) => password.normalize('NFKC')

/** Argon2id in PHC format. Call it within `withPasswordSlot`. */
export const hashPassword = (password: string): Promise<string> => hash(spelling(password), OPTIONS)

let dummy: Promise<string> | undefined

/**
 * Does the password open the account? An account that does not exist, or has no password, takes as long to say no.
 * Call it within `withPasswordSlot`.
 */
export async function passwordMatches(passwordHash: string | null | undefined, password: string): Promise<boolean> {
  const known = passwordHash ?? (await (dummy ??= hashPassword('no account has this password')))
  const matches = await verify(known, spelling(password))
  return matches && passwordHash !== null && passwordHash !== undefined
}
