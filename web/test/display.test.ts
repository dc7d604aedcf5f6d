import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'acorn'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { hasBrowser, violations } from './site.ts'
import { formatTime, ticketCode } from '../../shared/format.ts'
import { giveLogo } from './logo.ts'
import { decodedQr } from './qr.ts'
import { comesToShow, HERO, pass, SETTINGS, shows, startWalls } from './wall.ts'

/** As a wall sees in days. */
const CALLS = 2000

describe.runIf(hasBrowser)('the display', async () => {
  const { server, url, bank, run, take, callNext, act, siteId, unpaired, pair, wall, call } = await startWalls()
  const { admin } = bank

  test('D1 X6 X9 a call is shown with its counter, chimes, and asks for the sound once only', async () => {
    const { page, close, complaints, code } = await unpaired()
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
    await pair(page, code)
    for (const agent of [0, 1]) {
      const { number } = await call(agent)
      await shows(page, number)
      expect(await page.getAttribute('.hero', 'data-now')).toBe('true')
      expect(await page.textContent('.hero-counter')).toBe(`Guichet ${agent + 1}`)
      await pass(page, 5)
    }
    expect(await page.evaluate(() => (globalThis as unknown as { played: string[] }).played.length)).toBe(2)
    expect(asked.length).toBeLessThanOrEqual(1)
    expect(complaints).toEqual([])
    await close()
  })

  test('D2 ten calls at once have the stage and the sound one after the other, in order, all within a minute', async () => {
    const { page, close } = await wall({ languages: ['fr'] })
    await page.evaluate((at) => {
      const staged: [string, number][] = []
      const heard: string[] = []
      Object.assign(globalThis, { staged, heard })
      HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
        heard.push('start')
        setTimeout(() => (heard.push('end'), this.dispatchEvent(new Event('ended'))), 900)
        return Promise.resolve()
      }
      new MutationObserver(() => {
        const number = document.querySelector(at)?.textContent ?? ''
        if (staged.at(-1)?.[0] !== number) staged.push([number, Date.now()])
      }).observe(document.body, { subtree: true, childList: true, characterData: true })
    }, HERO)
    const log = () =>
      page.evaluate(() => ({ ...(globalThis as unknown as { staged: [string, number][]; heard: string[] }) }))
    const numbers: string[] = []
    for (let i = 0; i < 10; i++) numbers.push((await call(i % 3))['number'])
    // At once in the list, and each in its turn on the stage.
    await page.waitForFunction((number) => document.body.textContent!.includes(number), numbers[9]!)
    await expect
      .poll(async () => {
        await pass(page, 2.5)
        return (await log()).staged.some(([number]) => number === numbers[9])
      })
      .toBe(true)
    await pass(page, 1)
    const { staged, heard } = await log()
    expect(staged.map(([number]) => number).filter((number) => numbers.includes(number))).toEqual(numbers)
    expect(heard).toEqual(numbers.flatMap(() => ['start', 'end']))
    const at = Object.fromEntries(staged)
    expect(at[numbers[9]!]! - at[numbers[0]!]!).toBeLessThan(60_000)
    await close()
  })

  test('D3 X1 X2 sizes and contrast for six metres; twelve calls and three languages fit', async () => {
    const message = { fr: 'Fermeture à 16 h vendredi' }
    const { page, close, displayId } = await wall({ ...SETTINGS, message }, {}, false)
    for (let i = 0; i < 12; i++) await call(i % 3)
    await page.waitForFunction(() => document.querySelectorAll('.row').length >= 5)
    const measured = () =>
      page.evaluate(() => {
        const fontVh = (selector: string) =>
          (parseFloat(getComputedStyle(document.querySelector(selector)!).fontSize) / innerHeight) * 100
        const fits = (selector: string) => {
          const element = document.querySelector(selector)!
          return element.scrollHeight <= element.clientHeight + 1 && element.scrollWidth <= element.clientWidth + 1
        }
        const light = (colour: string) => {
          const [red = 0, green = 0, blue = 0] = colour.match(/\d+/g)!.map((part) => {
            const share = Number(part) / 255
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
          })
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue
        }
        const contrast = (selector: string) => {
          let behind = document.querySelector<HTMLElement>(selector)!
          const ink = light(getComputedStyle(behind).color)
          while (/rgba\(.*, 0\)/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement!
          const ground = light(getComputedStyle(behind).backgroundColor)
          return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05)
        }
        return {
          hero: fontVh('.hero-number .code'),
          counter: fontVh('.hero-counter'),
          row: fontVh('.row .code'),
          fits: ['.hero', '.side', '#app'].map(fits),
          contrasts: ['.hero-number .code', '.hero-counter', '.row .code', '.foot-title', '.clock'].map(contrast),
        }
      })
    const sizes = await measured()
    expect(sizes.hero).toBeGreaterThanOrEqual(20)
    expect(sizes.counter).toBeGreaterThanOrEqual(12)
    expect(sizes.row).toBeGreaterThanOrEqual(8.3)
    expect(sizes.fits).toEqual([true, true, true])
    for (const contrast of sizes.contrasts) expect(contrast).toBeGreaterThanOrEqual(7)
    expect(await violations(page)).toEqual([])
    expect(await page.innerText('.foot-said')).toBe(message.fr)
    expect(await page.locator('.wait').count()).toBeGreaterThan(0)
    // In the colours of daylight it reads as well; waits go as soon as nobody wants them shown.
    const change = (changes: object) =>
      run(admin, 'PATCH', `/displays/${displayId}/`, { settings: { ...SETTINGS, ...changes } })
    await giveLogo({ run, bank, url })
    await run(admin, 'PATCH', '/', { brand_colour: '#6A2C91' })
    await change({ theme: 'light' })
    await page.waitForSelector('html:not([data-theme])')
    await page.waitForSelector('.stripe')
    expect(await page.$eval('.stripe', (stripe) => getComputedStyle(stripe).backgroundColor)).toBe('rgb(106, 44, 145)')
    expect(await page.innerText('.foot-name')).toBe('Hall')
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>('.foot .logo')!.naturalWidth > 0)
    expect((await measured()).fits).toEqual([true, true, true])
    for (const contrast of (await measured()).contrasts) expect(contrast).toBeGreaterThanOrEqual(7)
    expect(await violations(page)).toEqual([])
    await change({ theme: 'dark', show_wait: false })
    await page.waitForSelector('html[data-theme=dark]:not([data-density])')
    await page.waitForSelector('.wait', { state: 'detached' })
    await run(admin, 'PATCH', '/', { brand_colour: null, logo_media_id: null })
    await close()
  })

  test('D4 a screen that may not sound says so and is on record; a touch unlocks it', async () => {
    const { page, close, code } = await unpaired()
    await page.evaluate(() => {
      const play = HTMLMediaElement.prototype.play
      HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
      addEventListener('pointerdown', () => (HTMLMediaElement.prototype.play = play), { capture: true })
    })
    const device = await pair(page, code)
    await call()
    await page.waitForSelector('.sound-lock')
    const report = async () => (await run(admin, 'GET', `/devices/${device['id']}/`))['report']
    await expect.poll(report).toMatchObject({ sound: 'locked' })
    await page.click('.sound-lock')
    await page.waitForSelector('.sound-lock', { state: 'detached' })
    await expect.poll(report).toMatchObject({ sound: 'ok' })
    const events = await server.owner(
      `select data -> 'device' -> 'report' ->> 'sound' as sound from events where type = 'device.reported' order by "offset"`,
    )
    expect(events.slice(-2)).toEqual([{ sound: 'locked' }, { sound: 'ok' }])
    await close()
  })

  test('D4 X6 pictures of the house are shown while nobody is called, on at most a third of the wall', async () => {
    const { page, close, complaints } = await wall({ ...SETTINGS, chime: false })
    const picture = await sharp({ create: { width: 1200, height: 600, channels: 3, background: '#268' } })
      .png()
      .toBuffer()
    const { id: media_id, upload_url } = await run(admin, 'POST', '/media/', {
      kind: 'image',
      name: 'Porte',
      alt: { fr: 'La porte bleue', ar: 'الباب الأزرق' },
    })
    const sent = await fetch(url + new URL(upload_url as string).pathname, {
      method: 'PUT',
      body: new Uint8Array(picture),
    })
    expect(sent.ok).toBe(true)
    const items = { list: [{ media_id, seconds: 10 }] }
    const { id: playlist_id } = await run(admin, 'POST', '/playlists/', { name: 'Hall', items })
    const { results } = await run(admin, 'GET', '/displays/?ordering=-created_at&limit=1')
    await run(admin, 'PATCH', `/displays/${results[0].id}/`, { playlist_id })
    await page.waitForSelector('.media img')
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>('.media img')!.naturalWidth > 0)
    const share = await page.evaluate(() => {
      const { width, height } = document.querySelector('.media')!.getBoundingClientRect()
      const { bottom } = document.querySelector('.hero')!.getBoundingClientRect()
      const isBeside = bottom <= document.querySelector('.media')!.getBoundingClientRect().top + 1
      return { share: (width * height) / (innerWidth * innerHeight), isBeside }
    })
    expect(share.isBeside).toBe(true)
    expect(share.share).toBeLessThanOrEqual(0.35)
    expect(await page.getAttribute('.media img', 'alt')).toBe('La porte bleue')
    expect(await page.getAttribute('.media', 'lang')).toBe('fr')
    expect(await violations(page)).toEqual([])
    // A call has the wall to itself, and the picture comes back after it.
    const { number } = await call()
    await shows(page, number)
    await page.waitForSelector('.media', { state: 'detached' })
    await pass(page, 30)
    await page.waitForSelector('.media img')
    expect(await page.textContent(HERO)).toBe(number)
    expect(complaints).toEqual([])
    await close()
  })

  /** Frames of one call, multiplied: what a server sends in days reaches the page in seconds. */
  async function simulate(page: Page, from: number, count: number) {
    await page.evaluate(
      ([first, last]) => {
        const world = globalThis as unknown as {
          feed: WebSocket
          frames: { type: string; offset?: number; ticket: object }[]
          offset?: number
        }
        const heard = world.frames.filter(({ type }) => type === 'ticket.called' || type === 'ticket.completed')
        // Heartbeats have none, and what the server still says lies behind what was made up.
        let offset = world.offset ?? Math.max(...world.frames.map((frame) => frame.offset ?? 0))
        for (let n = first!; n < last!; n++)
          for (const frame of heard) {
            const ticket = { ...frame.ticket, id: 1_000_000 + n, number: `Z${n}` }
            const data = JSON.stringify({ ...frame, ticket, after: offset, offset: offset + 1 })
            offset += 1
            world.feed.onmessage!(new MessageEvent('message', { data }))
          }
        world.offset = offset
      },
      [from, from + count],
    )
    await page.waitForFunction(
      (text) => document.querySelector('.hero .code')?.textContent === text,
      `Z-${from + count - 1}`,
    )
  }

  test(`D5 a screen stays as small as it began over ${CALLS} calls`, async () => {
    const { page, context, close } = await wall(
      { languages: ['fr'], chime: false },
      {
        prepare: (opened) =>
          opened.addInitScript(() => {
            const frames: unknown[] = []
            globalThis.WebSocket = class extends WebSocket {
              constructor(url: string | URL, protocols?: string | string[]) {
                super(url, protocols)
                Object.assign(globalThis, { feed: this, frames })
                this.addEventListener('message', ({ data }) => frames.push(JSON.parse(String(data))))
              }
            }
            // Stages end at once: seconds of a wall are not what is looked at here.
            const later = globalThis.setTimeout
            globalThis.setTimeout = ((run: () => void, ms: number) => {
              if (ms < 2000) return later(run, ms)
              const { port1, port2 } = new MessageChannel()
              port1.onmessage = run
              port2.postMessage(null)
              return 0
            }) as unknown as typeof setTimeout
          }),
      },
    )
    const debug = await context.newCDPSession(page)
    const size = async () => {
      await debug.send('HeapProfiler.collectGarbage')
      const nodes = await page.evaluate(() => document.querySelectorAll('*').length)
      return { nodes, heap: (await debug.send('Runtime.getHeapUsage')).usedSize }
    }
    const { number } = await call()
    await page.waitForFunction(() =>
      (globalThis as unknown as { frames: { type: string }[] }).frames.some(({ type }) => type === 'ticket.completed'),
    )
    await shows(page, number)
    await simulate(page, 0, 50)
    const before = await size()
    for (let from = 50; from < CALLS; from += 150) await simulate(page, from, 150)
    const after = await size()
    expect(after.nodes).toBeLessThan(1500)
    expect(after.nodes - before.nodes).toBeLessThan(50)
    expect(after.heap - before.heap).toBeLessThan(10_000_000)
    await close()
  })

  test('D5 the rows of a day are gone the next one; at night the page starts anew, but only when nobody is called', async () => {
    const { page, close } = await wall({ languages: ['fr'], chime: false })
    const [first, second] = [await call(), await call(1)]
    await take(0)
    const open = await callNext(0)
    await page.waitForFunction((number) => document.body.textContent!.includes(number), ticketCode(open['number']))
    await pass(page, 30)
    for (const { number } of [first, second]) expect(await page.textContent('.rows')).toContain(number)
    const now = await page.evaluate(() => Date.now())
    // Two days on: the page is old by then at whatever hour this runs.
    const night = Temporal.Instant.fromEpochMilliseconds(now)
      .toZonedDateTimeISO('Europe/Paris')
      .add({ days: 2 })
      .with({ hour: 3, minute: 30 })
    let reloads = 0
    page.on('load', () => reloads++)
    await page.clock.fastForward(night.epochMilliseconds - now)
    await page.waitForFunction(() => document.querySelectorAll('.row').length === 0)
    expect(reloads).toBe(0)
    const anew = page.waitForEvent('load')
    for (const verb of ['start', 'complete'])
      await run(bank.agentActors[0]!, 'POST', `/tickets/${open['id']}/${verb}/`, {})
    await expect
      .poll(async () => {
        await pass(page, 1).catch(() => {})
        return reloads
      })
      .toBe(1)
    await anew
    await close()
  })

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

    const { page, close, complaints, code } = await unpaired({
      prepare: (opened) =>
        opened.addInitScript(() => {
          for (const name of ['speechSynthesis', 'SpeechSynthesisUtterance', 'IntersectionObserver'])
            Reflect.deleteProperty(globalThis, name)
          Reflect.deleteProperty(Navigator.prototype, 'wakeLock')
        }),
    })
    await pair(page, code)
    const { number } = await call()
    await shows(page, number)
    expect(complaints).toEqual([])
    await close()
  })

  test('D7 X7 a network that vanishes is said within 12 seconds, with the times of what is shown; then nothing is missing', async () => {
    // What is sent into a dead network arrives when it lives again.
    let isDead = false
    const late: (() => void)[] = []
    const { page, context, close } = await wall(undefined, {
      prepare: (opened) =>
        opened.routeWebSocket(/\/ws\//, (socket) => {
          socket.connectToServer().onMessage((message) => {
            if (isDead) late.push(() => socket.send(message))
            else socket.send(message)
          })
        }),
    })
    const { number } = await call()
    await shows(page, number)
    isDead = true
    await pass(page, 5)
    expect(await page.locator('.banner.lost').count()).toBe(0)
    await pass(page, 7)
    await page.waitForSelector('.banner.lost')
    expect(await page.textContent('.hero-label')).toMatch(/\d\d:\d\d/)
    const missed = [await call(), await call(1)]
    isDead = false
    for (const arrive of late) arrive()
    await page.waitForSelector('.banner.lost', { state: 'detached' })
    await expect
      .poll(async () => {
        await pass(page, 5)
        const text = await page.textContent('.wall')
        return missed.every(({ number: each }) => text!.includes(each))
      })
      .toBe(true)
    const next = await call()
    await comesToShow(page, next['number'])
    // A database that was restored has another history: only a snapshot tells, and who is awaited is announced all the same.
    await server.owner('update streams set epoch = gen_random_uuid()::text')
    await take()
    const awaited = await callNext()
    await comesToShow(page, ticketCode(awaited['number']))
    expect(await page.getAttribute('.hero', 'data-now')).toBe('true')
    for (const verb of ['start', 'complete']) await act(verb, awaited['id'])
    await context.setOffline(true)
    await page.waitForSelector('.banner.lost')
    await context.setOffline(false)
    await page.waitForSelector('.banner.lost', { state: 'detached' })
    await close()
  })

  test('D8 a code works once and for ten minutes; a screen that is sent away shows nothing of the house', async () => {
    const { page, close, code: first } = await unpaired()
    await pass(page, 601)
    await expect.poll(() => page.textContent('.pairing-code')).not.toBe(first)
    const code = (await page.textContent('.pairing-code'))!.trim()
    await server.owner('update device_pairings set expires_at = now() where code = $1', [first])
    const again = { kind: 'display', site_id: siteId, name: 'Other' }
    await expect(run(admin, 'POST', '/devices/pair/', { ...again, code: first })).rejects.toThrow(
      'pairing_code_invalid',
    )
    const device = await pair(page, code)
    const { number } = await call()
    await shows(page, number)
    await expect(run(admin, 'POST', '/devices/pair/', { ...again, code })).rejects.toThrow('pairing_code_invalid')
    await run(admin, 'DELETE', `/devices/${device['id']}/`)
    await page.waitForSelector('.pairing-code')
    expect(await page.textContent('body')).not.toContain(number)
    await close()
  })

  test('D8 no name of a person is ever in the page', async () => {
    const { page, close } = await wall(SETTINGS, {}, false)
    const { number } = await call(0, { customer: { name: 'Zenobia Quilliam', phone: '+33612345678' } })
    await shows(page, number)
    const html = await page.content()
    for (const personal of ['Zenobia', 'Quilliam', '612345678', 'Agent']) expect(html).not.toContain(personal)
    await close()
  })

  test('D9 X5 the arrow points the same way in French and Arabic, numbers run left to right', async () => {
    const boxes = []
    for (const [language, locale] of [
      ['fr', 'fr-FR'],
      ['ar', 'ar-MA'],
    ] as const) {
      const { page, close } = await wall({ languages: [language] }, { locale }, false)
      const { number } = await call()
      await shows(page, number)
      boxes.push(
        await page.evaluate(() => {
          const arrow = document.querySelector('.arrow')!
          return { x: arrow.getBoundingClientRect().x, matrix: getComputedStyle(arrow).transform }
        }),
      )
      expect(await page.$eval(HERO, (element) => getComputedStyle(element).direction)).toBe('ltr')
      await close()
    }
    expect(boxes[1]).toEqual(boxes[0])
  })

  test('X1 X4 X10 every other state is accessible, in its languages and with a code that opens what it says: pairing, closed, alert', async () => {
    const { page, close } = await wall({ languages: ['ar', 'fr'] }, { locale: 'ar-MA' }, false)
    await call()
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
    // When the last number of the day was taken, as SQL has it; none on a day without.
    const [{ last }] = (await server.owner<{ last: string | null }>(
      `select max(t.created_at) as last from tickets t join sites s on s.id = t.site_id
       where s.id = $1 and t.day = (now() at time zone s.timezone)::date`,
      [siteId],
    )) as [{ last: string | null }]
    expect(last).not.toBeNull()
    expect(await page.getAttribute('[data-last-ticket]', 'data-last-ticket')).toBe(last)
    expect(await page.innerText('[data-last-ticket]')).toContain(formatTime(last!, 'Europe/Paris', 'fr'))
    expect(await page.textContent('.notice')).toContain('مغلق')
    expect(await page.innerText('.owner')).toBe(bank.tenant.name)
    expect(await decodedQr(page)).toBe(`${url}/site/demo/site-1`)
    expect(await page.textContent('body')).not.toMatch(/display\.|queue_status\.|undefined|NaN/)
    expect(await violations(page)).toEqual([])
    await openAt(null)
    await close()
    const alone = await unpaired({ locale: 'ar-MA' })
    expect(await decodedQr(alone.page)).toBe(`${url}/app/admin/devices?pair=${alone.code}`)
    expect(await violations(alone.page)).toEqual([])
    await alone.close()
  })

  test('X8 nothing moves where people asked for stillness', async () => {
    const { page, close } = await wall(SETTINGS, { reducedMotion: 'reduce' }, false)
    const { number } = await call()
    await shows(page, number)
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
    await close()
  })
})
