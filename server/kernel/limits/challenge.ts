import { hkdfSync, randomBytes } from 'node:crypto'
import { createChallenge, extractParams, verifySolution } from 'altcha-lib/v1'
import type { Payload } from 'altcha-lib/v1/types'
import Type, { type Static } from 'typebox'
import { now } from '../clock.ts'
import { Closed } from '../schema.ts'

/**
 * Work that a browser does in a second or two and a flood must do for each request: find the number whose SHA-256 after
 * `salt` is `challenge` (ALTCHA, proof of work v1). The protocol's names.
 */
export const Challenge = Closed({
  algorithm: Type.Literal('SHA-256'),
  challenge: Type.String(),
  maxnumber: Type.Integer(),
  salt: Type.String(),
  signature: Type.String(),
})
export type Challenge = Static<typeof Challenge>

/** Half of it is tried on average: about a second of a telephone's browser. */
const MAX_NUMBER = 50_000
export const CHALLENGE_SECONDS = 300
/** Base64 of JSON with two hashes and the salt; nothing longer is worth reading. */
const MAX_SOLUTION_LENGTH = 1000

const keyOf = (secret: string) => Buffer.from(hkdfSync('sha256', secret, '', 'take challenge', 32)).toString('hex')
/** Current key first. Until the process is given its keys it signs with one that nobody else has. */
let keys = [keyOf(randomBytes(32).toString('hex'))]

/** Gives the process SECRET_KEY, from which it derives the key it signs with, and the former ones it still accepts. */
export function useChallengeKeys(secretKey: string, fallbacks: readonly string[] = []): void {
  keys = [secretKey, ...fallbacks].map(keyOf)
}

/** A challenge that is worth something in one organisation, for five minutes. */
export async function newChallenge(tenantId: number): Promise<Challenge> {
  const made = await createChallenge({
    algorithm: 'SHA-256',
    hmacKey: keys[0]!,
    maxnumber: MAX_NUMBER,
    expires: new Date(now() + CHALLENGE_SECONDS * 1000),
    params: { tenant: String(tenantId) },
  })
  return { ...made, algorithm: 'SHA-256', maxnumber: MAX_NUMBER }
}

/**
 * The challenge that a solution solves, undefined when it is forged, expired, another organisation's or no solution.
 * Whether it was used before is not asked here.
 */
export async function solvedChallenge(tenantId: number, solution: string): Promise<string | undefined> {
  const payload = payloadOf(solution)
  if (!payload || extractParams(payload)['tenant'] !== String(tenantId)) return undefined
  for (const key of keys) if (await verifySolution(payload, key)) return payload.challenge
  return undefined
}

/** Base64 of JSON, as ALTCHA's clients send it. Types are exact: what is hashed is `salt` and `number` side by side. */
function payloadOf(solution: string): Payload | undefined {
  if (solution.length > MAX_SOLUTION_LENGTH) return undefined
  let given: Partial<Payload> | null
  try {
    given = JSON.parse(Buffer.from(solution, 'base64').toString('utf8')) as Partial<Payload> | null
  } catch {
    return undefined
  }
  const { algorithm, challenge, number, salt, signature } = given ?? {}
  if (algorithm !== 'SHA-256' || typeof challenge !== 'string' || typeof signature !== 'string') return undefined
  if (typeof salt !== 'string' || !Number.isSafeInteger(number) || number! < 0) return undefined
  return { algorithm, challenge, number: number!, salt, signature }
}
