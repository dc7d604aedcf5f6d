import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'acorn'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { isSoak } from '../../server/config.ts'
import { hasBrowser, startSite, violations } from './site.ts'

const WALL = { width: 1920, height: 1080 }
/** Two thousand, as a wall sees in days, with TEST_SOAK. */
const CALLS = isSoak() ? 2000 : 150
const HERO = '.hero-number .code'

describe.runIf(hasBrowser)('the display', async () => {
  const site = await startSite({ agents: 3, counters: 3, queues: 3 })
  const { bank, run, take, callNext, act, open } = site
  const siteId = bank.sites[0]!.id
  const admin = bank.admin
  const LANGUAGES = ['fr', 'ar', 'en']

  async function pair(page: Page, settings: object = { languages: LANGUAGES, layout: 'calls_and_waiting' }) {
    const code = (await page.textContent('.pairing-code'))!.trim()
    const display = await run(admin, 'POST', '/displays/', { site_id: siteId, name: 'Hall', settings })
    const device = await run(admin, 'POST', '/devices/pair/', {
      code,
      kind: 'display',
      site_id: siteId,
      name: 'TV',
      display_id: display['id'],
    })
    await page.waitForSelector('.wall, .notice h1:not(.pairing-code)')
    return { code, display, device }
  }
  /** A paired screen. */
  async function wall(settings?: object, locale = 'fr-FR') {
    const opened = await open('/display', { viewport: WALL, locale })
    await opened.page.waitForSelector('.pairing-code')
    return { ...opened, ...(await pair(opened.page, settings)) }
  }
  /** Somebody takes a number and is called and served; the ticket as it was called. */
  async function call(agent = 0, isServed = true) {
    await take(0)
    const ticket = await callNext(agent)
    if (isServed) for (const verb of ['start', 'complete']) await act(verb, ticket['id'], {}, agent)
    return ticket
  }
  const shows = (page: Page, number: string) =>
    page.waitForFunction(([at, text]) => document.querySelector(at!)?.textContent === text, [HERO, number])

  test('D1 X6 X9 a call is shown with its counter, chimes, and asks for the sound once only', async () => {
    const { page, context, complaints } = await wall()
    const asked: string[] = []
    page.on('request', (request) => {
      if (request.url().includes('chime')) asked.push(request.url())
    })
    await page.evaluate(() => {
      const play = HTMLMediaElement.prototype.play
      const played: string[] = []
      Object.assign(globalThis, { played })
      HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
        played.push(this.src)
        return play.call(this)
      }
    })
    for (const agent of [0, 1]) {
      const { number } = await call(agent)
      await shows(page, number)
      expect(await page.getAttribute('.hero', 'data-now')).toBe('true')
      expect(await page.textContent('.hero-counter')).toBe(`Guichet ${agent + 1}`)
    }
    await page.waitForFunction(() => (globalThis as unknown as { played: string[] }).played.length >= 2)
    expect(asked.length).toBeLessThanOrEqual(1)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('D2 ten calls at once have the stage one after the other, in order', async () => {
    const { page, context } = await wall({ languages: ['fr'], chime: false })
    await page.evaluate((at) => {
      const staged: string[] = []
      Object.assign(globalThis, { staged })
      new MutationObserver(() => {
        const number = document.querySelector(at)?.textContent ?? ''
        if (staged.at(-1) !== number) staged.push(number)
      }).observe(document.body, { subtree: true, childList: true, characterData: true })
    }, HERO)
    const numbers: string[] = []
    for (let i = 0; i < 10; i++) numbers.push((await call(i % 3))['number'])
    // At once in the list, and each in its turn on the stage.
    await page.waitForFunction((number) => document.body.textContent!.includes(number), numbers[9]!)
    await page.waitForFunction(
      (number) => (globalThis as unknown as { staged: string[] }).staged.includes(number),
      numbers[9]!,
      {
        timeout: 60_000,
      },
    )
    const staged = await page.evaluate(() => (globalThis as unknown as { staged: string[] }).staged)
    expect(staged.filter((number) => numbers.includes(number))).toEqual(numbers)
    await context.close()
  }, 90_000)

  test('D3 X1 X2 sizes for six metres; twelve calls and three languages fit', async () => {
    const { page, context } = await wall()
    for (let i = 0; i < 12; i++) await call(i % 3)
    await page.waitForFunction(() => document.querySelectorAll('.row').length >= 5)
    const sizes = await page.evaluate(() => {
      const fontVh = (selector: string) =>
        (parseFloat(getComputedStyle(document.querySelector(selector)!).fontSize) / innerHeight) * 100
      const fits = (selector: string) => {
        const element = document.querySelector(selector)!
        return element.scrollHeight <= element.clientHeight + 1 && element.scrollWidth <= element.clientWidth + 1
      }
      return {
        hero: fontVh('.hero-number .code'),
        counter: fontVh('.hero-counter'),
        row: fontVh('.row .code'),
        fits: ['.hero', '.side', '#app'].map(fits),
      }
    })
    expect(sizes.hero).toBeGreaterThanOrEqual(20)
    expect(sizes.counter).toBeGreaterThanOrEqual(12)
    expect(sizes.row).toBeGreaterThanOrEqual(8.3)
    expect(sizes.fits).toEqual([true, true, true])
    expect(await violations(page)).toEqual([])
    await context.close()
  })

  test('D4 a screen that may not sound says so and is on record; a touch unlocks it', async () => {
    const opened = await open('/display', { viewport: WALL })
    const { page, context } = opened
    await page.waitForSelector('.pairing-code')
    await page.evaluate(() => {
      const play = HTMLMediaElement.prototype.play
      HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
      addEventListener('pointerdown', () => (HTMLMediaElement.prototype.play = play), { capture: true })
    })
    const { device } = await pair(page)
    await call()
    await page.waitForSelector('.sound-lock')
    const report = async () => (await run(admin, 'GET', `/devices/${device['id']}/`))['report']
    await expect.poll(report).toMatchObject({ sound: 'locked' })
    await page.click('.sound-lock')
    await page.waitForSelector('.sound-lock', { state: 'detached' })
    await expect.poll(report).toMatchObject({ sound: 'ok' })
    const events = await site.server.owner(
      `select data -> 'device' -> 'report' ->> 'sound' as sound from events where type = 'device.reported' order by "offset"`,
    )
    expect(events.slice(-2)).toEqual([{ sound: 'locked' }, { sound: 'ok' }])
    await context.close()
  })

  test('D5 a screen stays as small as it began', async () => {
    const { page, context } = await wall({ languages: ['fr'], chime: false })
    const debug = await context.newCDPSession(page)
    const size = async () => {
      await debug.send('HeapProfiler.collectGarbage')
      const nodes = await page.evaluate(() => document.querySelectorAll('*').length)
      return { nodes, heap: (await debug.send('Runtime.getHeapUsage')).usedSize }
    }
    for (let i = 0; i < 20; i++) await call(i % 3)
    const before = await size()
    let last = ''
    for (let i = 0; i < CALLS; i++) last = (await call(i % 3))['number']
    await page.waitForFunction((number) => document.body.textContent!.includes(number), last)
    const after = await size()
    expect(after.nodes).toBeLessThan(1500)
    expect(after.nodes - before.nodes).toBeLessThan(50)
    expect(after.heap - before.heap).toBeLessThan(10_000_000)
    await context.close()
  }, 600_000)

  test('D6 the app is ES2019 and knows only styles of 2019; it runs where newer things are missing', async () => {
    const folder = new URL('../../dist/web/assets/display/', import.meta.url)
    const files = readdirSync(folder)
    const read = (extension: string) =>
      files.filter((file) => file.endsWith(extension)).map((file) => readFileSync(new URL(file, folder), 'utf8'))
    const tooNew = (code: string) => {
      try {
        parse(code, { ecmaVersion: 2019, sourceType: 'module' })
        return false
      } catch {
        return true
      }
    }
    expect(tooNew('a ?? b')).toBe(true)
    expect(read('.js').map(tooNew)).not.toContain(true)
    const NEWER =
      /@layer|:has\(|:is\(|:where\(|oklch|color-mix|@property|aspect-ratio|inset:|margin-inline:|(?<!grid-)gap:/
    expect(NEWER.test('.a{gap:4px}')).toBe(true)
    for (const css of read('.css')) expect(css).not.toMatch(NEWER)

    const { page, context, complaints } = await open('/display', { viewport: WALL })
    await page.addInitScript(() => {
      for (const name of ['speechSynthesis', 'SpeechSynthesisUtterance', 'IntersectionObserver'])
        Reflect.deleteProperty(globalThis, name)
      Reflect.deleteProperty(Navigator.prototype, 'wakeLock')
    })
    await page.reload()
    await page.waitForSelector('.pairing-code')
    await pair(page)
    const { number } = await call()
    await shows(page, number)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('D7 X7 a lost link is said, with the times of what is shown; its end clears it', async () => {
    const { page, context } = await wall()
    const { number } = await call()
    await shows(page, number)
    await context.setOffline(true)
    await page.waitForSelector('.banner.lost', { timeout: 20_000 })
    expect(await page.textContent('.hero-label')).toMatch(/\d\d:\d\d/)
    await context.setOffline(false)
    await page.waitForSelector('.banner.lost', { state: 'detached', timeout: 30_000 })
    const next = await call()
    await shows(page, next['number'])
    await context.close()
  }, 60_000)

  test('D8 a code works once; a screen that is sent away shows nothing of the house', async () => {
    const { page, context, code, device } = await wall()
    const { number } = await call()
    await shows(page, number)
    const again = { code, kind: 'display', site_id: siteId, name: 'Other' }
    await expect(run(admin, 'POST', '/devices/pair/', again)).rejects.toThrow('pairing_code_invalid')
    await run(admin, 'DELETE', `/devices/${device['id']}/`)
    await page.waitForSelector('.pairing-code', { timeout: 20_000 })
    expect(await page.textContent('body')).not.toContain(number)
    await context.close()
  })

  test('D8 no name of a person is ever in the page', async () => {
    const { page, context } = await wall()
    await take(0, { customer: { name: 'Zenobia Quilliam', phone: '+33612345678' } })
    const { id, number } = await callNext(0)
    await shows(page, number)
    for (const verb of ['start', 'complete']) await act(verb, id)
    const html = await page.content()
    for (const personal of ['Zenobia', 'Quilliam', '612345678', 'Agent']) expect(html).not.toContain(personal)
    await context.close()
  })

  test('D9 X5 the arrow points the same way in French and Arabic, numbers run left to right', async () => {
    const boxes = []
    for (const languages of [['fr'], ['ar']]) {
      const { page, context } = await wall({ languages }, languages[0] === 'ar' ? 'ar-MA' : 'fr-FR')
      const { number } = await call()
      await shows(page, number)
      boxes.push(
        await page.evaluate(() => {
          const arrow = document.querySelector('.arrow')!
          return { x: arrow.getBoundingClientRect().x, matrix: getComputedStyle(arrow).transform }
        }),
      )
      expect(await page.$eval(HERO, (element) => getComputedStyle(element).direction)).toBe('ltr')
      await context.close()
    }
    expect(boxes[1]).toEqual(boxes[0])
  })

  test('X1 X4 every other state is accessible and in its languages: pairing, closed, alert', async () => {
    const { page, context } = await wall({ languages: ['ar', 'fr'] }, 'ar-MA')
    const text = { fr: 'Sortez calmement', ar: 'غادروا المبنى بهدوء' }
    await run(admin, 'POST', `/sites/${siteId}/alert/`, { kind: 'evacuation', text })
    await page.waitForSelector('.alert')
    expect(await page.textContent('.alert')).toContain(text.ar)
    expect(await violations(page)).toEqual([])
    await run(admin, 'DELETE', `/sites/${siteId}/alert/`)
    await page.waitForSelector('.alert', { state: 'detached' })
    const openAt = (opening_hours: object | null) =>
      run(admin, 'PATCH', `/sites/${siteId}/`, { opening_hours }).then(() => run(admin, 'POST', '/queues/refresh/'))
    await openAt({ weekly: {} })
    await page.reload()
    await page.waitForSelector('.notice .qr')
    expect(await page.textContent('.notice')).toContain('مغلق')
    expect(await page.textContent('body')).not.toMatch(/display\.|queue_status\.|undefined|NaN/)
    expect(await violations(page)).toEqual([])
    await openAt(null)
    await context.close()
    const unpaired = await open('/display', { viewport: WALL, locale: 'ar-MA' })
    await unpaired.page.waitForSelector('.pairing-code')
    expect(await violations(unpaired.page)).toEqual([])
    await unpaired.context.close()
  })

  test('X8 nothing moves where people asked for stillness', async () => {
    const { page, context } = await wall()
    await page.emulateMedia({ reducedMotion: 'reduce' })
    const { number } = await call()
    await shows(page, number)
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
    await context.close()
  })
})
