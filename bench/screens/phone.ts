import type { Browser, Page } from 'playwright-core'
import { median } from '../measure/stats.ts'
import type { Verdict } from '../goals.ts'
import { press, watchLoad, type Load } from './in-page.ts'
import type { World } from './world.ts'

/** A network and a processor that phones in waiting rooms have. */
export interface Conditions {
  name: string
  kilobitsPerSecond: number
  roundTripMs: number
  /** So many times slower than this machine. */
  slowdown: number
}
export const SLOW_4G: Conditions = { name: 'slow 4G, 6× CPU', kilobitsPerSecond: 1600, roundTripMs: 150, slowdown: 6 }
const SLOW_3G: Conditions = { name: '400 kbit/s, 6× CPU', kilobitsPerSecond: 400, roundTripMs: 400, slowdown: 6 }

/** A phone of its own that has never been here; `bytes` counts what reaches it over the network. */
export async function aPhone(browser: Browser, { kilobitsPerSecond, roundTripMs, slowdown }: Conditions) {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'fr-FR', hasTouch: true })
  const page = await context.newPage()
  const debug = await context.newCDPSession(page)
  const network = { bytes: 0 }
  debug.on('Network.loadingFinished', ({ encodedDataLength }) => (network.bytes += encodedDataLength))
  await debug.send('Network.enable')
  const throughput = (kilobitsPerSecond * 1000) / 8
  await debug.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: roundTripMs,
    downloadThroughput: throughput,
    uploadThroughput: throughput / 2,
  })
  await debug.send('Emulation.setCPUThrottlingRate', { rate: slowdown })
  return { page, context, network }
}

/** Only scripts draw it, once they have data and handlers. */
const USABLE = '[aria-expanded]'

/** One first visit: opened, used with three taps, and left. */
async function visit(browser: Browser, conditions: Conditions, url: string): Promise<Load & { kilobytes: number }> {
  const { page, context, network } = await aPhone(browser, conditions)
  await page.addInitScript(watchLoad, USABLE)
  await page.goto(url)
  await page.waitForFunction(() => (globalThis as unknown as { load: Load }).load.usable > 0)
  await page.waitForLoadState('networkidle')
  const kilobytes = network.bytes / 1000
  for (const target of [USABLE, '.delay summary', USABLE]) await tap(page, target)
  const load = await page.evaluate(() => (globalThis as unknown as { load: Load }).load)
  await context.close()
  return { ...load, kilobytes }
}

async function tap(page: Page, selector: string): Promise<void> {
  await page.tap(selector)
  // Two frames: the answer is painted and its entry is there.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100))))
}

/** The middle of several first visits, figure by figure. */
async function visits(browser: Browser, conditions: Conditions, url: string, count: number) {
  const loads: (Load & { kilobytes: number })[] = []
  for (let i = 0; i < count; i++) loads.push(await visit(browser, conditions, url))
  const middle = (of: (load: Load & { kilobytes: number }) => number) => median(loads.map(of))
  return {
    usable: middle(({ usable }) => usable),
    painted: middle(({ painted }) => painted),
    shift: middle(({ shift }) => shift),
    interaction: middle(({ interaction }) => interaction),
    kilobytes: middle(({ kilobytes }) => kilobytes),
  }
}

/** The ticket's page, opened for the first time: in both scripts, and on the slowest network that is promised. */
export async function firstVisits({ browser, desk, url, take, many }: World): Promise<Verdict[]> {
  const { public_token: token } = await take()
  const count = Math.max(1, many(5))
  const page = (lang: string) => `${url}/t/${token}/?lang=${lang}`
  const [fr, ar, slow] = [
    await visits(browser, SLOW_4G, page('fr'), count),
    await visits(browser, SLOW_4G, page('ar'), count),
    await visits(browser, SLOW_3G, page('fr'), count),
  ]
  // The line is empty again for what comes next.
  await desk.evaluate(press, 'n')
  await desk.locator('[data-current]').waitFor()
  const title = (what: string, lang: string) => `V3 ${what}, ${lang}, ${SLOW_4G.name}`
  return [
    { text: `${title('usable', 'fr')}, ms`, atMost: 1500, measured: fr.usable },
    { text: `${title('usable', 'ar')}, ms`, atMost: 1500, measured: ar.usable },
    { text: `V3 usable, fr, ${SLOW_3G.name}, ms`, atMost: 2000, measured: slow.usable },
    { text: `${title('largest paint', 'fr')}, ms`, atMost: 1200, measured: fr.painted },
    { text: `${title('largest paint', 'ar')}, ms`, atMost: 1200, measured: ar.painted },
    { text: title('layout shift', 'ar'), atMost: 0.02, measured: Math.max(fr.shift, ar.shift) },
    { text: `${title('slowest answer to a tap', 'fr')}, ms`, atMost: 150, measured: fr.interaction },
    { text: 'V3 transfer of a first visit, fr, kB', atMost: 60, measured: fr.kilobytes },
    { text: 'V3 transfer of a first visit, ar, kB', atMost: 85, measured: ar.kilobytes },
  ]
}
