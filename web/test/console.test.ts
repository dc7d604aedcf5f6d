import { beforeEach, describe, expect, test } from 'vitest'
import { current, isFree, noticeOf, sees, startConsoleSite } from './console-desk.ts'
import { ticketCode } from '../../shared/format.ts'
import { hasBrowser } from './site.ts'

describe.runIf(hasBrowser)('an agent at a counter', async () => {
  const site = await startConsoleSite()
  const { openDesk, queueUp, reset, server, bank, run } = site
  beforeEach(reset)
  const statusOf = async (number: string) =>
    (
      await server.owner<{ status: string }>('select status from tickets where number = $1 order by id desc limit 1', [
        number,
      ])
    )[0]!.status
  const becomes = async (number: string, status: string) => {
    await expect.poll(() => statusOf(number)).toBe(status)
  }

  test('A1 one key finishes and calls, all day, without a mouse', async () => {
    const numbers = await queueUp(5)
    const { page, complaints } = await openDesk()
    await page.locator(`[data-upcoming="${numbers[0]}"]`).waitFor()
    await page.evaluate(() => {
      for (const type of ['mousedown', 'click'])
        addEventListener(type, () => (document.documentElement.dataset['mouse'] = 'used'), true)
    })
    for (const number of numbers) {
      await page.keyboard.press('n')
      await sees(page, number)
    }
    await page.keyboard.press('n')
    await isFree(page)
    for (const number of numbers) await becomes(number, 'terminé')
    await expect.poll(() => page.getAttribute('[data-served]', 'data-served')).toBe('5')
    expect(await page.title()).toMatch(/^\(0\)/)
    expect(await page.getAttribute('html', 'data-mouse')).toBeNull()
    expect(complaints).toEqual([])
  })

  test('A1 what is shown at once is what the server then says, also where an arrival is not confirmed', async () => {
    await server.owner('update queues set confirm_arrival = false where id = $1', [bank.queues[1]!.id])
    const [first, second] = await queueUp(2, 1)
    const { page } = await openDesk()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    // Yellow is for "called": it must not flash by.
    await page.evaluate(() => {
      const seen: string[] = []
      const main = document.querySelector('.current')!
      new MutationObserver(() => seen.push(main.getAttribute('data-state')!)).observe(main, { attributes: true })
      Object.assign(globalThis, { seen })
    })
    await page.keyboard.press('n')
    await sees(page, first!)
    await page.keyboard.press('n')
    await sees(page, second!)
    await becomes(second!, 'en_service')
    expect(await page.evaluate('seen')).not.toContain('called')
  })

  test('A3 every key of the map, by what it types and by where it lies', async () => {
    const [first, second, third] = await queueUp(3)
    const { page } = await openDesk()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    const press = (key: string, code: string, more: object = {}) =>
      page.evaluate(
        (init) => dispatchEvent(new KeyboardEvent('keydown', { cancelable: true, bubbles: true, ...init })),
        {
          key,
          code,
          ...more,
        },
      )
    // A presenter's remote, then the number pad: call, recall, start, finish.
    await press('PageDown', 'PageDown')
    await sees(page, first!)
    await becomes(first!, 'appelé')
    await press('*', 'NumpadMultiply')
    await expect.poll(() => page.textContent('.facts')).toContain('2 fois')
    await press('0', 'Numpad0')
    await page.locator('.current[data-state=serving]').waitFor()
    await press(',', 'NumpadDecimal')
    await isFree(page)
    await becomes(first!, 'terminé')
    // AZERTY: the upper row types é; the second of those who wait is chosen, then called.
    await press('é', 'Digit2')
    await page.locator(`[data-person="${third}"]`).waitFor()
    await press('c', 'KeyC')
    await sees(page, third!)
    await press('-', 'NumpadSubtract')
    await becomes(third!, 'absent')
    // An Arabic layout types other letters on the same keys.
    await press('ى', 'KeyN')
    await sees(page, second!)
    await press('س', 'KeyS')
    await page.locator('.current[data-state=serving]').waitFor()
    await press('ح', 'KeyP')
    await page.locator(`[data-held="${second}"]`).waitFor()
    await press('؟', 'Slash', { shiftKey: true })
    await page.locator('[data-sheet=help]').waitFor()
    await page.keyboard.press('Escape')
    await press('P', 'KeyP', { shiftKey: true })
    await page.locator('[data-sheet=held]').waitFor()
    await page.keyboard.press('Enter')
    await sees(page, second!)
    await press('/', 'NumpadDivide')
    await page.locator('[data-sheet=transfer]').waitFor()
    await page.keyboard.press('Escape')
    await press('F1', 'F1')
    await page.locator('[data-sheet=help]').waitFor()
    await page.keyboard.press('Escape')
    for (const [key, code, id] of [
      ['F3', 'F3', 'find'],
      ['e', 'KeyE', 'note'],
    ] as const) {
      await press(key, code)
      expect(await page.evaluate(() => document.activeElement?.id)).toBe(id)
      await page.keyboard.press('Escape')
    }
    await press('k', 'KeyK', { ctrlKey: true })
    await page.locator('[data-sheet=palette]').waitFor()
    await page.keyboard.type('term')
    await page.keyboard.press('Enter')
    await isFree(page)
    await press('b', 'KeyB')
    await page.locator('[data-sheet=pause]').waitFor()
    await page.keyboard.press('Enter')
    await page.locator('.current[data-state=away]').waitFor()
    await press('b', 'KeyB')
    await page.locator('.current[data-state=free]').waitFor()
  })

  test('A3 nothing fires in a field, with a modifier, twice while held, or when switched off; other keys can be chosen', async () => {
    const [first] = await queueUp(2)
    const { page } = await openDesk()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await page.focus('#find')
    await page.keyboard.type('n')
    await page.keyboard.press('Escape')
    for (const chord of ['Control+n', 'Alt+n', 'Shift+n', 'Space', 'Enter']) await page.keyboard.press(chord)
    expect(await current(page).count()).toBe(0)
    await page.keyboard.press('?')
    await page.click('[data-remap=next]')
    await page.keyboard.press('g')
    await page.keyboard.press('Escape')
    await page.keyboard.press('n')
    await page.reload()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await page.keyboard.press('n')
    expect(await current(page).count()).toBe(0)
    await page.keyboard.down('g')
    await page.keyboard.down('g')
    await page.keyboard.up('g')
    await sees(page, first!)
    await becomes(first!, 'appelé')
    await page.keyboard.press('F1')
    await page.click('.switch')
    await page.keyboard.press('Escape')
    await page.keyboard.press('g')
    await page.keyboard.press('x')
    await page.keyboard.press('Control+k')
    await page.locator('[data-sheet=palette]').waitFor()
    expect(await statusOf(first!)).toBe('appelé')
  })

  test('A4 every act is taken back by one key', async () => {
    const [first, second] = await queueUp(2)
    const { page } = await openDesk()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    const undo = async () => {
      await page.keyboard.press('z')
    }
    // A key counts for what the page shows: pressed before, it would ask for something else.
    const shows = (state: string) => page.locator(`.current[data-state=${state}]`).waitFor()
    const does = async (key: string, status: string) => {
      await page.keyboard.press(key)
      await becomes(first!, status)
      await page.locator('.toast').waitFor()
    }
    await does('n', 'appelé')
    await undo()
    await becomes(first!, 'en_attente')
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await does('n', 'appelé')
    await does('x', 'absent')
    await page.keyboard.press('Control+z')
    await becomes(first!, 'appelé')
    await shows('called')
    await does('s', 'en_service')
    await undo()
    await becomes(first!, 'appelé')
    await shows('called')
    await does('s', 'en_service')
    await does('p', 'en_pause')
    await page.click('.toast button')
    await becomes(first!, 'en_service')
    await shows('serving')
    await does('f', 'terminé')
    await undo()
    await becomes(first!, 'en_service')
    await sees(page, first!)
    await shows('serving')
    await does('n', 'terminé')
    await sees(page, second!)
    await undo()
    await becomes(first!, 'en_service')
    await becomes(second!, 'en_attente')
    await sees(page, first!)
  })

  test('A5 a transfer is four keys; the other line has the ticket with its time of arrival', async () => {
    const [first] = await queueUp(1)
    const here = await openDesk(0)
    const there = await openDesk(1)
    await here.page.locator(`[data-upcoming="${first}"]`).waitFor()
    await here.page.keyboard.press('n')
    await sees(here.page, first!)
    await becomes(first!, 'appelé')
    const arrival = await server.owner('select created_at from tickets where number = $1 order by id desc limit 1', [
      first,
    ])
    await here.page.keyboard.press('t')
    await here.page.keyboard.type('ur')
    await here.page.keyboard.press('Enter')
    const row = there.page.locator(`[data-number="${first}"]`)
    await row.waitFor()
    expect(await row.textContent()).toContain('Urbanisme')
    expect(
      await server.owner('select created_at from tickets where number = $1 order by id desc limit 1', [first]),
    ).toEqual(arrival)
    await isFree(here.page)
    await here.page.keyboard.press('z')
    await becomes(first!, 'appelé')
  })

  test('A8 a reload comes back to the same ticket, its state and its time', async () => {
    const [first] = await queueUp(1)
    const { page } = await openDesk()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await page.keyboard.press('n')
    await sees(page, first!)
    await page.keyboard.press('s')
    await becomes(first!, 'en_service')
    await server.owner(`update tickets set started_at = started_at - interval '131 s' where number = $1`, [first])
    await page.reload()
    await sees(page, first!)
    await page.locator('.current[data-state=serving]').waitFor()
    expect(await page.locator('[data-takeover]').count()).toBe(0)
    // However long the reload took: what is shown is what has passed.
    const offBySeconds = async () => {
      const [minutes, seconds] = (await page.textContent('.facts [role=timer]'))!.split(':').map(Number)
      const [{ passed }] = (await server.owner<{ passed: number }>(
        'select extract(epoch from now() - started_at)::float as passed from tickets where number = $1',
        [first],
      )) as [{ passed: number }]
      return Math.abs(minutes! * 60 + seconds! - passed)
    }
    await expect.poll(offBySeconds).toBeLessThan(3)
  })

  test('A11 calls are said politely, and the timer is silent', async () => {
    const [first] = await queueUp(1)
    const { page } = await openDesk()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await page.keyboard.press('n')
    await page.locator('[aria-live=polite]', { hasText: `${ticketCode(first!)} appelé` }).waitFor({ state: 'attached' })
    expect(await page.getAttribute('.facts [role=timer]', 'aria-live')).toBe('off')
    expect(await page.locator('[aria-live=polite] [role=timer], [role=status] [role=timer]').count()).toBe(0)
  })

  test('what the service asks for is asked before the ticket is finished, and the key goes on', async () => {
    await run(bank.admin, 'PATCH', `/services/${bank.services[2]!.id}/`, {
      required_fields: ['outcome', 'file_number'],
    })
    const [first, second] = await queueUp(2, 2)
    const { page } = await openDesk()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await page.keyboard.press('n')
    await sees(page, first!)
    await becomes(first!, 'appelé')
    await page.keyboard.press('n')
    await page.locator('[data-sheet=answers]').waitFor()
    await page.keyboard.type('résolu')
    await page.keyboard.press('Tab')
    await page.keyboard.type('X-12')
    await page.keyboard.press('Enter')
    await sees(page, second!)
    await becomes(first!, 'terminé')
    const [row] = await server.owner('select outcome, fields from tickets where number = $1', [first])
    expect(row).toEqual({ outcome: 'résolu', fields: { file_number: 'X-12' } })
  })

  test('a note is kept and taken back', async () => {
    const [first] = await queueUp(1)
    const { page } = await openDesk()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await page.keyboard.press('n')
    await page.locator('#note').waitFor()
    await page.keyboard.press('e')
    await page.keyboard.type('Dossier incomplet')
    await page.keyboard.press('Control+Enter')
    const noted = () =>
      server.owner('select note from tickets where number = $1 order by id desc limit 1', [first]).then(([row]) => row)
    await expect.poll(noted).toEqual({ note: 'Dossier incomplet' })
    await page.locator('.toast', { hasText: 'note gardée' }).waitFor()
    await page.keyboard.press('z')
    await expect.poll(noted).toEqual({ note: '' })
    expect(await noticeOf(page).count()).toBe(1)
  })
})
