import { expect, test } from 'vitest'
import { canSpeak, KIOSK, SERIAL, type Machines } from './machines.ts'
import { violations } from './site.ts'

/** What looks after a machine, part of its tests: one browser serves all of them. */
export function testStaffCorner({ bank, run, aKiosk, world, choose, take, withPrinter, printer }: Machines): void {
  const { admin } = bank

  test('K6 the staff’s corner opens with the PIN: last numbers, volume, paper, restart, pairing', async () => {
    const { page, kioskId, device, complaints } = await aKiosk(SERIAL, { prepare: withPrinter })
    const jobs = async () => (await printer(page)).jobs.length
    const report = async () => (await run(admin, 'GET', `/devices/${String(device['id'])}/`))['report']
    const hold = async () => {
      await page.mouse.move(KIOSK.width - 20, 20)
      await page.mouse.down()
      await page.clock.runFor(3100)
      await page.mouse.up()
    }
    const type = async (pin: string) => {
      await page.waitForSelector('[data-step=pin]')
      for (const digit of pin) await page.click(`.keypad button:text-is("${digit}")`)
      await page.click('.choices > [data-kind=primary]')
    }
    // Without a PIN nothing tells of anybody or takes the machine away.
    await hold()
    await page.waitForSelector('[data-step=staff]')
    expect(await page.innerText('[data-name]')).toBe('Entrée')
    expect(await page.locator('[data-again], [data-pair], [data-volume]').count()).toBe(0)
    await page.click('.bare')
    await run(admin, 'PUT', `/kiosks/${kioskId}/pin/`, { pin: '4711' })
    await page.clock.runFor(66_000)
    await choose(page, 'ar')
    const number = await take(page)
    await expect.poll(jobs).toBe(1)
    await page.click('[data-kind=primary]')
    await hold()
    await type('1147')
    await page.waitForSelector('[role=alert]:not([hidden])')
    expect(await page.innerText('[role=alert]')).toMatch(/pas le bon/)
    expect(await violations(page)).toEqual([])
    await type('4711')
    await page.waitForSelector('[data-step=staff]')
    expect(await violations(page)).toEqual([])
    await page.click(`[data-again="${number}"]`)
    await expect.poll(jobs).toBe(2)
    await page.click('[data-quieter]')
    await page.waitForSelector('[data-volume="70"]')
    if (canSpeak) await expect.poll(async () => (await world(page)).clips.at(-1)?.[1]).toBe(0.7)
    expect(await page.getAttribute('[data-paper-state]', 'data-paper-state')).toBe('ok')
    await page.click('[data-paper=ok]')
    await page.waitForSelector('[data-paper-state=out]')
    // The printer still says that it has some; staff sees the roll.
    await expect.poll(report).toMatchObject({ paper: 'out' })
    expect(await page.getAttribute('[data-paper-state]', 'data-paper-state')).toBe('out')
    // After a restart the volume is as it was set, and the numbers are forgotten.
    await page.click('[data-restart]')
    await page.waitForSelector('[data-step=welcome]')
    await hold()
    await type('4711')
    await page.waitForSelector('[data-volume="70"]')
    expect(await page.locator('[data-again]').count()).toBe(0)
    await page.click('[data-pair]')
    await page.click('[data-pair=sure]')
    await page.waitForSelector('.pairing-code')
    expect(complaints).toEqual([])
  })
}
