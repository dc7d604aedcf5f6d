import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { TestRunner } from 'vitest'

export const PHONE = { width: 360, height: 740 }
/** A machine that does much else is slow, not wrong. */
export const PATIENCE_MS = 60_000

export interface OpenOptions extends BrowserContextOptions {
  /** What must be in place before the page is asked for: its clock, who is signed in, what stands between it and the server. */
  prepare?(page: Page): Promise<unknown>
  /** What the test does to the page stays with it (a clock, a script before others): nobody gets it afterwards. */
  isLast?: boolean
  /** It has its worker for when there is no network, which fetches all over again what the page has: only where it is looked at. */
  hasWorker?: boolean
}
export interface OpenPage {
  context: BrowserContext
  page: Page
  /** Errors and warnings of the console, errors nobody caught, and requests to other origins. */
  complaints: string[]
  /** The last requests that changed something or were refused, for whoever has to find out why a test failed. */
  answers: string[]
  close(): Promise<void>
}

export interface Pages {
  open(path: string, options?: OpenOptions): Promise<OpenPage>
  /** Closes whatever is open; before, tells of it as `tellFailure` does. */
  closeAll(): Promise<void>
  /** What stands on all pages, where the test at hand has failed. */
  tellFailure(): Promise<void>
}

/**
 * Opens pages of one server. Starting a page's process costs more than most of what tests do in it, so a page that was
 * closed is opened again, with nothing left of its former life, for whoever asks for the same kind of browser.
 */
export function pagesOf(browser: Browser, url: string): Pages {
  const closed = new Map<string, Page[]>()
  const opened = new Set<OpenPage>()

  async function fresh(options: BrowserContextOptions, hasWorker: boolean): Promise<Page> {
    const context = await browser.newContext(options)
    if (!hasWorker) await context.addInitScript(() => void Reflect.deleteProperty(Navigator.prototype, 'serviceWorker'))
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

  async function tellFailure(): Promise<void> {
    if (TestRunner.getCurrentTest()?.result?.state === 'fail') for (const each of opened) await tellOf(each)
  }

  return {
    tellFailure,
    async open(path, { prepare, isLast = false, hasWorker = false, viewport = PHONE, ...options } = {}) {
      const kind = JSON.stringify({ ...options, hasWorker })
      const page =
        (!isLast && closed.get(kind)?.pop()) || (await fresh({ viewport, locale: 'fr-FR', ...options }, hasWorker))
      if (viewport) await page.setViewportSize(viewport)
      const complaints = complaintsOf(page, url)
      const answers = answersOf(page)
      await prepare?.(page)
      await page.goto(url + path)
      const open: OpenPage = {
        page,
        context: page.context(),
        complaints,
        answers,
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
      await tellFailure()
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

const MANY_ANSWERS = 30

function answersOf(page: Page): string[] {
  const answers: string[] = []
  const note = (line: string) => {
    answers.push(`${new Date().toISOString()} ${line}`)
    if (answers.length > MANY_ANSWERS) answers.shift()
  }
  page.on('response', (response) => {
    const method = response.request().method()
    if (method !== 'GET' || response.status() >= 400) note(`${response.status()} ${method} ${response.url()}`)
  })
  page.on('requestfailed', (request) => note(`${request.failure()?.errorText} ${request.method()} ${request.url()}`))
  return answers
}

/** What stands on the page of a test that failed: a failure that comes once in a hundred runs is not seen otherwise. */
async function tellOf({ page, complaints, answers }: OpenPage): Promise<void> {
  const text = await page.evaluate('document.body.innerText').catch(String)
  process.stderr.write([`\n== ${page.url()}`, text, ...complaints, ...answers, ''].join('\n'))
}
