import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { hasBrowser, violations } from './site.ts'
import { aBranch } from './visitor-branch.ts'

describe.runIf(hasBrowser)('a visitor’s pages in every state', async () => {
  const { site, open, opened, pathOf, take, called, offerTomorrow, queue, hours } = await aBranch()
  const { bank, run, act } = site

  async function openSheets(page: Page) {
    await page.click('.delay summary')
    await page.click('[aria-expanded]')
  }
  async function openMore(page: Page) {
    if (!(await page.getAttribute('.more', 'open'))) await page.evaluate(`document.querySelector('.more').open = true`)
    await page.waitForSelector('.said li')
    await page.waitForSelector('[data-why-here]')
    await page.waitForSelector('.more [name=sms]')
  }
  /** The page in each of its states, with the state's name. */
  const STATES: Record<string, (lang: string) => Promise<Page>> = {
    site: async (lang) => (await open(`/site/demo/site-1?lang=${lang}`)).page,
    closed: async (lang) => {
      await hours({ weekly: {} })
      return (await open(`/site/demo/site-1?lang=${lang}`)).page
    },
    paused: async (lang) => {
      await queue(0, { is_active: false })
      return (await open(`/site/demo/site-1?lang=${lang}`)).page
    },
    find: async (lang) => (await open(`/site/demo/site-1/find?lang=${lang}`)).page,
    waiting: async (lang) => {
      await take()
      return (await open(pathOf(await take(), lang))).page
    },
    'waiting, sheets open': async (lang) => {
      await take()
      const { page } = await open(pathOf(await take(), lang))
      await openSheets(page)
      return page
    },
    'waiting, more open': async (lang) => {
      await take()
      const ticket = await take()
      const { page } = await open(pathOf(ticket, lang))
      await page.click('.more summary')
      await page.fill('[name=body]', '42')
      await page.click('.write button')
      await openMore(page)
      return page
    },
    'offered tomorrow': async (lang) => {
      const ticket = await take()
      await offerTomorrow(ticket['id'] as number)
      return (await open(pathOf(ticket, lang))).page
    },
    called: async (lang) => (await called(lang)).page,
    serving: async (lang) => {
      const { page, ticket } = await called(lang)
      await act('start', ticket['id'] as number)
      await page.waitForSelector('[data-state=serving]')
      return page
    },
    held: async (lang) => {
      const { page, ticket } = await called(lang)
      await act('start', ticket['id'] as number)
      await act('hold', ticket['id'] as number)
      await page.waitForSelector('[data-state=held]')
      return page
    },
    missed: async (lang) => {
      const { page, ticket } = await called(lang)
      await act('no-show', ticket['id'] as number)
      await page.waitForSelector('[data-state=no_show] [data-kind=primary]')
      return page
    },
    left: async (lang) => {
      const { page } = await open(pathOf(await take(), lang))
      await page.click('form:has([value=leave]) button')
      await page.waitForSelector('[data-state=cancelled]')
      return page
    },
    done: async (lang) => {
      const { page, ticket } = await called(lang)
      await act('start', ticket['id'] as number)
      await act('complete', ticket['id'] as number)
      await page.waitForSelector('[data-state=completed]')
      return page
    },
    expired: async (lang) => {
      const { page } = await open(pathOf(await take(), lang))
      await run(bank.admin, 'POST', '/tickets/close-day/', { today: true })
      await page.waitForSelector('[data-state=expired]')
      return page
    },
  }

  /** `complaints` are those of the page's life so far. */
  async function isSound(page: Page, lang: string) {
    expect(await page.getAttribute('html', 'lang')).toBe(lang)
    expect(await page.getAttribute('html', 'dir')).toBe(lang === 'ar' ? 'rtl' : 'ltr')
    expect(await violations(page)).toEqual([])
    expect(opened.at(-1)!.complaints).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
    const small = await page.$$eval(
      'button, summary, .line, .check, a, textarea, input[name=number], input[name=phone]',
      (elements) =>
        elements
          .filter((element) => element.checkVisibility())
          .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()] as const)
          .filter(([, box]) => box.width < 48 || box.height < 48)
          .map(([html, box]) => `${html} ${box.width}×${box.height}`),
    )
    expect(small).toEqual([])
    const text = await page.innerText('#app')
    expect(text).not.toMatch(
      /undefined|NaN|\b(?:visitor|ui|ticket_status|errors)\.[a-z]|en_attente|en_service|appelé\b/,
    )
    if (lang === 'ar') expect(text).not.toMatch(/numéro|guichet ouvert|personne|Quitter|minutes/i)
  }

  test.each(Object.keys(STATES))(
    'X1 X2 X3 X4 X6 X9 %s: accessible, whole on 320 px, big enough to tap, in its language',
    async (state) => {
      const page = await STATES[state]!('fr')
      await page.setViewportSize({ width: 320, height: 640 })
      await isSound(page, 'fr')
      await page.goto(page.url().replace(/lang=\w+/, 'lang=ar'))
      if (state === 'waiting, sheets open') await openSheets(page)
      if (state === 'waiting, more open') await openMore(page)
      await isSound(page, 'ar')
    },
  )

  test('X2 nothing is cut when text spacing grows, nor at 400 %', async () => {
    await take()
    const { page } = await open(pathOf(await take()))
    await page
      .addStyleTag({
        content:
          '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }',
      })
      .catch(() => {})
    await page.setViewportSize({ width: 320, height: 256 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
    const cut = await page.$$eval('.button, .card, .line', (elements) =>
      elements
        .filter((element) => element.scrollWidth > element.clientWidth + 1)
        .map((element) => element.outerHTML.slice(0, 60)),
    )
    expect(cut).toEqual([])
  })

  test('X3 focus is seen, at least 3 px', async () => {
    const { page } = await open('/site/demo/site-1')
    await page.keyboard.press('Tab')
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outline)
    expect(outline).toMatch(/3px/)
  })

  test('X5 the code runs left to right in Arabic, and the page is mirrored', async () => {
    const { page } = await open(pathOf(await take(), 'ar'))
    const [letter, figures] = await page.$eval('.number .code', (code) => {
      const left = (from: number, to: number) => {
        const range = document.createRange()
        range.setStart(code.firstChild!, from)
        range.setEnd(code.firstChild!, to)
        return range.getBoundingClientRect().left
      }
      return [left(0, 1), left(2, 5)]
    })
    expect(letter).toBeLessThan(figures!)
    const badge = (await page.locator('.number .badge').boundingBox())!
    const code = (await page.locator('.number .code').boundingBox())!
    expect(badge.x).toBeGreaterThan(code.x)
    const language = (await page.locator('.languages').boundingBox())!
    expect(language.x).toBeLessThan(180)
  })

  test('X8 nothing moves for whoever asked for it', async () => {
    const { page } = await open('/site/demo/site-1', { reducedMotion: 'reduce' })
    expect(await page.evaluate('document.getAnimations().length')).toBe(0)
  })

  test('a finished visit is rated once, and can be forgotten', async () => {
    const page = await STATES['done']!('fr')
    await page.fill('textarea', 'Très aimable')
    await page.click('[name=rating][value="5"]')
    await page.waitForSelector('text=votre avis est enregistré')
    await page.click('form:has([value=erase]) button')
    await page.waitForSelector('text=Vos données sont effacées')
  })
})
