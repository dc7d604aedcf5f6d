import { createHmac, randomBytes } from 'node:crypto'
import { seal, unseal } from '../authentication/index.ts'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

/** A secret as its holder keeps it: `whsec_` and base64 of 256 random bits. */
export const newSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString('base64')
export const sealSecret = (secret: string): Buffer => seal('webhook', secret)
export const openSecret = (sealed: Buffer): string => unseal('webhook', sealed)

/**
 * What is sent beside a body (Standard Webhooks 1.0.0): its name, which stays when it is sent again, the time of this
 * attempt in seconds, and a signature over all three for each secret that counts.
 */
export function signedHeaders(
  id: string,
  atSeconds: number,
  body: string,
  secrets: readonly string[],
): Record<string, string> {
  const sign = (secret: string) =>
    createHmac('sha256', Buffer.from(secret.slice(PREFIX.length), 'base64'))
      .update(`${id}.${atSeconds}.${body}`)
      .digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(atSeconds),
    'webhook-signature': secrets.map((secret) => `v1,${sign(secret)}`).join(' '),
  }
}
