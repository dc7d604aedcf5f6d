import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createSigner, createVerifier, TokenError } from 'fast-jwt'
import { now } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'

/** What a token is good for; a token of one kind is worth nothing where another is asked for. */
export type TokenType = 'access' | 'refresh' | 'ws' | 'challenge' | 'proof' | 'link' | 'flow' | 'sso'

/** The database's clock, which dates tokens, may be this far ahead of the process's. */
const MAX_SKEW_SECONDS = 60

const ISSUER = 'smartqueue'
const AUDIENCE: Record<TokenType, string> = {
  access: 'smartqueue',
  refresh: 'smartqueue:refresh',
  ws: 'smartqueue:ws',
  challenge: 'smartqueue:challenge',
  proof: 'smartqueue:proof',
  link: 'smartqueue:link',
  flow: 'smartqueue:flow',
  sso: 'smartqueue:sso',
}
const TYPES = Object.keys(AUDIENCE) as TokenType[]

interface KeyRing {
  /** Current key first. */
  keys: readonly string[]
  sign(claims: object): string
  /** By type, current key first, then those of former keys. */
  verifiers: Record<TokenType, ((token: string) => unknown)[]>
}

function keyRing(secretKey: string, fallbacks: readonly string[]): KeyRing {
  const keys = [secretKey, ...fallbacks]
  const verifiersOf = (type: TokenType) =>
    keys.map((key) =>
      createVerifier({
        key,
        // The algorithm is ours to choose, never the token's.
        algorithms: ['HS256'],
        allowedIss: ISSUER,
        allowedAud: AUDIENCE[type],
        requiredClaims: ['iat', 'exp', 'iss', 'aud', 'typ'],
        cache: false,
      }),
    )
  return {
    keys,
    sign: createSigner({ key: secretKey, algorithm: 'HS256' }),
    verifiers: Object.fromEntries(TYPES.map((type) => [type, verifiersOf(type)])) as KeyRing['verifiers'],
  }
}

/** Until the process is given its keys it signs with one of its own, which nobody else can verify. */
let ring = keyRing(randomBytes(32).toString('base64url'), [])
const rotations: (() => void)[] = []

/** Gives the process SECRET_KEY, with which it signs, and SECRET_KEY_FALLBACKS, which it still accepts. */
export function useSigningKeys(secretKey: string, fallbacks: readonly string[] = []): void {
  ring = keyRing(secretKey, fallbacks)
  for (const forget of rotations) forget()
}
/** What was verified with former keys must be forgotten with them. */
export function onKeyChange(forget: () => void): void {
  rotations.push(forget)
}

/** @param claims with `iat` and `exp` in seconds since 1970, from the database's clock */
export function sign(type: TokenType, claims: { iat: number; exp: number } & Record<string, unknown>): string {
  return ring.sign({ ...claims, iss: ISSUER, aud: AUDIENCE[type], typ: type })
}

/** @throws AppError unauthorized `token_expired` or `token_invalid` */
export function verify(type: TokenType, token: string): Record<string, unknown> {
  if (!isCanonical(token)) throw new AppError('unauthorized', 'token_invalid')
  let failure: unknown
  for (const verifier of ring.verifiers[type]) {
    try {
      const claims = verifier(token) as Record<string, unknown>
      if (claims['typ'] === type && Number(claims['iat']) <= now() / 1000 + MAX_SKEW_SECONDS) return claims
      failure = undefined
      break
    } catch (error) {
      failure = error
      if (error instanceof TokenError && error.code !== TokenError.codes.invalidSignature) break
    }
  }
  const expired = failure instanceof TokenError && failure.code === TokenError.codes.expired
  throw new AppError('unauthorized', expired ? 'token_expired' : 'token_invalid', { cause: failure })
}

/**
 * One spelling for a token. Its last character holds bits that decode to nothing, so that several spellings carry the
 * same bytes (RFC 4648 §3.5): whoever keeps a list of tokens must not meet a second one that is equal.
 */
const isCanonical = (token: string): boolean =>
  token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)

const macWith = (key: string, purpose: string, text: string) =>
  createHmac('sha256', key).update(`${purpose}:${text}`).digest('base64url')

/** 256 bits that only this installation can compute for a text, another for each purpose. */
export const mac = (purpose: string, text: string): string => macWith(ring.keys[0]!, purpose, text)

export function isMac(purpose: string, text: string, given: string): boolean {
  const bytes = Buffer.from(given)
  return ring.keys.some((key) => {
    const expected = Buffer.from(macWith(key, purpose, text))
    return expected.length === bytes.length && timingSafeEqual(expected, bytes)
  })
}

const IV_BYTES = 12
const TAG_BYTES = 16
const sealingKey = (key: string, purpose: string) => createHmac('sha256', key).update(`seal:${purpose}`).digest()

/** Encrypts a secret for the database (AES-256-GCM, another key for each purpose): IV, tag, text. */
export function seal(purpose: string, secret: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', sealingKey(ring.keys[0]!, purpose), iv)
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), text])
}

/** @throws Error when no key of ours sealed it for this purpose */
export const unseal = (purpose: string, sealed: Buffer): string => open(purpose, sealed).text

/** The same secret under the current key, or undefined when that sealed it already. @throws as unseal */
export function resealed(purpose: string, sealed: Buffer): Buffer | undefined {
  const { text, isCurrent } = open(purpose, sealed)
  return isCurrent ? undefined : seal(purpose, text)
}

function open(purpose: string, sealed: Buffer): { text: string; isCurrent: boolean } {
  let failure: unknown
  for (const [i, key] of ring.keys.entries()) {
    const decipher = createDecipheriv('aes-256-gcm', sealingKey(key, purpose), sealed.subarray(0, IV_BYTES))
    decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
    try {
      const text = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
      return { text: text.toString('utf8'), isCurrent: i === 0 }
    } catch (error) {
      failure = error
    }
  }
  throw new Error('no key opens this secret', { cause: failure })
}
