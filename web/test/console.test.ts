import { beforeEach, describe, expect, test } from 'vitest'
import { isFree, sees, startConsoleSite } from './console-desk.ts'
import { hasBrowser } from './site.ts'

describe.runIf(hasBrowser)('an agent at a counter', async () => {
  const { openDesk, queueUp, reset, server } = await startConsoleSite()
  beforeEach(reset)
  const statusOf = async (number: string) =>
    (
      await server.owner<{ status: string }>('select status from tickets where number = $1 order by id desc limit 1', [
        number,
      ])
    )[0]!.status

  test('A1 one key finishes and calls, all day, without a mouse; nothing waits for the server', async () => {
    const numbers = await queueUp(5)
    const { page, complaints } = await openDesk()
    await page.locator(`[data-upcoming="${numbers[0]}"]`).waitFor()
    for (const number of numbers) {
      await page.keyboard.press('n')
      await sees(page, number)
    }
    await page.keyboard.press('n')
    await isFree(page)
    await expect.poll(() => Promise.all(numbers.map(statusOf))).toEqual(numbers.map(() => 'terminé'))
    await expect.poll(() => page.getAttribute('[data-served]', 'data-served')).toBe('5')
    expect(await page.title()).toMatch(/^\(0\)/)
    expect(complaints).toEqual([])
  })
})
