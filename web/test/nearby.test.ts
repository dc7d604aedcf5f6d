import type { Page } from 'playwright-core'
import { afterEach, describe, expect, test } from 'vitest'
import { hasBrowser, startSite, violations } from './site.ts'

const HERE = { latitude: 48.8566, longitude: 2.3522 }
/** Near the place above: so many metres north and east of it. */
const at = (north: number, east: number) => ({
  latitude: HERE.latitude + north / 111_195,
  longitude: HERE.longitude + east / (111_195 * Math.cos((HERE.latitude * Math.PI) / 180)),
})

describe.runIf(hasBrowser)('what is near', async () => {
  const { server, bank, run, open, closeAll, take } = await startSite(
    { sites: 3, queues: 3 },
    { args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] },
  )
  afterEach(closeAll)
  const { admin } = bank
  // One to the east, one to the north and farther, one too near to be seen through a camera.
  const PLACES = [at(0, 400), at(1500, 0), at(10, 0)]
  for (const [n, site] of bank.sites.entries())
    await run(admin, 'PATCH', `/sites/${site.id}/`, { name: `Agence ${n + 1}`, ...PLACES[n]! })
  for (let n = 0; n < 3; n++) await take(0)

  const names = (page: Page) => page.locator('.branch-name').allInnerTexts()
  /** Holds the phone so that its upper edge, or the camera of one that stands up, points there. */
  async function hold(page: Page, heading: number, isUpright = false) {
    await page.evaluate(
      ([alpha, beta]) =>
        dispatchEvent(
          new DeviceOrientationEvent('deviceorientationabsolute', {
            alpha: alpha!,
            beta: beta!,
            gamma: 0,
            absolute: true,
          }),
        ),
      [(360 - heading) % 360, isUpright ? 90 : 0],
    )
  }
  /** Phones tell how they are held again and again. */
  async function holding<Seen>(
    page: Page,
    heading: number,
    isUpright: boolean,
    look: () => Promise<Seen>,
  ): Promise<Seen> {
    await hold(page, heading, isUpright)
    return look()
  }
  const located = async (locale = 'fr-FR') => {
    const opened = await open('/nearby/demo', {
      locale,
      geolocation: HERE,
      permissions: ['geolocation', 'camera'],
      isLast: true,
    })
    await opened.page.click('[data-find]')
    await opened.page.waitForSelector('.branch-way')
    return opened
  }

  test('V10 nearby: the nearest first with its wait, and a list by name before and without a place', async () => {
    const { page, complaints } = await open('/nearby/demo')
    expect(await names(page)).toEqual(['Agence 1', 'Agence 2', 'Agence 3'])
    expect(await page.innerText('.branch')).toContain('3 personnes attendent')
    // Nobody is asked before a touch; a refusal leaves the list.
    await page.click('[data-find]')
    await expect.poll(() => page.innerText('[role=status]')).toContain('voici tous les lieux')
    expect(await names(page)).toHaveLength(3)
    expect(await violations(page)).toEqual([])
    expect(complaints).toEqual([])
    const near = await located()
    expect(await names(near.page)).toEqual(['Agence 3', 'Agence 1', 'Agence 2'])
    const ways = await near.page.locator('.branch-way').allInnerTexts()
    expect(ways.map((way) => way.replace(/\s/g, ' '))).toEqual(['10 m', '400 m', '1,5 km'])
    await near.page.click('.branch')
    expect(new URL(near.page.url()).pathname).toBe('/site/demo/site-3')
    const silent = await open('/nearby/demo', { javaScriptEnabled: false })
    expect(await names(silent.page)).toEqual(['Agence 1', 'Agence 2', 'Agence 3'])
  })

  test.each(['fr-FR', 'ar-MA'])(
    'V10 X1 arrows point where the branch stands, and are not mirrored: %s',
    async (locale) => {
      const { page, complaints } = await located(locale)
      await page.click('[data-compass]')
      const arrows = () =>
        page.locator('.arrow').evaluateAll((all) => all.map((arrow) => Number(arrow.dataset['degrees'])))
      await expect.poll(() => holding(page, 0, false, arrows)).toEqual([0, 90, 0])
      // Turned to the east: the branch there is ahead, the one in the north to the left.
      await expect.poll(() => holding(page, 90, false, arrows)).toEqual([270, 0, 270])
      // By position: the tip of the arrow that says left is on the left.
      const tip = await page
        .locator('.arrow')
        .nth(2)
        .evaluate((arrow) => {
          const point = new DOMPoint(16, 2).matrixTransform(arrow.querySelector('path')!.getScreenCTM()!)
          const { left, width } = arrow.getBoundingClientRect()
          return (point.x - left) / width
        })
      expect(tip).toBeLessThan(0.2)
      expect(await page.locator('.branch-way').nth(1).innerText()).toContain(
        locale === 'ar-MA' ? 'إلى الأمام' : 'tout droit',
      )
      expect(await violations(page)).toEqual([])
      expect(complaints).toEqual([])
    },
  )

  test('V10 a phone without a compass says so, and the list stays', async () => {
    const { page } = await located()
    await page.click('[data-compass]')
    await expect.poll(() => page.innerText('[role=status]')).toContain('pas de boussole')
    expect(await names(page)).toHaveLength(3)
  })

  test('V10 X1 the camera has a card where a branch stands, none for one too near to tell, and is let go', async () => {
    const { page, complaints } = await located()
    await page.click('[data-lens]')
    await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0)
    const cards = () => page.locator('.lens-card strong').allInnerTexts()
    await expect.poll(() => holding(page, 80, true, cards)).toEqual(['Agence 1'])
    // Ten degrees to the right of the middle.
    expect(await page.getAttribute('.lens-card', 'data-aside')).toBe('10')
    const middle = await page.locator('.lens-card').evaluate((card) => {
      const { left, right } = card.getBoundingClientRect()
      return (left + right) / 2 / innerWidth
    })
    expect(middle).toBeGreaterThan(0.6)
    expect(middle).toBeLessThan(0.8)
    expect(await violations(page)).toEqual([])
    await expect.poll(() => holding(page, 0, true, cards)).toEqual(['Agence 2'])
    await expect.poll(() => holding(page, 180, true, cards)).toEqual([])
    expect(await page.innerText('.lens-hint')).toContain('tournez-vous')
    expect(await names(page)).toHaveLength(3)
    await page.evaluate('globalThis.stream = document.querySelector("video").srcObject')
    await page.click('[data-close]')
    await expect
      .poll(() => page.evaluate('stream.getTracks().every((track) => track.readyState === "ended")'))
      .toBe(true)
    expect(complaints).toEqual([])
  })

  test.each(['fr-FR', 'ar-MA'])(
    'V10 X1 a sign indoors draws the way from where its reader stands: %s',
    async (locale) => {
      const site_id = bank.sites[0]!.id
      const code = `sign${locale.slice(0, 2)}01`
      const marker = (body: object) => run(admin, 'POST', '/ar-markers/', { site_id, ...body })
      await server.owner('delete from ar_markers')
      await marker({ kind: 'anchor', name: 'Panneau', code, heading_degrees: 90, floor: 0, ...HERE })
      await marker({ kind: 'queue', name: 'Passeports', queue_id: bank.queues[0]!.id, floor: 2, ...at(0, 30) })
      const { page, complaints } = await open(`/nearby/demo/sign/${code}`, { locale })
      const way = page.locator('.branch')
      expect(await way.locator('.arrow').getAttribute('data-degrees')).toBe('0')
      expect(await way.innerText()).toContain(locale === 'ar-MA' ? 'اصعد طابقين' : 'Montez de 2 étages')
      expect(await violations(page)).toEqual([])
      expect(complaints).toEqual([])
    },
  )
})
