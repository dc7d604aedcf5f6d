/** Shows the machine's page again without a network: as it was opened last, with every file it names. */
const worker = self as unknown as ServiceWorkerGlobalScope
const CACHE = 'kiosk'
const PAGE = '/kiosk'
/** A network that does not answer counts as none. */
const PATIENCE_MS = 4000

worker.addEventListener('install', (event) => event.waitUntil(prepare()))
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()))
worker.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== worker.location.origin) return
  if (request.mode === 'navigate' && pathname === PAGE) event.respondWith(page(request))
  else if (pathname.startsWith('/assets/') || pathname.startsWith('/brand/')) event.respondWith(file(request))
})

/** The page that registered this worker had its files before anybody could keep them. */
async function prepare(): Promise<void> {
  await keepPage(await fetch(PAGE))
  await worker.skipWaiting()
}

async function page(request: Request): Promise<Response> {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) })
    if (response.ok) await keepPage(response.clone())
    if (response.status < 500) return response
  } catch {
    // Without a network: what is kept.
  }
  return (await (await caches.open(CACHE)).match(PAGE)) ?? Response.error()
}

/** Files that a page or a style sheet names. */
const named = (text: string) => [...new Set(text.match(/\/assets\/[\w./-]+/g))]

/** The page with all it names and what its styles name, and nothing of the page before. */
async function keepPage(response: Response): Promise<void> {
  if (!response.ok) return
  const cache = await caches.open(CACHE)
  const wanted = named(await response.clone().text())
  for (const path of wanted.filter((each) => /\.(?:css|js)$/.test(each)))
    wanted.push(
      ...named((await (await file(new Request(path))).text()).replace(/import\([`'"]\.\//g, '$&/assets/kiosk/')),
    )
  await Promise.all(wanted.map((path) => file(new Request(path))))
  await cache.put(PAGE, response)
}

/** Their names change with their content, so what is kept is right. */
async function file(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request)
  if (kept) return kept
  const response = await fetch(request)
  if (response.status === 200) await cache.put(request, response.clone())
  return response
}
