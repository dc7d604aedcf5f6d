import type { PushSubscription, VapidKeys } from '../types.ts'

const PATIENCE_MS = 10_000

/** Encrypts (RFC 8291), signs (RFC 8292) and posts (RFC 8030). False: the subscription is gone. */
export async function post(
  { endpoint, p256dh, auth }: PushSubscription,
  text: string,
  vapidDetails: VapidKeys,
  TTL: number,
): Promise<boolean> {
  // Loaded when a phone is first told something.
  const { default: webPush } = await import('web-push')
  const details = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, text, {
    vapidDetails,
    TTL,
    urgency: 'high',
  })
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: details.headers as Record<string, string>,
    body: new Uint8Array(details.body!),
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  await answer.body?.cancel()
  if (answer.status === 404 || answer.status === 410) return false
  if (!answer.ok) throw new Error(`the push service answers ${answer.status}`)
  return true
}
