import type { Page } from 'playwright-core'
import { afterEach, describe, expect, test } from 'vitest'
import { hasBrowser, startSite, violations, type OpenPage, type TestSite } from './site.ts'

/** Playwright's own way of waiting makes code from text in the page, which the policy refuses. */
async function until(page: Page, expression: string) {
  await expect.poll(() => page.evaluate(`Boolean(${expression})`), { timeout: 20_000 }).toBe(true)
}
const isArabic = (text: string) => /\p{Script=Arabic}/u.test(text)

describe.runIf(hasBrowser)('a visitor’s phone', async () => {
  const site: TestSite = await startSite({ queues: 3, agents: 2, counters: 2 })
  const { bank, server, run, act } = site
  const opened: OpenPage[] = []
  const open: TestSite['open'] = async (...given) => {
    const page = await site.open(...given)
    opened.push(page)
    return page
  }
  await server.owner(
    `update services set names = jsonb_build_object('fr', 'Service ' || code, 'en', 'Service ' || code, 'ar', 'خدمة ' || code)`,
  )
  await server.owner(`update counters set hint = 'À gauche' where tenant_id = $1`, [bank.tenant.id])
  await server.owner(`update queues set no_show_after_seconds = 120, recall_gap_seconds = 0`)

  /** Settings are changed as an administrator does it: what the server keeps of them must notice. */
  const changes = new Set<string>()
  const queue = (n: number, settings: object) => (
    changes.add('queue'),
    run(bank.admin, 'PATCH', `/queues/${bank.queues[n]!.id}/`, settings)
  )
  const hours = (opening_hours: object | null) => (
    changes.add('site'),
    run(bank.admin, 'PATCH', `/sites/${bank.sites[0]!.id}/`, { opening_hours })
  )

  /** Empties the branch: the next test starts with nobody waiting. */
  afterEach(async () => {
    for (const { context } of opened.splice(0)) await context.close()
    await run(bank.admin, 'POST', '/tickets/close-day/', { today: true })
    for (const [n, agent] of bank.agents.entries())
      await run(bank.agentActors[n]!, 'POST', `/agents/${agent.id}/set-status/`, {
        status: 'available',
        counter_id: agent.counter_id,
      })
    if (changes.size > 0) {
      changes.clear()
      await hours(null)
      await queue(0, { is_active: true, grace_seconds: 600 })
      await queue(2, { grace_seconds: 600 })
    }
  })
  const pathOf = (ticket: Record<string, unknown>, lang = 'fr') => `/t/${String(ticket['public_token'])}/?lang=${lang}`
  const take = (queue = 0, more: object = {}) => site.take(queue, more)
  /** Takes and calls a ticket of the second line, which nobody else waits in. */
  async function called(lang = 'fr') {
    const ticket = await take(1)
    const page = await open(pathOf(ticket, lang))
    await page.page.waitForSelector('[aria-live=polite]', { state: 'attached' })
    await site.callNext(0)
    await page.page.waitForSelector('[data-state=called]')
    return { ...page, ticket }
  }
  async function openSheets(page: Page) {
    await page.click('.delay summary')
    await page.click('[aria-expanded]')
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
    const small = await page.$$eval('button, summary, .line, .check, a, textarea, input[name=number]', (elements) =>
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
    await page.waitForSelector('[data-ahead="1"]', { timeout: 20_000 })
    await page.waitForSelector('[data-stale]', { state: 'detached' })
  })

  test('X8 nothing moves for whoever asked for it', async () => {
    const { page } = await open('/site/demo/site-1', { reducedMotion: 'reduce' })
    expect(await page.evaluate('document.getAnimations().length')).toBe(0)
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
    expect(await page.title()).toMatch(/^B-\d{3} → Counter 1$/)
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
    const { page, context } = await open(pathOf(await take()))
    await page.evaluate('navigator.serviceWorker.ready.then(() => {})')
    await until(page, 'navigator.serviceWorker.controller')
    // The worker keeps what it has seen pass.
    await page.reload()
    await page.waitForSelector('[aria-expanded]')
    await context.setOffline(true)
    await page.reload()
    expect(await page.textContent('.number')).toMatch(/A-\d{3}/)
    expect(await page.textContent('[data-stale=offline]')).toMatch(/\d\d:\d\d/)
    await page.click('form:has([value=leave]) button')
    await page.waitForSelector('[role=alert]')
    expect(await page.textContent('[role=alert]')).toContain('rien n’a été envoyé')
    await context.setOffline(false)
    await page.waitForSelector('[data-stale]', { state: 'detached', timeout: 20_000 })
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
    for (const [n, agent] of bank.agents.entries())
      await run(bank.agentActors[n]!, 'POST', `/agents/${agent.id}/set-status/`, { status: 'offline' })
    await page.waitForSelector('[data-range=none]')
    expect(await page.textContent('[data-range]')).toBe('Nous ne pouvons pas donner d’heure pour le moment.')
  })

  test('V12 nothing is asked before a tap; refused or on an iPhone the page itself can ring', async () => {
    const ticket = await take()
    const { page, context } = await open(pathOf(ticket))
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
    await context.close()

    const userAgent =
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1'
    const { page: iphone } = await open(pathOf(ticket), { userAgent })
    await iphone.click('[aria-expanded]')
    expect(await iphone.isVisible('text=Cette page sonne')).toBe(true)
    expect(await iphone.isVisible('text=Notification sur ce téléphone')).toBe(false)
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
    await server.owner(`update queue_states set status = 'open'`)
    await server.owner(`update queues set max_capacity = null`)
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

  test('a finished visit is rated once, and can be forgotten', async () => {
    const page = await STATES['done']!('fr')
    await page.fill('textarea', 'Très aimable')
    await page.click('[name=rating][value="5"]')
    await page.waitForSelector('text=votre avis est enregistré')
    await page.click('form:has([value=erase]) button')
    await page.waitForSelector('text=Vos données sont effacées')
  })
})
