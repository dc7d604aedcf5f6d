import { createECDH, hkdfSync } from 'node:crypto'
import { checkSending } from '../sending.ts'
import { invalid } from '../errors.ts'
import { post } from './providers/web-push.ts'
import type { PushSubscription, VapidKeys } from './types.ts'

export type { PushSubscription } from './types.ts'

/** Services that browsers' makers run; nothing else is ever asked, whatever a page says. */
const SERVICES = ['fcm.googleapis.com', '.push.services.mozilla.com', '.notify.windows.com', '.push.apple.com'] as const

let keys: VapidKeys | undefined
let isLoopbackAllowed = false

/**
 * Makes this installation known to push services by a key that follows from its secret: nothing to set up, and no
 * second secret to lose. A new SECRET_KEY ends the subscriptions, which live as long as a ticket.
 */
export function usePush(secretKey: string, options: { subject: string; allowsLoopback: boolean }): void {
  const curve = createECDH('prime256v1')
  const seed = Buffer.from(hkdfSync('sha256', secretKey, '', 'web-push vapid', 32))
  // Below the order of the curve, whatever the seed.
  seed[0] = seed[0]! & 0x7f
  curve.setPrivateKey(seed)
  keys = {
    publicKey: curve.getPublicKey('base64url'),
    privateKey: seed.toString('base64url'),
    subject: options.subject,
  }
  isLoopbackAllowed = options.allowsLoopback
}

/** What a page subscribes with (`applicationServerKey`); undefined where nothing is sent. */
export const pushKey = (): string | undefined => keys?.publicKey

/** @throws AppError invalid_input unless the address is one of a push service */
export function checkEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const isLoopback = isLoopbackAllowed && url?.hostname === '127.0.0.1'
  const isService =
    url?.protocol === 'https:' &&
    SERVICES.some((host) => (host.startsWith('.') ? url.hostname.endsWith(host) : url.hostname === host))
  if (!isService && !isLoopback) throw invalid('/endpoint', 'format')
}

/**
 * Wakes a browser. The message is encrypted for it alone; the service that carries it reads nothing.
 * @returns false when the subscription is over and may be forgotten
 * @throws Error when the service could not take it now
 */
export async function push(subscription: PushSubscription, message: object, ttlSeconds: number): Promise<boolean> {
  if (!keys) return true
  checkSending()
  return post(subscription, JSON.stringify(message), keys, ttlSeconds)
}
