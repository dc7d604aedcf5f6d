import { ticketCode } from '../../shared/format.ts'
import type { Verdict } from '../goals.ts'
import { press, whenShown, whenTextShown } from './in-page.ts'
import { aPhone, SLOW_4G } from './phone.ts'
import { p95, type World } from './world.ts'

/** From the agent's key to the visitor's own screen, on a slow telephone. */
export async function callsToPhones({ browser, desk, url, take, many }: World): Promise<Verdict[]> {
  const count = many(30)
  const shown: number[] = []
  for (let i = 0; i < count; i++) {
    const { public_token: token } = await take()
    const { page, context } = await aPhone(browser, SLOW_4G)
    await page.goto(`${url}/t/${token}/`)
    await page.waitForSelector('[data-state=waiting] [aria-expanded]')
    await page.waitForLoadState('networkidle')
    await desk.locator('.waiting-row').first().waitFor()
    const seenAt = page.evaluate(whenShown, '[data-state=called]')
    const pressedAt = await desk.evaluate(press, 'n')
    shown.push((await within(seenAt)) - pressedAt)
    await context.close()
  }
  return [
    {
      text: `V4 call to the visitor's screen, ${SLOW_4G.name}, P95 of ${count}, ms`,
      atMost: 500,
      measured: p95(shown),
    },
  ]
}

/** From the agent's key to the wall: the number stands in the list at once, whoever has the stage. */
export async function callsToWall({ browser, desk, take, many }: World, link: string): Promise<Verdict[]> {
  const count = many(100)
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } })
  const screen = await context.newPage()
  await screen.goto(link)
  await screen.waitForSelector('.wall')
  const shown: number[] = []
  for (let i = 0; i < count; i++) {
    const { number } = await take()
    await desk.locator(`[data-number="${number}"]`).waitFor()
    const seenAt = screen.evaluate(whenTextShown, ticketCode(number))
    const pressedAt = await desk.evaluate(press, 'n')
    shown.push((await within(seenAt)) - pressedAt)
  }
  await context.close()
  return [{ text: `D1 call to the display, P95 of ${count}, ms`, atMost: 300, measured: p95(shown) }]
}

const PATIENCE_MS = 30_000
/** A screen that shows nothing is a failure, not a figure. */
function within<Result>(shown: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing was shown within ${PATIENCE_MS} ms`)), PATIENCE_MS)
  })
  return Promise.race([shown, late]).finally(() => clearTimeout(timer))
}
