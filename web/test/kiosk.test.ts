import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { useVoice } from '../../server/modules/displays/index.ts'
import { ticketCode } from '../../shared/format.ts'
import { drawn, likeness, printed } from './paper.ts'
import { giveLogo } from './logo.ts'
import { decodedQr } from './qr.ts'
import { canSpeak, KIOSK, SERIAL, startMachines } from './machines.ts'
import { testClosed } from './kiosk-closed.ts'
import { testStaffCorner } from './kiosk-staff.ts'
import { hasBrowser, violations } from './site.ts'

describe.runIf(hasBrowser)('the kiosk', async () => {
  const machines = await startMachines()
  const { server, url, bank, run, closeAll, site_id, aKiosk, world, choose, take, statusOf, withPrinter, printer } =
    machines
  const { admin } = bank
  const clips = mkdtempSync(join(tmpdir(), 'clips-'))
  afterAll(() => rmSync(clips, { recursive: true }))
  afterEach(async () => {
    useVoice({ directory: clips })
    await closeAll()
    await run(admin, 'POST', '/tickets/close-day/', { today: true })
  })

  test('K1 X6 X9 X10 two taps from the welcome to a number, which is printed and opens on a phone', async () => {
    const { page, complaints } = await aKiosk({ prints: true })
    await choose(page, 'ar')
    expect(await page.getAttribute('html', 'dir')).toBe('rtl')
    const number = await take(page)
    expect(await statusOf(number)).toEqual({ status: 'en_attente', channel: 'kiosk', language: 'ar' })
    expect((await world(page)).prints).toBe(1)
    const link = await decodedQr(page)
    // Where the organisation is reached from outside is a setting of the server.
    const { pathname } = new URL(link!)
    expect(pathname).toMatch(/^\/t\//)
    const phone = await fetch(url + pathname, { headers: { accept: 'text/html' } })
    expect(await phone.text()).toContain(ticketCode(number))
    // What goes to the printer: the number, and nothing that is pressed.
    await page.emulateMedia({ media: 'print' })
    expect(await page.isVisible('.ticket .number')).toBe(true)
    expect(await page.innerText('.ticket')).toContain(ticketCode(number))
    expect(await page.isVisible('.choices')).toBe(false)
    expect(complaints).toEqual([])
  })

  test('K2 in access mode everything pressed is low, large and reached by three keys, and each focus is spoken', async () => {
    const DOTS_PER_INCH = 160
    await run(admin, 'POST', '/booking-settings/', { queue_id: bank.queues[0]!.id, lead_seconds: 0 })
    const { page } = await aKiosk({ dots_per_inch: DOTS_PER_INCH, asks_phone: true })
    // The space bar of tactile keys is found without seeing a button.
    await page.keyboard.press(' ')
    await page.waitForSelector('[data-access=true]')
    const look = async () => {
      const targets = await page.$$eval('button', (buttons) =>
        buttons.map((button) => {
          const { top, bottom, height } = button.getBoundingClientRect()
          return { top, bottom, height, font: parseFloat(getComputedStyle(button).fontSize) }
        }),
      )
      for (const { top, bottom } of targets) {
        expect(top).toBeGreaterThanOrEqual(KIOSK.height * 0.6)
        expect(bottom).toBeLessThanOrEqual(KIOSK.height)
      }
      // Capitals of this face are 0.66 of its size.
      const capMillimetres = (Math.min(...targets.map(({ font }) => font)) * 0.66 * 25.4) / DOTS_PER_INCH
      expect(capMillimetres).toBeGreaterThanOrEqual(7.3)
      // What is read is as large, and none of it is cut off.
      const read = await page.$eval('.top', (top) => ({
        isWhole: top.scrollHeight <= top.clientHeight,
        font: Math.min(
          ...[...top.querySelectorAll('p, h1, figcaption')].map((each) => parseFloat(getComputedStyle(each).fontSize)),
        ),
      }))
      expect(read.isWhole).toBe(true)
      expect((read.font * 0.66 * 25.4) / DOTS_PER_INCH).toBeGreaterThanOrEqual(7.3)
      expect(await violations(page)).toEqual([])
    }
    await look()
    const focus = async (selector: string) => {
      for (let n = 0; n < 20; n++) {
        if (await page.evaluate((wanted) => document.activeElement!.matches(wanted), selector)) return
        await page.keyboard.press('ArrowDown')
      }
      throw new Error(`no key leads to ${selector}`)
    }
    await focus('.language[lang=fr]')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[data-step=services]')
    await look()
    /** By the server's voice where it has one, else by the machine's own. */
    const said = async () => {
      const { clips, spoken } = await world(page)
      return [...clips.map(([text]) => text), ...spoken]
    }
    const press = async (key: string) => {
      const before = (await said()).length
      await page.keyboard.press(key)
      await expect.poll(async () => (await said()).length).toBe(before + 1)
    }
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp']) await press(key)
    const heard = await world(page)
    expect((await said()).some((text) => text.includes('Service B'))).toBe(true)
    if (canSpeak) expect([heard.spoken, heard.clips.at(-1)![1]]).toEqual([[], 0.8])
    // A server without a voice leaves it to the machine.
    useVoice({ directory: clips, command: 'no-such-program' })
    await focus('.tile')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[data-step=phone]')
    await look()
    await press('ArrowDown')
    expect((await world(page)).spoken.length).toBeGreaterThan(0)
    await focus('[data-skip]')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[data-number]')
    await look()
  })

  test('K3 who goes away is asked for 20 seconds, may stay as often as wanted, and leaves nothing behind', async () => {
    const { page } = await aKiosk({ idle_seconds: 30, languages: ['fr', 'ar'] })
    await choose(page, 'ar')
    const number = ticketCode(await take(page))
    for (let n = 0; n < 11; n++) {
      await page.clock.runFor(31_000)
      await page.waitForSelector('.idle')
      await page.click('.idle button')
      await page.waitForSelector('.idle', { state: 'detached' })
    }
    await page.clock.runFor(31_000)
    await page.waitForSelector('.idle')
    await page.clock.runFor(15_000)
    expect(await page.isVisible('.idle')).toBe(true)
    await page.clock.runFor(6000)
    await page.waitForSelector('[data-step=welcome]')
    expect(await page.getAttribute('html', 'lang')).toBe('fr')
    const left = await page.evaluate(() => [
      document.documentElement.outerHTML,
      JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]),
      location.href,
      history.length,
    ])
    for (const each of left.slice(0, 3)) expect(each).not.toContain(number)
    // The empty page that the browser began with, and this one.
    expect(left[3]).toBeLessThanOrEqual(2)
    await page.goBack().catch(() => {})
    expect(await page.textContent('body')).not.toContain(number)
  })

  test('K4 without a network five numbers, distinct, none lost by a restart, told of in order with their times', async () => {
    const { page, context } = await aKiosk({}, { hasWorker: true })
    const held = `select cardinality(numbers) as held from number_blocks b join devices d on d.tenant_id = b.tenant_id and d.id = b.device_id
      where b.queue_id = ${bank.queues[0]!.id} and d.id = (select max(id) from devices)`
    await expect.poll(async () => (await server.owner(held)).length).toBe(2)
    await page.evaluate('navigator.serviceWorker.ready.then(() => true)')
    // Until the numbers are written down here.
    await expect
      .poll(() =>
        page.evaluate(
          () =>
            new Promise((done) => {
              const opening = indexedDB.open('kiosk')
              opening.onsuccess = () => {
                const asked = opening.result.transaction('kept').objectStore('kept').get('numbers')
                asked.onsuccess = () => done(asked.result?.blocks.length ?? 0)
              }
            }),
        ),
      )
      .toBeGreaterThan(0)
    await choose(page)
    const online = [await take(page)]
    await page.click('[data-kind=primary]')
    await context.setOffline(true)
    const given: string[] = []
    const takeOne = async () => {
      await choose(page)
      given.push(await take(page))
      expect(await page.locator('.ticket [data-offline]').count()).toBe(1)
      expect(await page.locator('.ticket .qr').count()).toBe(1)
      await page.click('[data-kind=primary]')
    }
    for (let n = 0; n < 3; n++) await takeOne()
    // Somebody pulls the plug: the page, the numbers and what was given are still there.
    await page.reload()
    await page.waitForSelector('[data-step=welcome]')
    await page.waitForSelector('[data-offline]')
    expect(await violations(page)).toEqual([])
    for (let n = 0; n < 2; n++) await takeOne()
    expect(new Set(given).size).toBe(5)
    // Meanwhile others take numbers from the server.
    for (let n = 0; n < 3; n++)
      online.push(
        (await run(admin, 'POST', '/tickets/', { queue_id: bank.queues[0]!.id, channel: 'reception' }))['number'],
      )
    expect(online.filter((number) => given.includes(number))).toEqual([])

    await context.setOffline(false)
    await page.clock.runFor(6000)
    const told = () =>
      server.owner<{ number: string }>(
        `select number from tickets where channel = 'kiosk' and serial < 0 and number = any($1) order by rank, id`,
        [given],
      )
    await expect.poll(async () => (await told()).map(({ number }) => number)).toEqual(given)
    // As they came: before those who came to the desk while the machine was alone, though the server heard of them later.
    const [times] = await server.owner(
      `select max(t.created_at) filter (where t.serial < 0) < min(t.created_at) filter (where t.channel = 'reception') as before,
         min(e.at) filter (where t.serial < 0) > max(e.at) filter (where t.channel = 'reception') as heard_later
       from tickets t join events e on e.tenant_id = t.tenant_id and e.ticket_id = t.id and e.type = 'ticket.created'
       where t.number = any($1)`,
      [[...given, ...online.slice(1)]],
    )
    expect(times).toEqual({ before: true, heard_later: true })
    // Heard of once, and no longer kept here.
    await page.clock.runFor(6000)
    await page.waitForSelector('[data-offline]', { state: 'detached' })
    expect(await server.owner('select count(*)::int as n from tickets where serial < 0')).toEqual([{ n: 5 }])
  })

  test('K5 without paper the number and the code on the screen are enough, and supervisors are told', async () => {
    const { page, device } = await aKiosk({ prints: true })
    await page.mouse.move(KIOSK.width - 20, 20)
    await page.mouse.down()
    await page.clock.runFor(3100)
    await page.mouse.up()
    await page.click('[data-paper=ok]')
    const report = async () => (await run(admin, 'GET', `/devices/${String(device['id'])}/`))['report']
    await expect.poll(report).toMatchObject({ paper: 'out' })
    const events = await server.owner(`select data -> 'device' -> 'report' ->> 'paper' as paper from events
      where type = 'device.reported' order by "offset" desc limit 1`)
    expect(events).toEqual([{ paper: 'out' }])
    await page.click('.bare')
    await choose(page)
    const number = await take(page)
    await page.waitForSelector('[data-paper=out]')
    expect(await page.locator('.ticket .qr').count()).toBe(1)
    expect((await world(page)).prints).toBe(0)
    expect(await statusOf(number)).toMatchObject({ status: 'en_attente' })
  })

  test('K7 an Arabic ticket is printed as a picture, with its letters joined and in order', async () => {
    const { page, complaints } = await aKiosk(SERIAL, { prepare: withPrinter })
    await choose(page, 'ar')
    await take(page)
    await expect.poll(async () => (await printer(page)).jobs.length).toBe(1)
    const [job] = (await printer(page)).jobs
    // GS v 0, plain, 72 bytes a row.
    expect(job!.slice(0, 6)).toEqual([0x1d, 0x76, 0x30, 0, 72, 0])
    expect(job!.slice(-4)).toEqual([0x1d, 0x56, 0x42, 0])
    const slip = printed(job!)
    const service = 'خدمة A'
    const like = async (text: string, style: string) => likeness(slip, await drawn(page, text, style))
    // As the browser lays the same words out on a page: nine in ten of the dots, each within one of its place.
    expect(await like(service, 'font: 700 40px var(--font-ui)')).toBeGreaterThan(0.9)
    // Controls: letters that are not joined, as printers set them; and a different word.
    const apart = service.replace(/([\u0621-\u064a])(?=[\u0621-\u064a])/g, '$1\u200c')
    expect(await like(apart, 'font: 700 40px var(--font-ui)')).toBeLessThan(0.9)
    expect(await like('خدمة B', 'font: 700 40px var(--font-ui)')).toBeLessThan(0.9)
    expect((await world(page)).prints).toBe(0)
    expect(complaints).toEqual([])
  })

  test('K5 K7 the printer says that paper is out, or nothing at all: code and number stand in, and supervisors hear', async () => {
    const wire = { ...SERIAL, paper_width_mm: 58, baud_rate: 19_200 }
    const { page, device } = await aKiosk(wire, { prepare: withPrinter })
    const report = async () => (await run(admin, 'GET', `/devices/${String(device['id'])}/`))['report']
    const lastEvent = async () =>
      (
        await server.owner(`select data -> 'device' -> 'report' as report from events
          where type = 'device.reported' order by "offset" desc limit 1`)
      )[0]?.['report']
    await page.evaluate('printer.paper = 0x72')
    await choose(page)
    const number = await take(page)
    await page.waitForSelector('[data-paper=out]')
    expect(await page.locator('.ticket .qr').count()).toBe(1)
    expect((await printer(page)).jobs).toEqual([])
    expect(await violations(page)).toEqual([])
    expect(await statusOf(number)).toMatchObject({ status: 'en_attente' })
    await expect.poll(report).toMatchObject({ paper: 'out', printer: 'ok' })
    await expect.poll(lastEvent).toMatchObject({ paper: 'out' })
    await page.click('[data-kind=primary]')
    // New paper: the printer says so itself.
    await page.evaluate('printer.paper = 0x12')
    await choose(page)
    await take(page)
    await expect.poll(async () => (await printer(page)).jobs.length).toBe(1)
    // Narrow paper has 48 bytes a row, and the port is as fast as the printer.
    const { jobs, baud } = await printer(page)
    expect([jobs[0]![4], baud]).toEqual([48, 19_200])
    await expect.poll(report).toMatchObject({ paper: 'ok' })
    await page.click('[data-kind=primary]')
    await page.evaluate('printer.isMute = true')
    await choose(page)
    await take(page)
    await page.waitForSelector('[data-paper=stuck]')
    await expect.poll(lastEvent).toMatchObject({ printer: 'error' })
    await page.click('[data-kind=primary]')
    // Put in again, it is opened again.
    await page.evaluate('printer.isMute = false')
    await choose(page)
    await take(page)
    await expect.poll(async () => (await printer(page)).jobs.length).toBe(2)
    await expect.poll(report).toMatchObject({ printer: 'ok' })
  })

  test('what is changed in the console shows on the machine at its next look', async () => {
    const { page, kioskId, device } = await aKiosk({ languages: ['fr', 'en'] })
    expect(device).toMatchObject({ kiosk_id: kioskId, site_id })
    const [first, second] = bank.queues
    const press = async (keys: string) => {
      for (const key of keys) await page.click(`.keypad button:text-is("${key}")`)
    }
    const person = async (number: string) =>
      (
        await server.owner(
          `select c.phone, c.locale, c.consents from tickets t left join customers c on c.tenant_id = t.tenant_id and c.id = t.customer_id
           where t.number = $1 order by t.id desc limit 1`,
          [number],
        )
      )[0]
    /** Read once a minute. */
    const change = async (changes: object, seen: string) => {
      await run(admin, 'PATCH', `/kiosks/${kioskId}/`, changes)
      await page.clock.runFor(66_000)
      await page.waitForSelector(seen)
    }
    expect(await page.locator('.language').count()).toBe(2)
    // Control: as it is made, it offers all lines, shows waits and a code, and asks for nothing.
    await choose(page, 'en')
    expect(await page.locator('.tile').count()).toBe(bank.queues.length)
    await take(page)
    expect([await page.locator('.ticket .qr').count(), await page.locator('.ticket .wait').count()]).toEqual([1, 1])
    await page.click('[data-kind=primary]')

    const asking = { asks_phone: true, shows_qr: false, show_wait: false }
    await change({ queue_ids: [second!.id], settings: { languages: ['fr'], ...asking } }, '.language:only-child')
    await choose(page)
    expect(await page.innerText('.tile')).toContain('Service B')
    expect(await page.locator('.tile').count()).toBe(1)
    await page.click('.tile')
    await page.waitForSelector('[data-step=phone]')
    await press('123456')
    await page.click('.choices > [data-kind=primary]')
    await page.waitForSelector('[role=alert]:not([hidden])')
    expect(await page.innerText('[role=alert]')).toMatch(/téléphone n’est pas valide/)
    for (let n = 0; n < 6; n++) await page.click('[data-erase]')
    await press('0612345678')
    await page.click('.choices > [data-kind=primary]')
    await page.waitForSelector('[data-number]')
    const told = (await page.getAttribute('[data-number]', 'data-number'))!
    expect(await person(told)).toEqual({ phone: '+33612345678', locale: 'fr', consents: { sms: true } })
    expect([await page.locator('.ticket .qr').count(), await page.locator('.ticket .wait').count()]).toEqual([0, 0])
    await page.click('[data-kind=primary]')
    expect(await page.content()).not.toContain('12345678')
    // Nobody has to.
    await choose(page)
    await page.click('.tile')
    await page.click('[data-skip]')
    await page.waitForSelector('[data-number]')
    const silent = (await page.getAttribute('[data-number]', 'data-number'))!
    expect(await person(silent)).toMatchObject({ phone: null })
    await page.click('[data-kind=primary]')

    // Switched off before it looked again: the server refuses, and the machine tells everybody.
    await choose(page)
    await page.click('.tile')
    await run(admin, 'PATCH', `/kiosks/${kioskId}/`, { is_active: false })
    await page.click('[data-skip]')
    await page.waitForSelector('[data-off]')
    expect(await page.locator('button').count()).toBe(0)
    expect(await violations(page)).toEqual([])
    await change({ is_active: true, queue_ids: [first!.id] }, '.language')
    // The house's name and colour are read with the lines.
    const [house] = await server.owner<{ name: string }>('select name from tenants where id = $1', [bank.tenant.id])
    await giveLogo(machines)
    await run(admin, 'PATCH', '/', { name: 'Ville de Lyon', brand_colour: '#6A2C91' })
    await expect
      .poll(async () => {
        await page.clock.runFor(6000)
        return [
          await page.innerText('.house'),
          await page.evaluate('getComputedStyle(document.documentElement).getPropertyValue("--primary").trim()'),
        ]
      })
      .toEqual(['Ville de Lyon', '#6A2C91'])
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>('.house .logo')!.naturalWidth > 0)
    await run(admin, 'PATCH', '/', { name: house!.name, brand_colour: null, logo_media_id: null })
  })

  testStaffCorner(machines)
  testClosed(machines)

  test('a machine is installed as an app of its own', async () => {
    const { page, context } = await aKiosk()
    const debug = await context.newCDPSession(page)
    const { errors, data } = await debug.send('Page.getAppManifest')
    expect(errors).toEqual([])
    expect(JSON.parse(data!)).toMatchObject({ start_url: '/kiosk', display: 'fullscreen' })
    expect((await fetch(`${url}/icon.svg`)).headers.get('content-type')).toContain('svg')
  })

  test('K6 no menu, no selection, no zoom, no field, no link', async () => {
    const { page } = await aKiosk()
    await choose(page)
    const held = await page.evaluate(() =>
      ['contextmenu', 'dragstart', 'selectstart'].map(
        (type) => !document.body.dispatchEvent(new Event(type, { bubbles: true, cancelable: true })),
      ),
    )
    expect(held).toEqual([true, true, true])
    const isZoomHeld = await page.evaluate(
      () => !dispatchEvent(new WheelEvent('wheel', { ctrlKey: true, cancelable: true })),
    )
    expect(isZoomHeld).toBe(true)
    expect(await page.evaluate('getComputedStyle(document.body).userSelect')).toBe('none')
    expect(await page.locator('a, input, textarea, select').count()).toBe(0)
  })

  test('an appointment is checked in by its code, on keys of the screen; a wrong one says so', async () => {
    const queue_id = bank.queues[0]!.id
    await server.owner(
      `insert into appointments (tenant_id, site_id, queue_id, service_id, status, start_at, end_at, busy_from, busy_until, day, channel, code)
       select q.tenant_id, q.site_id, q.id, q.service_id, 'booked', now(), now() + interval '10 min', now(), now() + interval '10 min',
         (now() at time zone s.timezone)::date, 'web', '424242'
       from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id where q.id = $1`,
      [queue_id],
    )
    const { page } = await aKiosk()
    await page.click('[data-check-in=ar]')
    await page.waitForSelector('[data-step=check-in]')
    expect(await page.getAttribute('html', 'dir')).toBe('rtl')
    expect(await violations(page)).toEqual([])
    await page.click('.bare')
    await choose(page)
    await page.click('[data-check-in]')
    const type = async (code: string) => {
      for (const digit of code) await page.click(`.keypad button:text-is("${digit}")`)
      await page.click('.choices > [data-kind=primary]')
    }
    await type('9999')
    await page.waitForSelector('[role=alert]:not([hidden])')
    for (let n = 0; n < 4; n++) await page.click('.choices > .button:nth-of-type(2)')
    await type('424242')
    await page.waitForSelector('[data-number]')
  })

  test.each(['fr', 'ar'])('X1 X4 X8 every step is accessible and in its language: %s', async (language) => {
    const { page } = await aKiosk({ prints: true, asks_phone: true }, { reducedMotion: 'reduce' })
    const isSound = async () => {
      expect(await violations(page)).toEqual([])
      const text = await page.innerText('body')
      expect(text).not.toMatch(/undefined|NaN|\b(?:kiosk|ui|errors)\.[a-z]/)
      const small = await page.$$eval('button', (buttons) =>
        buttons
          .filter((button) => button.getBoundingClientRect().height < 48)
          .map((button) => button.outerHTML.slice(0, 80)),
      )
      expect(small).toEqual([])
      expect(await page.evaluate('document.getAnimations().length')).toBe(0)
      return text
    }
    await isSound()
    await choose(page, language)
    expect(await isSound()).toMatch(language === 'ar' ? /اختر/ : /Choisissez/)
    await page.click('.tile')
    await page.waitForSelector('[data-step=phone]')
    expect(await isSound()).toContain('STOP')
    await page.click('[data-skip]')
    await page.waitForSelector('[data-number]')
    const ticket = await isSound()
    if (language === 'ar') expect(ticket).not.toMatch(/Votre|Terminer|lettres/)
    await page.clock.runFor(62_000)
    await page.waitForSelector('.idle')
    await isSound()
  })
})
