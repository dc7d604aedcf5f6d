import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'
import { whenOver } from './when-over.ts'

const EXECUTABLE = '/usr/bin/chromium'
/** Tests in a browser are left out where Debian's Chromium is missing; continuous integration installs it. */
export const hasBrowser = existsSync(EXECUTABLE)

export interface BrowserOptions {
  /** Further switches. */
  args?: readonly string[]
}

/** Headless Chromium that talks to nobody but the pages it is given, closed after the file's last test. */
export async function startBrowser({ args = [] }: BrowserOptions = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  })
  whenOver(() => browser.close())
  return browser
}

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
