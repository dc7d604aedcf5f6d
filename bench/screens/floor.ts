import type { Page } from 'playwright-core'
import type { Verdict } from '../goals.ts'
import { press, whenShown } from './in-page.ts'
import { p95, type World } from './world.ts'

/** S4: from the key to the frame in which a visitor's page that nobody touches shows the line as it is now. */
export async function intakeStops({ browser, url, many }: World, floor: Page, queueId: number): Promise<Verdict[]> {
  await floor.goto(`${url}/app/floor?queue=${queueId}`)
  await floor.locator('.drawer .facts-list').waitFor()
  const phone = await (await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'fr-FR' })).newPage()
  await phone.goto(`${url}/site/bench/site-1/`)
  const delays: number[] = []
  for (let n = 0; n < many(20); n++) {
    const status = n % 2 === 0 ? 'paused' : 'open'
    const shown = phone.evaluate(whenShown, `.line[data-status=${status}]:has([value="${queueId}"])`)
    const pressedAt = await floor.evaluate(press, 'p')
    delays.push((await shown) - pressedAt)
  }
  await phone.context().close()
  return [
    {
      text: `S4 key to a visitor's page that nobody touches, P95 of ${delays.length}, ms`,
      atMost: 2000,
      measured: p95(delays),
    },
  ]
}
