import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { sees, startConsoleSite } from './console-desk.ts'
import { hasBrowser, violations } from './site.ts'

const LANGUAGES = ['fr', 'ar'] as const
const NO_TEXT =
  /\b(undefined|NaN|null|\[object)\b|\b(console|ui|page|errors|ticket_status|agent_status|queue_status|channel)\.[a-z_]+/
const FRENCH = /Terminer|Rappeler|Absent|Transférer|Mettre de côté|Personne|attente|Guichet/
const RAW = /en_attente|appelé|en_service|en_pause|back_office|wrap_up/

describe.runIf(hasBrowser)('the console in every state', async () => {
  const site = await startConsoleSite()
  const { openDesk, queueUp, reset, open } = site
  let page: Page
  let complaints: string[]

  /** Accessible in both themes, no text that is not one, nothing cut off. */
  async function isSound(language: string): Promise<void> {
    for (const theme of ['dark', 'light']) {
      await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme)
      expect(await violations(page)).toEqual([])
    }
    const text = await page.evaluate(() => document.body.innerText + document.title)
    expect(text).not.toMatch(NO_TEXT)
    if (language === 'ar') expect(text).not.toMatch(FRENCH)
    if (language === 'ar') expect(text).not.toMatch(RAW)
    expect(await page.getAttribute('html', 'dir')).toBe(language === 'ar' ? 'rtl' : 'ltr')
    // 24 × 24 at least, of what can be pressed.
    const small = await page.$$eval('button, a, input, [role=option]', (elements) =>
      elements.flatMap((element) => {
        const { width, height } = (element.closest('label.chip, label.switch') ?? element).getBoundingClientRect()
        return width > 0 && (width < 24 || height < 24) ? [`${element.outerHTML.slice(0, 80)} ${width}×${height}`] : []
      }),
    )
    expect(small).toEqual([])
  }
  const isWide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth)

  describe.each(LANGUAGES)('in %s', (language) => {
    beforeAll(async () => {
      await reset()
      const opened = await openDesk(0, { query: `?lang=${language}` })
      page = opened.page
      complaints = opened.complaints
    })

    test('X1 X3 X4 X9 nobody waits', () => isSound(language))

    test('X1 X3 X4 X9 people wait, one is chosen', async () => {
      await queueUp(3)
      await site.take(1, {
        language: 'ar',
        needs: ['LSF'],
        labels: ['VIP'],
        customer: { name: 'Samira Haddad', phone: '+33612345678' },
      })
      await page.locator('[data-waiting="4"]').waitFor()
      await page.keyboard.press('4')
      await page.locator('.person .labels').waitFor()
      await isSound(language)
      await page.keyboard.press('4')
    })

    test('X1 X3 X4 X5 called: codes and times run left to right', async () => {
      await page.keyboard.press('n')
      await page.locator('.current[data-state=called]').waitFor()
      await page.locator('.toast').waitFor()
      await isSound(language)
      const [letter, figures] = await page.$eval('[data-current] .code', (code) => {
        const box = (from: number, to: number) => {
          const range = document.createRange()
          range.setStart(code.firstChild!, from)
          range.setEnd(code.firstChild!, to)
          return range.getBoundingClientRect().left
        }
        return [box(0, 1), box(1, 4)]
      })
      expect(letter).toBeLessThan(figures!)
      const [queue, me] = await Promise.all(['.queue', '.me'].map((pane) => page.locator(pane).boundingBox()))
      expect(queue!.x < me!.x).toBe(language === 'fr')
    })

    test('X1 X3 X4 being served', async () => {
      await page.keyboard.press('s')
      await page.locator('.current[data-state=serving]').waitFor()
      await isSound(language)
    })

    test.each([
      ['t', 'transfer'],
      ['?', 'help'],
      ['Control+k', 'palette'],
    ])('X1 X3 X4 the sheet behind %s', async (key, name) => {
      await page.keyboard.press(key)
      await page.locator(`[data-sheet=${name}]`).waitFor()
      await isSound(language).finally(() => page.keyboard.press('Escape'))
      await page.locator('dialog').waitFor({ state: 'detached' })
    })

    test('X1 X3 X4 pause: its sheet and the pause itself', async () => {
      await page.keyboard.press('f')
      await page.locator('.current[data-state=free]').waitFor()
      await page.keyboard.press('b')
      await page.locator('[data-sheet=pause]').waitFor()
      await isSound(language)
      await page.keyboard.press('Enter')
      await page.locator('.current[data-state=away]').waitFor()
      await isSound(language)
      await page.keyboard.press('b')
      await page.locator('.current[data-state=free]').waitFor()
    })

    test('X2 no sideways scrolling at 320 pixels, nor with wide letters', async () => {
      await page.setViewportSize({ width: 320, height: 700 })
      expect(await isWide()).toBe(false)
      await page.evaluate(() => {
        for (const element of document.querySelectorAll<HTMLElement>('p, h2, h3, li, button, dt, dd')) {
          element.style.letterSpacing = '0.12em'
          element.style.wordSpacing = '0.16em'
          element.style.lineHeight = '1.5'
        }
      })
      expect(await isWide()).toBe(false)
      await page.setViewportSize({ width: 1440, height: 900 })
    })

    test('X8 nothing moves for who wants no motion', async () => {
      await page.emulateMedia({ reducedMotion: 'reduce' })
      expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
    })

    test('X1 X4 X9 offline', async () => {
      await page.context().setOffline(true)
      await page.locator('[role=status][data-stale=offline]').waitFor()
      await isSound(language)
      await page.context().setOffline(false)
    })

    test('X9 nobody complained', () =>
      expect(complaints.filter((line) => !/ERR_INTERNET_DISCONNECTED/.test(line))).toEqual([]))

    test('X1 X3 X4 X9 sign-in and the choice of a counter', async () => {
      const gate = await open(`/app/agent?lang=${language}`, { viewport: { width: 1440, height: 900 } })
      const before = page
      page = gate.page
      await page.waitForSelector('[name=password]')
      await isSound(language)
      expect(gate.complaints).toEqual([])
      page = before
      await page.click('[data-command=counter]')
      await page.locator('.counters').waitFor()
      await isSound(language)
      await page.context().close()
    })
  })

  test('X3 the focus is seen, three pixels wide', async () => {
    await reset()
    const [first] = await queueUp(1)
    const { page: desk } = await openDesk(1)
    await desk.locator(`[data-upcoming="${first}"]`).waitFor()
    await desk.keyboard.press('Tab')
    const width = await desk.evaluate(() => getComputedStyle(document.activeElement!).outlineWidth)
    expect(parseFloat(width)).toBeGreaterThanOrEqual(3)
    await desk.keyboard.press('Escape')
    await desk.evaluate(() => (document.activeElement as HTMLElement).blur())
    await desk.keyboard.press('n')
    await sees(desk, first!)
  })

  test('X4 six counts are six sentences in Arabic', async () => {
    const { page: desk } = await openDesk(0, { query: '?lang=ar' })
    const { addMessages, t } = await import('../ui/messages.ts')
    const { messagesOf } = await import('../build/plugin.ts')
    addMessages('ar', messagesOf(['console'], 'ar') as never)
    const texts = [0, 1, 2, 3, 11, 100].map((count) => t('console.waiting_count', { count }, 'ar'))
    expect(new Set(texts).size).toBe(6)
    expect(await desk.textContent('[data-waiting="0"]')).toBe(texts[0])
  })
})
