/** Shows the ticket again without a network: its page as it was opened last, and the files it needs. */
const worker = self as unknown as ServiceWorkerGlobalScope
const PAGES = 'tickets'
const FILES = 'files'
/** Tickets of one browser that are kept. */
const MOST_PAGES = 5
/** A network that does not answer counts as none. */
const PATIENCE_MS = 4000

worker.addEventListener('install', () => void worker.skipWaiting())
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()))
worker.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== worker.location.origin) return
  if (request.mode === 'navigate' && pathname.startsWith('/t/')) event.respondWith(page(request))
  else if (pathname.startsWith('/assets/')) event.respondWith(file(request))
})

async function page(request: Request): Promise<Response> {
  const cache = await caches.open(PAGES)
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) })
    if (response.ok && !response.redirected) {
      await cache.put(request, response.clone())
      const keys = await cache.keys()
      await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST_PAGES)).map((old) => cache.delete(old)))
    } else if (response.status === 404) await cache.delete(request, { ignoreSearch: true })
    return response
  } catch (error) {
    const kept = (await cache.match(request)) ?? (await cache.match(request, { ignoreSearch: true }))
    if (kept) return kept
    throw error
  }
}

/** Their names change with their content, so what is kept is right. */
async function file(request: Request): Promise<Response> {
  const cache = await caches.open(FILES)
  const kept = await cache.match(request)
  if (kept) return kept
  const response = await fetch(request)
  if (response.ok && response.status === 200) await cache.put(request, response.clone())
  return response
}

interface Message {
  title: string
  body: string
  lang: string
}
/** One notification a ticket: a second call takes the place of the first. */
worker.addEventListener('push', (event) => {
  const { title, body, lang } = (event.data?.json() ?? {}) as Partial<Message>
  if (title === undefined) return
  const dir = lang === 'ar' ? 'rtl' : 'ltr'
  const options = { body, lang, dir, tag: 'call', requireInteraction: true, renotify: true, vibrate: [300, 150, 300] }
  event.waitUntil(worker.registration.showNotification(title, options as NotificationOptions))
})
worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(openTicket())
})

async function openTicket(): Promise<void> {
  const [open] = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (open) return void (await open.focus())
  const kept = await (await caches.open(PAGES)).keys()
  if (kept.length > 0) await worker.clients.openWindow(kept.at(-1)!.url)
}
