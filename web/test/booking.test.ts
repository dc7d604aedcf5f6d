import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterEach, describe, expect, test } from 'vitest'
import { hashToken, newVisitorToken } from '../../server/kernel/ids.ts'
import { hasBrowser, startSite, violations } from './site.ts'

describe.runIf(hasBrowser)('appointments', async () => {
  const site = await startSite({ queues: 2 })
  const { bank, run, url, server } = site
  const [service, email] = bank.services.map(({ id }) => id) as [number, number]
  const [queue_id, emailQueue] = bank.queues.map(({ id }) => id) as [number, number]
  await run(bank.admin, 'POST', '/booking-settings/', { queue_id, duration_seconds: 3600, lead_seconds: 0 })
  await run(bank.admin, 'POST', '/booking-settings/', { queue_id: emailQueue, capacity: 3, confirmation: 'email' })
  const HOURS = { weekly: Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((day) => [day, [['08:00', '18:00']]])) }
  const hours = (opening_hours: object) => run(bank.admin, 'PATCH', `/sites/${bank.sites[0]!.id}/`, { opening_hours })
  await hours(HOURS)
  // One test books more than strangers of one address are let without work.
  await server.owner(`update tenants set take_challenge = 'never'`)
  afterEach(site.closeAll)
  const bookPath = (lang = 'fr') => `/site/demo/site-1/book/${service}?lang=${lang}`
  const open = (path: string, options: BrowserContextOptions = {}) =>
    site.open(path, { timezoneId: 'Europe/Paris', ...options })
  /** With the grid in the hands of the keyboard. */
  async function openGrid(lang = 'fr', options: BrowserContextOptions = {}) {
    const { page, ...rest } = await open(bookPath(lang), options)
    await page.waitForSelector('[role=grid]')
    return { page, ...rest }
  }
  const today = () => Temporal.Now.plainDateISO('Europe/Paris')
  async function times(days = 3) {
    const day = today().add({ days }).toString()
    const { services } = await run(
      bank.admin,
      'GET',
      `/slots/?site=${bank.sites[0]!.id}&service=${service}&from=${day}&to=${day}`,
    )
    return (services as { days: { slots: { start_at: string }[] }[] }[])[0]!.days[0]!.slots.map(
      ({ start_at }) => start_at,
    )
  }
  const book = async (days = 3, more: object = {}) =>
    run(bank.admin, 'POST', '/appointments/', { queue_id, start_at: (await times(days))[0], language: 'fr', ...more })
  const statusOf = async (id: unknown) =>
    (await run(bank.admin, 'GET', `/appointments/${String(id)}/`))['status'] as string
  const focused = (page: Page) => page.evaluate('document.activeElement.dataset.day') as Promise<string>
  const plus = (day: string, days: number) => Temporal.PlainDate.from(day).add({ days }).toString()

  /** Presses a key and waits until another day has the focus. */
  async function press(page: Page, key: string) {
    const before = await focused(page)
    await page.keyboard.press(key)
    await page.waitForSelector(`[data-day]:focus:not([data-day="${before}"])`)
    return focused(page)
  }

  test('V14 the month is walked by arrows, Home, End, Page Up and Page Down, and a day chosen by Enter', async () => {
    const { page, complaints } = await openGrid()
    await page.locator('[data-day][tabindex="0"]').focus()
    const first = await focused(page)
    const next = await press(page, 'ArrowDown')
    expect(next).toBe(plus(first, 7))
    expect(await press(page, 'ArrowRight')).toBe(plus(first, 8))
    expect(await press(page, 'ArrowLeft')).toBe(plus(first, 7))
    await press(page, 'ArrowDown')
    const weekday = Temporal.PlainDate.from(first).dayOfWeek
    const monday = plus(first, 15 - weekday)
    if (weekday !== 1) expect(await press(page, 'Home')).toBe(monday)
    expect(await press(page, 'End')).toBe(plus(monday, 6))
    const beyond = await press(page, 'PageDown')
    const expected = Temporal.PlainDate.from(plus(monday, 6)).add({ months: 1 }).toString()
    expect(beyond).toBe(expected)
    expect(await press(page, 'PageUp')).toBe(Temporal.PlainDate.from(expected).subtract({ months: 1 }).toString())
    // Nothing lies before today, which late in the evening is not where it begins: no time is left.
    for (let i = 0; i < 3; i++) await page.keyboard.press('PageUp')
    await page.waitForSelector(`[data-day="${today()}"]:focus`)
    const chosen = await press(page, 'ArrowDown')
    const answered = page.waitForResponse(/slots/)
    await page.keyboard.press('Enter')
    await answered
    await page.waitForSelector(`[data-day="${chosen}"][aria-pressed=true]`)
    const dayText = await page.textContent('#times-title')
    expect(dayText).toContain(String(Number(chosen.slice(8))))
    const shown = await page.$$eval('[name=start_at]', (inputs) =>
      inputs.map((input) => (input as HTMLInputElement).value),
    )
    expect(shown).toHaveLength(10)
    expect(await page.locator('legend').allTextContents()).toEqual(['Matin', 'Après-midi', 'Pour qui ?'])
    // Only one day of the grid is in the order of Tab.
    expect(await page.locator('[data-day][tabindex="0"]').count()).toBe(1)
    expect(complaints).toEqual([])
  })

  test('V14 arrows go where they point in Arabic', async () => {
    const { page } = await openGrid('ar')
    await page.locator('[data-day][tabindex="0"]').focus()
    const first = await focused(page)
    expect(await press(page, 'ArrowLeft')).toBe(plus(first, 1))
    expect(await press(page, 'ArrowRight')).toBe(first)
  })

  test.each([
    ['America/New_York', true],
    ['Europe/Paris', false],
    // Another name for the same clock.
    ['Europe/Madrid', false],
  ])('V14 a reader in %s is told of the site’s zone: %s', async (timezoneId, isTold) => {
    const { page } = await openGrid('en', { timezoneId })
    await page.waitForSelector('[data-zone]', { state: isTold ? 'attached' : 'detached' })
    if (isTold) expect(await page.textContent('[data-zone]')).toContain('Europe/Paris')
    const time = await page.textContent('.time bdi')
    expect(time).toMatch(/^\d\d:00$/)
    const { public_token } = await book(14)
    const mine = await open(`/a/${String(public_token)}`, { timezoneId })
    await mine.page.waitForSelector('[data-zone]', { state: isTold ? 'attached' : 'detached' })
    expect(await mine.page.textContent('.figure')).toMatch(/^\d\d:00$/)
  })

  test.each([
    ['with', true],
    ['without', false],
  ])(
    'V14 a time that somebody else took keeps all fields and leads to the times, %s scripts',
    async (_, javaScriptEnabled) => {
      const { page } = await open(`${bookPath()}&day=${(await times(5))[0]!.slice(0, 10)}`, { javaScriptEnabled })
      const typed = {
        name: 'Samira Haddad',
        phone: '+33 6 12 34 56 78',
        email: 'samira@example.org',
        note: 'Fauteuil roulant',
      }
      for (const [name, value] of Object.entries(typed)) await page.fill(`[name=${name}]`, value)
      const wanted = page.locator('[name=start_at]').nth(2)
      const start_at = await wanted.inputValue()
      await wanted.check()
      await run(bank.admin, 'POST', '/appointments/', { queue_id, start_at })
      const [answer] = await Promise.all([page.waitForResponse(/book/), page.click('button[data-kind=primary]')])
      expect(answer.status()).toBe(409)
      await page.waitForSelector('#times-title:focus')
      expect(await page.textContent('#times [role=alert]')).toContain('plus libre')
      for (const [name, value] of Object.entries(typed)) expect(await page.inputValue(`[name=${name}]`)).toBe(value)
      expect(await page.locator(`[value="${start_at}"]`).count()).toBe(0)
      const others = page.locator('[name=start_at]')
      const instead = await others.nth(1).inputValue()
      await others.nth(1).check()
      await page.click('button[data-kind=primary]')
      await page.waitForURL('**/a/**')
      const { results } = await run(bank.admin, 'GET', '/appointments/?status=booked&limit=200')
      expect((results as { start_at: string }[]).filter((each) => each.start_at === instead)).toHaveLength(1)
    },
  )

  test('V14 opening any link changes nothing; buttons move, and cancel after one has said so', async () => {
    const { id, public_token, start_at: booked } = await book(8)
    const path = `/a/${String(public_token)}`
    for (const each of ['', '/', '/move', '/act', '/act?act=cancel', '/move?start_at=2030-01-01T00:00:00Z'])
      await fetch(url + path + each, { headers: { accept: 'text/html' } })
    expect(await statusOf(id)).toBe('booked')
    const { page } = await open(path, { javaScriptEnabled: false })
    expect(await page.getAttribute('meta[name=robots]', 'content')).toBe('noindex')
    const file = await fetch(url + (await page.getAttribute('[download]', 'href'))!)
    expect(await file.text()).toContain('BEGIN:VEVENT')
    await page.click(`a[href^="${path}/move"]`)
    // A whole day: late in the evening little is left of the first one.
    await page.goto(`${url}${path}/move?lang=fr&day=${String(booked).slice(0, 10)}`)
    const other = page.locator('[name=start_at]').nth(3)
    const start_at = await other.inputValue()
    await other.check()
    await page.click('button[data-kind=primary]')
    await page.waitForURL(`**${path}?**`)
    expect(await run(bank.admin, 'GET', `/appointments/${String(id)}/`)).toMatchObject({ start_at, sequence: 1 })
    expect(await page.isVisible('button.danger')).toBe(false)
    await page.click('.cancel summary')
    expect(await statusOf(id)).toBe('booked')
    await page.click('button.danger')
    await page.waitForSelector('[data-status=cancelled]')
    expect(await statusOf(id)).toBe('cancelled')
    // A form of another site is refused.
    const foreign = await fetch(`${url}${path}/act`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: 'act=cancel',
    })
    expect(foreign.status).toBe(403)
  })

  test('what is booked by e-mail is confirmed by the link that was sent there, and by no other', async () => {
    const { page } = await open(`/site/demo/site-1/book/${email}?lang=fr`, { javaScriptEnabled: false })
    await page.locator('[name=start_at]').first().check()
    await page.fill('[name=name]', 'Samira Haddad')
    await page.fill('[name=email]', 'samira@example.org')
    await page.click('button[data-kind=primary]')
    await page.waitForSelector('[data-status=held]')
    expect(await page.locator('[value=confirm]').count()).toBe(0)
    const [row] = await server.owner<{ id: number }>(`select id from appointments where queue_id = $1`, [emailQueue])
    // As the message carries it: a link of that purpose.
    const { newLink } = await import('../../server/modules/appointments/index.ts')
    const token = await server.runtime.db.tenant(bank.tenant.id, (tx) =>
      newLink(tx, bank.tenant.id, row!.id, 'confirm'),
    )
    const mailed = await open(`/a/${token}`, { javaScriptEnabled: false })
    expect(await statusOf(row!.id)).toBe('held')
    await mailed.page.click('form:has([value=confirm]) button')
    await mailed.page.waitForSelector('[data-status=booked]')
    expect(await statusOf(row!.id)).toBe('booked')
  })

  test('who finds nothing joins the waiting list, and leaves it', async () => {
    const day = (await times(13))[0]!.slice(0, 10)
    const { page } = await open(`${bookPath()}&day=${day}`)
    const join = async () => {
      await page.click('.wait summary')
      await page.fill('[name=from_day]', day)
      await page.fill('[name=to_day]', day)
      await page.fill('.wait [name=name]', 'Samira Haddad')
      await page.fill('.wait [name=email]', 'wait@example.org')
      await page.click('.wait button')
    }
    await join()
    // A day with a free time is not waited for.
    expect(await page.textContent('[role=alert]')).toContain('horaire libre')
    for (const start_at of await times(13)) await run(bank.admin, 'POST', '/appointments/', { queue_id, start_at })
    await page.goto(`${url}${bookPath()}&day=${day}`)
    await join()
    await page.waitForSelector('[data-status=unconfirmed]')
    expect(await violations(page)).toEqual([])
    const [sent] = await server.owner<{ id: number; tenant_id: number }>(
      'select id, tenant_id from appointment_waiters',
    )
    const link = newVisitorToken(sent!.tenant_id)
    await server.owner('update appointment_waiters set confirm_hash = $1', [hashToken(link)])
    await page.goto(`${url}/w/${link}?lang=fr`)
    await page.click('form [value=confirm]')
    await page.waitForSelector('[data-status=waiting]')
    expect(await violations(page)).toEqual([])
    await page.click('form button')
    await page.waitForSelector('[data-status=left]')
  })

  test('a secret that opens nothing is not found', async () => {
    const { public_token } = await book(9)
    const wrong = [`${String(public_token).slice(0, -2)}zz`, 'x', '1-0000000000000000000000']
    for (const each of wrong) expect((await fetch(`${url}/a/${each}`)).status).toBe(404)
  })

  const PAGES: Record<string, () => Promise<string>> = {
    services: async () => '/site/demo/site-1/book?',
    book: async () => `/site/demo/site-1/book/${email}?`,
    'a month without a time': async () => {
      await hours({ weekly: {} })
      return `/site/demo/site-1/book/${service}?`
    },
    booked: async () => `/a/${String((await book(10))['public_token'])}?`,
    move: async () => `/a/${String((await book(11))['public_token'])}/move?`,
  }
  test.each(Object.keys(PAGES))(
    'X1 X2 X3 X4 X9 %s: accessible, whole on 320 px, big enough to tap, in its language',
    async (name) => {
      await hours(HOURS)
      const path = await PAGES[name]!()
      for (const lang of ['fr', 'ar']) {
        const { page, complaints } = await open(`${path}&lang=${lang}`, { timezoneId: 'Asia/Tokyo' })
        if ((await page.locator('table').count()) > 0) await page.waitForSelector('[role=grid]')
        expect(await page.getAttribute('html', 'dir')).toBe(lang === 'ar' ? 'rtl' : 'ltr')
        expect(await violations(page)).toEqual([])
        expect(complaints).toEqual([])
        const small = await page.$$eval('button:not([data-day]), summary, a, .time, .field input', (elements) =>
          elements
            .filter((element) => element.checkVisibility())
            .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()] as const)
            .filter(([, box]) => box.width < 48 || box.height < 48)
            .map(([html, box]) => `${html} ${box.width}×${box.height}`),
        )
        expect(small).toEqual([])
        // Seven of 48 px do not fit beside each other on the narrowest phones.
        const days = await page.$$eval('[data-day]', (cells) => cells.map((cell) => cell.getBoundingClientRect()))
        expect(days.filter(({ width, height }) => width < 47 || height < 48)).toEqual([])
        await page.setViewportSize({ width: 320, height: 640 })
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
        const text = await page.innerText('#app')
        expect(text).not.toMatch(/undefined|NaN|\b(?:booking|ui|errors|fields)\.[a-z]/)
        if (lang === 'ar') expect(text).not.toMatch(/horaire|rendez-vous|Annuler|facultatif/i)
      }
    },
  )
})
