import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'
import { whenOver } from './when-over.ts'

/** The shell draws pages as the browser does, without the windows around them, for two thirds of the work. */
const EXECUTABLE = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find(existsSync)
/** Tests in a browser are left out where Debian's Chromium is missing; continuous integration installs it. */
export const hasBrowser = EXECUTABLE !== undefined

export interface BrowserOptions {
  /** Further switches. */
  args?: readonly string[]
}

/** Starting one costs more than many tests do: files that follow one another in a process are lent the same. */
let lent: Promise<Browser> | undefined

/** Headless Chromium that talks to nobody but the pages it is given; what the file opened in it is closed after its last test. */
export async function startBrowser({ args = [] }: BrowserOptions = {}): Promise<Browser> {
  if (args.length > 0) {
    const own = await launch(args)
    whenOver(() => own.close())
    return own
  }
  if (!lent) process.once('SIGTERM', () => process.exit())
  let browser = await (lent ??= launch(args))
  if (!browser.isConnected()) browser = await (lent = launch(args))
  whenOver(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  return browser
}

const launch = (args: readonly string[]): Promise<Browser> =>
  chromium.launch({
    executablePath: EXECUTABLE!,
    // A process that is told to end ends, and its browser with it.
    handleSIGTERM: false,
    args: [
      '--no-sandbox',
      // What the whole browser asks for by itself.
      '--accept-lang=en-US,en',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // No page lives long enough to earn back what its scripts' last optimisation costs: a third of its work.
      '--js-flags=--no-turbofan --no-maglev',
      ...args,
    ],
  })

/** What the page's policy refused, and errors its scripts did not catch, as they happen. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|Trusted/i.test(message.text()))
      complaints.push(message.text())
  })
  return complaints
}
