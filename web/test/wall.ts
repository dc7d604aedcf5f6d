import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { ticketCode } from '../../shared/format.ts'
import { startSite, type OpenOptions } from './site.ts'

export const WALL = { width: 1920, height: 1080 }
export const HERO = '.hero-number .code'
export const SETTINGS = { languages: ['fr', 'ar', 'en'], layout: 'calls_and_waiting' }

/** A site with screens on its walls. Their clock is moved by `pass`: nobody waits for a stage of five seconds. */
export async function startWalls() {
  const site = await startSite({ agents: 3, counters: 3, queues: 3 })
  const { bank, run, take, callNext, act, open } = site
  const { admin } = bank
  const siteId = bank.sites[0]!.id
  /** Silent but for its chime, unless a test asks for the voice. */
  const aDisplay = (settings: object) =>
    run(admin, 'POST', '/displays/', { site_id: siteId, name: 'Hall', settings: { voice: false, ...settings } })
  const openScreen = (path: string, { prepare, ...options }: OpenOptions = {}, hasClock = true) =>
    open(path, {
      viewport: WALL,
      isLast: hasClock,
      ...options,
      async prepare(page) {
        if (hasClock) await page.clock.install()
        await prepare?.(page)
      },
    })

  /** A screen that shows its code. */
  async function unpaired(options?: OpenOptions) {
    const opened = await openScreen('/display', options)
    await opened.page.waitForSelector('.pairing-code')
    return { ...opened, code: (await opened.page.textContent('.pairing-code'))!.trim() }
  }
  /** Staff types the code; the screen shows calls. */
  async function pair(page: Page, code: string) {
    const display = await aDisplay(SETTINGS)
    const body = { code, kind: 'display', site_id: siteId, name: 'TV', display_id: display['id'] }
    const device = await run(admin, 'POST', '/devices/pair/', body)
    await pass(page, 3)
    await page.waitForSelector('.wall')
    return device
  }
  /** A screen that was opened by a display's link; its clock goes by itself when nothing is to `pass`. */
  async function wall(settings: object = SETTINGS, options?: OpenOptions, hasClock = true) {
    const { id } = await aDisplay(settings)
    const { url } = await run(admin, 'GET', `/displays/${id}/link/`)
    const opened = await openScreen(new URL(url).pathname + new URL(url).search, options, hasClock)
    await opened.page.waitForSelector('.wall, .notice h1')
    return { ...opened, displayId: id as number }
  }
  /** Somebody takes a number and is called and served; the ticket as it was called, its number as people read it. */
  async function call(agent = 0, more: object = {}) {
    await take(0, more)
    const ticket = await callNext(agent)
    for (const verb of ['start', 'complete']) await act(verb, ticket['id'], {}, agent)
    return { ...ticket, number: ticketCode(ticket['number']) }
  }
  return { ...site, siteId, unpaired, pair, wall, call }
}

/** Lets so many seconds go by on this page. */
export const pass = (page: Page, seconds: number) => page.clock.runFor(seconds * 1000)
/** Waits until this number has the stage. */
export async function shows(page: Page, number: string): Promise<void> {
  await expect.poll(() => page.textContent(HERO)).toBe(number)
}
/** Lets time go by on this page until this number has the stage. */
export async function comesToShow(page: Page, number: string): Promise<void> {
  await expect
    .poll(async () => {
      await pass(page, 2)
      return page.textContent(HERO)
    })
    .toBe(number)
}
