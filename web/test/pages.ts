import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'

export const PHONE = { width: 360, height: 740 }
/** A machine that does much else is slow, not wrong. */
export const PATIENCE_MS = 60_000

export interface OpenOptions extends BrowserContextOptions {
  /** What must be in place before the page is asked for: its clock, who is signed in, what stands between it and the server. */
  prepare?(page: Page): Promise<unknown>
  /** What the test does to the page stays with it (a clock, a script before others): nobody gets it afterwards. */
  isLast?: boolean
}
export interface OpenPage {
  context: BrowserContext
  page: Page
  /** Errors and warnings of the console, errors nobody caught, and requests to other origins. */
  complaints: string[]
  close(): Promise<void>
}

export interface Pages {
  open(path: string, options?: OpenOptions): Promise<OpenPage>
  /** Closes whatever is open. */
  closeAll(): Promise<void>
}

/**
 * Opens pages of one server. Starting a page's process costs more than most of what tests do in it, so a page that was
 * closed is opened again, with nothing left of its former life, for whoever asks for the same kind of browser.
 */
export function pagesOf(browser: Browser, url: string): Pages {
  const closed = new Map<string, Page[]>()
  const opened = new Set<OpenPage>()

  async function fresh(options: BrowserContextOptions): Promise<Page> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    return page
  }

  /** Leaves the page as a new one would be, but for what the browser has of unchanging files. */
  async function clean(page: Page): Promise<void> {
    const context = page.context()
    page.removeAllListeners()
    for (const other of context.pages()) if (other !== page) await other.close()
    await context.unrouteAll({ behavior: 'ignoreErrors' })
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await context.setOffline(false)
    await page.emulateMedia({ reducedMotion: null, colorScheme: null })
    if (page.url().startsWith(url)) await page.evaluate('sessionStorage.clear()')
    await page.goto(`${url}/healthz`)
    const debug = await context.newCDPSession(page)
    await debug.send('Storage.clearDataForOrigin', { origin: url, storageTypes: 'all' })
    await debug.detach()
    await context.clearCookies()
  }

  return {
    async open(path, { prepare, isLast = false, viewport = PHONE, ...options } = {}) {
      const kind = JSON.stringify(options)
      const page = (!isLast && closed.get(kind)?.pop()) || (await fresh({ viewport, locale: 'fr-FR', ...options }))
      if (viewport) await page.setViewportSize(viewport)
      const complaints = complaintsOf(page, url)
      await prepare?.(page)
      await page.goto(url + path)
      const open: OpenPage = {
        page,
        context: page.context(),
        complaints,
        async close() {
          if (!opened.delete(open)) return
          if (!isLast && !page.isClosed()) {
            await clean(page)
            closed.set(kind, [...(closed.get(kind) ?? []), page])
          } else await page.context().close()
        },
      }
      opened.add(open)
      return open
    },
    async closeAll() {
      for (const each of opened) await each.close()
    },
  }
}

function complaintsOf(page: Page, origin: string): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(origin)) complaints.push(`asks ${request.url()}`)
  })
  return complaints
}
