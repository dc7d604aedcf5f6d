import { expect, test } from 'vitest'
import type { Machines } from './machines.ts'
import { violations } from './site.ts'

/** What a machine shows while nothing is served, part of its tests: one browser serves all of them. */
export function testClosed({ bank, run, aKiosk, choose }: Machines): void {
  const { admin } = bank
  const site = `/sites/${bank.sites[0]!.id}/`

  test('X1 closed and paused say what can be done, in every language of the machine', async () => {
    const [line] = bank.queues
    const early = await aKiosk()
    await run(admin, 'PATCH', `/queues/${line!.id}/`, { is_active: false })
    // S4: whoever begins now is shown the lines as they are now.
    await choose(early.page)
    await early.page.waitForSelector('.tile[data-status=paused][disabled]')
    expect(await violations(early.page)).toEqual([])
    await run(admin, 'PATCH', `/queues/${line!.id}/`, { is_active: true })
    await early.close()
    await run(admin, 'POST', '/booking-settings/', { queue_id: bank.queues[2]!.id })
    const soon = ((new Date().getUTCDay() + 2) % 7) + 1
    await run(admin, 'PATCH', site, { opening_hours: { weekly: { [soon]: [['09:00', '09:05']] } } })
    try {
      const { page } = await aKiosk()
      await page.waitForSelector('[data-closed] .qr')
      expect(await violations(page)).toEqual([])
      const card = (await page.locator('[data-closed]').boundingBox())!
      const languages = (await page.locator('.languages').boundingBox())!
      expect(card.y + card.height).toBeLessThan(languages.y)
      await choose(page)
      expect(await page.locator('.tile:not([disabled])').count()).toBe(0)
      expect(await violations(page)).toEqual([])
    } finally {
      await run(admin, 'PATCH', site, { opening_hours: null })
    }
  })
}
