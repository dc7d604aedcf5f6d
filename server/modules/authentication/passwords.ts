import { createRequire } from 'node:module'
import { AppError, invalid } from '../../kernel/errors.ts'
import { hashed, verified } from './hashing/hasher.ts'

/** One at a time, in a process that gives way: a flood of sign-ins takes what the counters leave of one core. */
const SLOTS = 1
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
export const hashPassword = (password: string): Promise<string> => hashed(spelling(password))

/** Of 32 random bytes that were thrown away: nobody can sign in with it. */
const DUMMY = '$argon2id$v=19$m=19456,t=2,p=1$reMC2O2Mkt+1sW/OlkxMFg$8CNMlLEXm8Gs5vdl5Bth7wUu6HQhqpat7CY3odna1RY'

let checks = 0
/** Hashes that were compared since the process started. */
export const passwordChecks = (): number => checks

/**
 * Does the password open the account? An account that does not exist, or has no password, takes as long to say no.
 * Call it within `withPasswordSlot`.
 */
export async function passwordMatches(passwordHash: string | null | undefined, password: string): Promise<boolean> {
  checks++
  const matches = await verified(passwordHash ?? DUMMY, spelling(password))
  return matches && typeof passwordHash === 'string'
}

const MIN_DISTINCT = 5

/** The 50,000 most leaked passwords of eight characters or more, decoded (33 ms) for the first who chooses one. */
const require = createRequire(import.meta.url)
let leaked: { test(password: string): boolean } | undefined
const isLeaked = (folded: string) => (leaked ??= require('fxa-common-password-list') as typeof leaked)!.test(folded)

/**
 * Refuses passwords that a guesser tries first.
 * @throws AppError invalid_input `password_too_weak` at /password
 */
export function checkPassword(password: string, email: string): void {
  const folded = spelling(password).toLowerCase()
  const name = email.split('@')[0]!
  const stem = folded.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
  const guessable =
    new Set(folded).size < MIN_DISTINCT ||
    folded === email ||
    folded === name.repeat(2) ||
    '01234567890123456789'.includes(folded) ||
    'azertyuiop1234567890 qwertyuiop1234567890'.includes(folded) ||
    /^(password|motdepasse|mot de passe|smartqueue)$/.test(stem) ||
    // A word that guessers know stays one with a year and an exclamation mark.
    isLeaked(folded) ||
    isLeaked(stem)
  if (guessable) throw invalid('/password', 'password_too_weak')
}
