import type { Event } from './client.ts'

/** A message may be so old, or so early: clocks differ, and a copy of yesterday's is no message. */
const TOLERANCE_SECONDS = 300

/** Why a message is not to be believed. */
export class WebhookError extends Error {}

type Headers = Readonly<Record<string, string | string[] | undefined>> | { get(name: string): string | null }

/**
 * The event of a webhook, if it is ours (Standard Webhooks 1.0.0). Hand over the body as it came, not parsed and written again.
 * @param secret `whsec_…`
 * @throws WebhookError when the signature is another's, or the message too old
 */
export async function verifyWebhook(secret: string, headers: Headers, body: string): Promise<Event> {
  const read = (name: string) => {
    const value = typeof headers.get === 'function' ? headers.get(name) : (headers as Record<string, unknown>)[name]
    if (typeof value !== 'string') throw new WebhookError(`the header ${name} is missing`)
    return value
  }
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(read) as [
    string,
    string,
    string,
  ]
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS))
    throw new WebhookError('the message is too old')
  const key = await crypto.subtle.importKey(
    'raw',
    bytesOf(secret.replace(/^whsec_/, '')),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  )
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`)
  for (const each of signatures.split(' ')) {
    const [version, signature] = each.split(',')
    if (version !== 'v1' || !signature) continue
    // Compares in constant time.
    if (await crypto.subtle.verify('HMAC', key, bytesOf(signature), signed)) return JSON.parse(body) as Event
  }
  throw new WebhookError('the signature is not ours')
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  } catch {
    throw new WebhookError('no base64')
  }
}
