import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { hasBrowser, violations } from './site.ts'
import { aBranch } from './visitor-branch.ts'

/** Playwright's own way of waiting makes code from text in the page, which the policy refuses. */
async function until(page: Page, expression: string) {
  await expect.poll(() => page.evaluate(`Boolean(${expression})`)).toBe(true)
}
const isArabic = (text: string) => /\p{Script=Arabic}/u.test(text)

describe.runIf(hasBrowser)('a visitor’s phone', async () => {
  const { site, open, pathOf, take, offerTomorrow, queue, hours } = await aBranch()
  const { bank, server, run, act } = site

  test('X7 events missed while the line was cut come after it, without a reload', async () => {
    await take()
    await take()
    const { page, context } = await open(pathOf(await take()))
    await page.waitForSelector('[data-ahead="2"]')
    await context.setOffline(true)
    await page.waitForSelector('[data-stale=offline]')
    for (let n = 0; n < 10; n++) {
      const other = await take(2)
      await run(bank.admin, 'POST', `/tickets/${String(other['id'])}/cancel/`, {})
    }
    const first = await site.callNext()
    await act('start', first['id'] as number)
    await context.setOffline(false)
    await page.waitForSelector('[data-ahead="1"]')
    await page.waitForSelector('[data-stale]', { state: 'detached' })
  })

  test('V1 from the scanned code to a number in two taps', async () => {
    const { page } = await open('/site/demo/site-1')
    await page.click('.line')
    await page.click('.take [data-kind=primary]')
    await page.waitForSelector('.number')
    expect(await page.textContent('.number')).toContain('A-')
  })

  test('V2 without scripts the page has all there is to know, and every button works', async () => {
    await take()
    const { page } = await open('/site/demo/site-1', { javaScriptEnabled: false })
    await page.click('.line')
    await page.click('.take [data-kind=primary]')
    const text = await page.innerText('main')
    expect(text).toMatch(/A-\d{3}/)
    expect(text).toMatch(/quelques minutes|\d+–\d+ min/)
    expect(text).toContain('1 personne avant vous')
    await page.click('form:has([value=leave]) button')
    expect(await page.innerText('main')).toContain('Vous avez quitté la file')
    await page.click('form:has([value=undo]) button')
    expect(await page.getAttribute('main', 'data-state')).toBe('waiting')
  })

  test('a phone number that is none is named, and nothing that was chosen is lost', async () => {
    for (const javaScriptEnabled of [true, false]) {
      const { page } = await open('/site/demo/site-1', { javaScriptEnabled })
      await page.click('.line:nth-of-type(2)')
      await page.click('.needs summary')
      await page.check('[value=sight]')
      await page.fill('[name=phone]', '12')
      await page.click('.take [data-kind=primary]')
      expect(await page.innerText('[role=alert]')).toContain('Ce numéro de téléphone n’est pas valide')
      expect(await page.isChecked('.line:nth-of-type(2) input')).toBe(true)
      expect(await page.isChecked('[value=sight]')).toBe(true)
      expect(await page.inputValue('[name=phone]')).toBe('12')
    }
  })

  test('a flood’s puzzle is solved by the phone by itself; without scripts the page says where else to go', async () => {
    await run(bank.admin, 'PATCH', '/', { take_challenge: 'always' })
    try {
      const pressed = async (options: object) => {
        const { page, complaints } = await open('/site/demo/site-1', options)
        await page.click('.line:nth-of-type(2)')
        await page.click('.take [data-kind=primary]')
        return { page, complaints }
      }
      // Requests know the change within a second.
      const ask = () =>
        fetch(`${site.url}/api/v1/public/demo/tickets/`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ queue_id: bank.queues[2]!.id, channel: 'web' }),
        })
      await expect.poll(async () => (await ask()).status).toBe(403)
      const plain = await pressed({ javaScriptEnabled: false })
      expect(await plain.page.innerText('main')).toContain('Beaucoup de tickets')
      const { page } = await pressed({})
      await page.waitForSelector('.number')
      expect(await page.textContent('.number')).toContain('B-')
    } finally {
      await run(bank.admin, 'PATCH', '/', { take_challenge: 'automatic' })
    }
  })

  test('V4 a call fills the screen, rings, shakes and is said once', async () => {
    const ticket = await take(1)
    const { page } = await open(pathOf(ticket))
    await page.evaluate(() => {
      const heard = { rings: 0, shakes: 0, said: [] as string[] }
      Object.assign(globalThis, { heard })
      HTMLMediaElement.prototype.play = function () {
        if (!this.muted) heard.rings++
        return Promise.resolve()
      }
      navigator.vibrate = () => (heard.shakes++, true)
      new MutationObserver(() => {
        const text = document.querySelector('[aria-live=assertive]')?.textContent
        if (text) heard.said.push(text)
      }).observe(document.body, { childList: true, subtree: true })
    })
    await page.click('[aria-expanded]')
    await page.click('.choice')
    await site.callNext(0)
    await page.waitForSelector('[data-state=called]')
    await until(page, 'heard.said.length > 0')
    expect(await page.title()).toMatch(/^B-\d{3} → Guichet 1$/)
    await page.waitForSelector('text=À gauche')
    const heard = (await page.evaluate('heard')) as { rings: number; shakes: number; said: string[] }
    expect(heard).toMatchObject({ rings: 1, shakes: 1 })
    expect(new Set(heard.said).size).toBe(1)
    await act('recall', ticket['id'] as number)
    await until(page, 'heard.rings === 2')
  })

  test('V5 the same browser comes back to the same ticket, from the code and from paper', async () => {
    const { page, context } = await open('/site/demo/site-1')
    await page.click('.line')
    await page.click('.take [data-kind=primary]')
    await page.waitForSelector('.number')
    const address = new URL(page.url()).pathname
    const [, number, check] = /(A-\d+).*?(\w\w)$/m.exec(await page.innerText('.small >> nth=-1'))!
    await page.reload()
    expect(new URL(page.url()).pathname).toBe(address)

    const again = await context.newPage()
    await again.goto(`${site.url}/site/demo/site-1`)
    expect(await again.getAttribute('.own', 'href')).toContain(address)
    await again.click('.line')
    await again.click('.take [data-kind=primary]')
    await again.waitForSelector('.number')
    expect(new URL(again.url()).pathname).toBe(address)

    const { page: elsewhere } = await open('/site/demo/site-1/find')
    await elsewhere.fill('[name=number]', number!)
    await elsewhere.fill('[name=check]', check!.toLowerCase())
    await elsewhere.click('.find button')
    await elsewhere.waitForSelector('.number')
    expect(await elsewhere.textContent('.number')).toContain(number)
  })

  test('V6 without a network the ticket stays, says since when, and refuses what it cannot send', async () => {
    const { page, context } = await open(pathOf(await take()), { hasWorker: true })
    await page.evaluate('navigator.serviceWorker.ready.then(() => {})')
    await until(page, 'navigator.serviceWorker.controller')
    // The worker keeps what it has seen pass.
    await page.reload()
    await page.waitForSelector('[aria-expanded]')
    // It can be put on the home screen, where an iPhone may be notified; what is installed is this very ticket.
    const debug = await context.newCDPSession(page)
    const { errors, data } = await debug.send('Page.getAppManifest')
    await debug.detach()
    expect(errors).toEqual([])
    const manifest = JSON.parse(data!) as Record<string, unknown>
    expect(manifest).toMatchObject({ scope: '/t/', display: 'standalone', short_name: 'SmartQueue' })
    expect(manifest).not.toHaveProperty('start_url')
    await context.setOffline(true)
    await page.reload()
    expect(await page.textContent('.number')).toMatch(/A-\d{3}/)
    // Not every browser says that it is offline; then the silence is noticed.
    expect(await page.textContent('[data-stale]')).toMatch(/\d\d:\d\d/)
    await page.click('form:has([value=leave]) button')
    await page.waitForSelector('[role=alert]')
    expect(await page.textContent('[role=alert]')).toContain('rien n’a été envoyé')
    await context.setOffline(false)
    await page.waitForSelector('[data-stale]', { state: 'detached' })
  })

  test('V7 who missed the call comes back to the second place; too late, a new number for the same service', async () => {
    for (let n = 0; n < 3; n++) await take(1)
    const ticket = await take(0)
    const { page } = await open(pathOf(ticket))
    await site.run(bank.agentActors[0]!, 'POST', `/tickets/${String(ticket['id'])}/call/`, {
      agent_id: bank.agents[0]!.id,
    })
    await page.waitForSelector('[data-state=called]')
    for (let n = 0; n < 3; n++) await take(0)
    await act('no-show', ticket['id'] as number)
    await page.waitForSelector('text=/Votre place est gardée jusqu’à \\d\\d:\\d\\d/')
    await page.click('form:has([value=here]) button')
    await page.waitForSelector('[data-ahead="1"]')

    const late = await take(2)
    const { page: other } = await open(pathOf(late))
    await site.run(bank.agentActors[0]!, 'POST', `/tickets/${String(late['id'])}/call/`, {
      agent_id: bank.agents[0]!.id,
    })
    await other.waitForSelector('[data-state=called]')
    await queue(2, { grace_seconds: 0 })
    await act('no-show', late['id'] as number)
    await other.waitForSelector('text=Le délai est passé')
    await other.click('form:has([name=queue_id]) button')
    await other.waitForURL((url) => !url.pathname.includes(String(late['public_token'])))
    expect(await other.textContent('.number')).toContain('C-')
  })

  test('V8 leaving shortens the line for others; taking it back restores the place', async () => {
    const mine = await take()
    const { page } = await open(pathOf(mine))
    const { page: behind } = await open(pathOf(await take()))
    await behind.waitForSelector('[data-ahead="1"]')
    await page.click('form:has([value=leave]) button')
    await behind.waitForSelector('[data-ahead="0"]')
    await page.click('form:has([value=undo]) button')
    await page.waitForSelector('[data-ahead="0"]')
    await behind.waitForSelector('[data-ahead="1"]')
    expect(await behind.getAttribute('[data-reason]', 'data-reason')).toMatch(/^reason_/)
  })

  test('V9 letting three pass moves three places, with the reason; nobody rises without one', async () => {
    const { page } = await open(pathOf(await take()))
    for (let n = 0; n < 4; n++) await take()
    await page.click('.delay summary')
    await page.click('form:has([name=places][value="3"]) button')
    await page.waitForSelector('[data-ahead="3"]')
    expect(await page.getAttribute('[data-reason]', 'data-reason')).toBe('reason_own')

    const { page: other } = await open(pathOf(await take()))
    const last = await take()
    await other.waitForSelector('[data-ahead="5"]')
    await run(bank.admin, 'POST', `/tickets/${String(last['id'])}/move/`, { after_id: null, reason: 'with a baby' })
    await other.waitForSelector('[data-ahead="6"]')
    expect(await other.getAttribute('[data-reason]', 'data-reason')).toBe('reason_moved')
  })

  test('V10 a transfer keeps number and arrival, shows the new line and says why', async () => {
    const ticket = await take()
    const { page } = await open(pathOf(ticket))
    await page.waitForSelector('.number [data-line=a]')
    await run(bank.admin, 'POST', `/tickets/${String(ticket['id'])}/transfer/`, { queue_id: bank.queues[1]!.id })
    await page.waitForSelector('.number [data-line=b]')
    expect(await page.textContent('.number .code')).toMatch(/^A-/)
    expect(await page.textContent('[data-reason=reason_new_line]')).toContain('Service B')
  })

  test('V11 a range has two ends, and disappears when nobody serves', async () => {
    for (let n = 0; n < 6; n++) await take()
    const { page } = await open(pathOf(await take()))
    const range = (await page.getAttribute('[data-range]', 'data-range'))!.split('-').map(Number)
    expect(range[0]).toBeLessThan(range[1]!)
    expect(await page.textContent('[data-range]')).toMatch(/^\d+–\d+\smin$/)
    // Why it jumped, when it did, in the reader's language; an event of the line lets the page read it.
    const forecast = JSON.stringify({ agents_open: 1, reason: 'counter_closed', points: [[0, 900, 1500, 2700]] })
    await server.owner('update queue_states set forecast = $2 where queue_id = $1', [bank.queues[0]!.id, forecast])
    const { page: arabic } = await open(pathOf(await take(), 'ar'))
    expect(isArabic((await arabic.textContent('[data-why=counter_closed]'))!)).toBe(true)
    for (const [n, agent] of bank.agents.entries())
      await run(bank.agentActors[n]!, 'POST', `/agents/${agent.id}/set-status/`, { status: 'offline' })
    await page.waitForSelector('[data-range=none]')
    expect(await page.textContent('[data-range]')).toBe('Nous ne pouvons pas donner d’heure pour le moment.')
  })

  test('V12 nothing is asked before a tap; refused or on an iPhone the page itself can ring', async () => {
    const ticket = await take()
    const { page, close } = await open(pathOf(ticket), { hasWorker: true })
    await page.evaluate(() => {
      const asked = { permission: 'denied' as NotificationPermission, times: 0 }
      Object.assign(globalThis, { asked })
      Notification.requestPermission = () => (asked.times++, Promise.resolve(asked.permission))
      const subscription = {
        toJSON: () => ({
          endpoint: 'https://fcm.googleapis.com/x',
          keys: { p256dh: 'k'.repeat(87), auth: 'a'.repeat(22) },
        }),
      }
      PushManager.prototype.subscribe = () => Promise.resolve(subscription as unknown as PushSubscription)
    })
    await page.click('[aria-expanded]')
    expect(await page.evaluate('asked.times')).toBe(0)
    await page.click('text=Notification sur ce téléphone')
    await page.waitForSelector('text=Les notifications sont refusées')
    expect(await page.isVisible('text=Cette page sonne')).toBe(true)
    await page.evaluate('asked.permission = "granted"')
    await page.click('text=Notification sur ce téléphone')
    await page.waitForSelector('text=Vous recevrez une notification')
    const rows = await server.owner('select endpoint from push_subscriptions where ticket_id = $1', [ticket['id']])
    expect(rows).toEqual([{ endpoint: 'https://fcm.googleapis.com/x' }])
    await close()

    const userAgent =
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1'
    const { page: iphone } = await open(pathOf(ticket), { userAgent, hasWorker: true })
    await iphone.click('[aria-expanded]')
    expect(await iphone.isVisible('text=Cette page sonne')).toBe(true)
    expect(await iphone.isVisible('text=Notification sur ce téléphone')).toBe(false)
  })

  test('V12 who types a number agrees to texts, and only then; a wrong one keeps the form', async () => {
    const { page } = await open('/site/demo/site-1', { javaScriptEnabled: false })
    await page.click('.line')
    await page.click('.needs summary')
    await page.fill('[name=phone]', '123')
    await page.click('.take [data-kind=primary]')
    await page.waitForSelector('[role=alert]')
    expect(await page.inputValue('[name=phone]')).toBe('123')
    await page.click('.line')
    await page.fill('[name=phone]', '+33 6 12 34 56 79')
    await page.click('.take [data-kind=primary]')
    await page.waitForSelector('.number')
    const [row] = await server.owner(
      `select c.phone, c.consents from tickets t join customers c on c.id = t.customer_id order by t.id desc limit 1`,
    )
    expect(row).toEqual({ phone: '+33612345679', consents: { sms: true } })
  })

  test('why I stand here, a word to the counter and its answer, and how I may be written to', async () => {
    const ticket = await take(0, { customer: { phone: '+33612345680' } })
    const { page } = await open(pathOf(ticket))
    await page.click('.more summary')
    await page.waitForSelector('[data-why-here] p')
    await page.fill('[name=body]', 'Où est l’ascenseur ?')
    await page.click('.write button')
    await page.waitForSelector('.said li[data-from=in] >> text=ascenseur')
    await run(bank.agentActors[0]!, 'POST', `/tickets/${String(ticket['id'])}/messages/`, { body: 'À gauche' })
    await page.waitForSelector('.said li[data-from=out] >> text=À gauche')
    await page.uncheck('.more [name=sms]')
    await page.waitForSelector('.more [role=status] >> text=noté')
    const [row] = await server.owner(`select consents from customers where phone = '+33612345680'`)
    expect(row).toEqual({ consents: { sms: false } })
  })

  test('a place of tomorrow is taken from the page, with and without scripts', async () => {
    for (const javaScriptEnabled of [true, false]) {
      const ticket = await take()
      await offerTomorrow(ticket['id'] as number)
      const { page } = await open(pathOf(ticket), { javaScriptEnabled })
      await page.click('[data-tomorrow] form:has([value=accept]) button')
      await page.waitForSelector('[data-state=cancelled] [data-tomorrow] >> text=Votre place est réservée')
      // It is not that day yet.
      await page.click('form:has([value=tomorrow_here]) button')
      await page.waitForSelector('[role=alert]')
    }
  })

  test('V13 closed, paused and full say what comes next', async () => {
    const soon = Temporal.Now.plainDateISO('Europe/Paris').add({ days: 2 }).toString()
    await hours({ weekly: {}, exceptions: [{ date: soon, intervals: [['09:00', '12:00']] }] })
    const { page } = await open('/site/demo/site-1')
    expect(await page.innerText('[data-closed]')).toMatch(/Ouverture .* à 09:00/)
    expect(await page.$('.take [data-kind=primary]')).toBeNull()
    await hours(null)
    await queue(0, { is_active: false })
    await server.owner(`update queue_states set status = 'full' where queue_id = $1`, [bank.queues[1]!.id])
    await server.owner(`update queues set max_capacity = 9 where id = $1`, [bank.queues[1]!.id])
    await page.reload()
    expect(await page.innerText('[data-status=paused]')).toContain('Demandez à l’accueil')
    expect(await page.innerText('[data-status=full]')).toContain('moins de 9')
    expect(await page.locator('[data-book]').count()).toBe(0)
    await run(bank.admin, 'POST', '/booking-settings/', { queue_id: bank.queues[0]!.id })
    await expect
      .poll(async () => {
        await page.reload()
        return page.locator('[data-book]').count()
      })
      .toBe(1)
    await page.click('[data-book]')
    expect(new URL(page.url()).pathname).toBe('/site/demo/site-1/book')
    await server.owner(`update queue_states set status = 'open'`)
    await server.owner(`update queues set max_capacity = null`)
  })

  test('V13 where numbers are given on the spot: too far, refused and near each say what comes next', async () => {
    const site = `/sites/${bank.sites[0]!.id}/`
    await run(bank.admin, 'PATCH', site, { latitude: 48.8566, longitude: 2.3522, presence_radius_metres: 300 })
    try {
      const { page, context, complaints } = await open('/site/demo/site-1', { isLast: true })
      await page.waitForSelector('[name=location]', { state: 'attached' })
      const take = async () => {
        await page.click('.line')
        await page.click('.take [data-kind=primary]')
      }
      const notice = () => page.innerText('[role=alert]')
      // The phone says nothing of where it is.
      await take()
      await expect.poll(notice).toContain('à la borne ou à l’accueil')
      // What was chosen stays chosen, whatever the page says meanwhile.
      expect(await page.locator('.line input:checked').count()).toBe(1)
      expect(await violations(page)).toEqual([])
      // Two kilometres north.
      await context.grantPermissions(['geolocation'])
      await context.setGeolocation({ latitude: 48.8746, longitude: 2.3522 })
      await take()
      await expect.poll(notice).toContain('2000 m')
      expect(await notice()).toContain('300 m')
      expect(await violations(page)).toEqual([])
      await context.setGeolocation({ latitude: 48.8576, longitude: 2.3522 })
      await take()
      await page.waitForURL(/\/t\//)
      expect(complaints.filter((text) => !text.includes('409'))).toEqual([])
      // Nothing of the place is kept.
      const [{ kept }] = (await server.owner(
        `select (select count(*) from audit_entries where operation = 'tickets.take' and details::text like '%2.352%')::int as kept`,
      )) as [{ kept: number }]
      expect(kept).toBe(0)
      const silent = await open('/site/demo/site-1', { javaScriptEnabled: false })
      await silent.page.click('.line')
      await silent.page.click('.take [data-kind=primary]')
      expect(await silent.page.innerText('[role=alert]')).toContain('300 m')
    } finally {
      await run(bank.admin, 'PATCH', site, { presence_radius_metres: null })
    }
  })

  test('V15 fonts never hold the page back, and it is readable without them', async () => {
    const { page, context } = await open('/site/demo/site-1')
    const css = await page.evaluate(async () => {
      const link = document.querySelector<HTMLLinkElement>('link[rel=stylesheet]')!
      return (await fetch(link.href)).text()
    })
    expect(css.match(/@font-face\{[^}]*\}/g)!.every((face) => face.includes('font-display:swap'))).toBe(true)
    await context.route('**/*.woff2', (route) => route.abort())
    await page.reload()
    expect(await page.isVisible('.take [data-kind=primary]')).toBe(true)
  })

  test('V16 guessed tokens all get the same answer, and pages of tickets stay out of search and of referrers', async () => {
    const ticket = await take()
    const own = await server.app.inject({ url: pathOf(ticket), headers: { accept: 'text/html' } })
    expect(own.headers['x-robots-tag']).toBe('noindex')
    expect(own.headers['referrer-policy']).toBe('no-referrer')
    const tenant = String(ticket['public_token']).split('-')[0]!
    const bodies = new Set<string>()
    const guesses = Array.from({ length: 200 }, (_, n) => `${tenant}-${n.toString(36).padStart(22, 'x')}`)
    const answers = await Promise.all(
      guesses.map((guess) => server.app.inject({ url: `/t/${guess}/`, headers: { accept: 'text/html' } })),
    )
    for (const { statusCode, body } of answers) bodies.add(`${statusCode} ${body}`)
    expect(bodies.size).toBe(1)
    expect([...bodies][0]).toMatch(/^404 /)
    expect([...bodies][0]).not.toMatch(/Demo/)
  })

  test('the form asks in the visitor’s language, and a refusal answers in it', async () => {
    const { page } = await open('/site/demo/site-1/find?lang=ar')
    await page.fill('[name=number]', 'A999')
    await page.fill('[name=check]', 'XX')
    await page.click('.find button')
    expect(isArabic((await page.textContent('[role=alert]'))!)).toBe(true)
  })
})
