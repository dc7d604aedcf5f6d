import { call } from '../../data/api.ts'
import { ticketsSubscribe } from '../../data/operations.ts'

/**
 * Whether a notification can be offered. A browser tab of an iPhone has none, whatever it says: there only apps of the
 * home screen may be woken.
 */
export function canPush(): boolean {
  const isIosTab = /iPhone|iPad|iPod/.test(navigator.userAgent) && !matchMedia('(display-mode: standalone)').matches
  return !isIosTab && 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis
}

/** Asks the person, then the browser, then the server; only from a tap. */
export async function subscribe(token: string, key: string): Promise<'on' | 'denied' | 'failed'> {
  try {
    if ((await Notification.requestPermission()) !== 'granted') return 'denied'
    const registration = await navigator.serviceWorker.ready
    const { endpoint, keys } = (
      await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
    ).toJSON()
    await call(ticketsSubscribe, { token, endpoint: endpoint!, p256dh: keys!['p256dh']!, auth: keys!['auth']! })
    return 'on'
  } catch {
    return 'failed'
  }
}
