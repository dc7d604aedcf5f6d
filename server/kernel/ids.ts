import { createHash, randomFillSync } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 22 base62 characters carry 130.9 bits. */
const SECRET_LENGTH = 22

/** Filled by one call for about a hundred tokens: a call each would cost more than all else that makes a ticket's token. */
const pool = new Uint8Array(4096)
let used = pool.length
function randomByte(): number {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  return pool[used++]!
}

/** `length` random base62 characters; bytes that would favour the first characters are thrown away. */
export function randomBase62(length: number): string {
  let text = ''
  while (text.length < length) {
    const byte = randomByte()
    if (byte < 248) text += ALPHABET[byte % 62]
  }
  return text
}

/**
 * The secret of a visitor's ticket: `<tenant id in base 36>-<22 base62 characters>`. The tenant in front lets a public
 * page find the tenant's wall before anything is read; it is no secret.
 */
export function newVisitorToken(tenantId: number): string {
  return `${tenantId.toString(36)}-${randomBase62(SECRET_LENGTH)}`
}

/** SHA-256 of a random token, which is all that is stored of it. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** Tenant id in a visitor's token, or undefined when the text cannot be such a token. */
export function tenantOfToken(token: string): number | undefined {
  const match = /^([1-9a-z][0-9a-z]{0,10})-[0-9A-Za-z]{22,64}$/.exec(token)
  if (!match) return undefined
  const id = Number.parseInt(match[1]!, 36)
  return Number.isSafeInteger(id) ? id : undefined
}
