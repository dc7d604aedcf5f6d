import type { Page } from 'playwright-core'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { sees, startConsoleSite } from './console-desk.ts'
import { hasBrowser, violations, violationsInTheme } from './site.ts'

const LANGUAGES = ['fr', 'ar'] as const
const NO_TEXT =
  /\b(undefined|NaN|null|\[object)\b|\b(console|ui|page|errors|ticket_status|agent_status|queue_status|channel)\.[a-z_]+/
const FRENCH = /Terminer|Rappeler|Absent|Transférer|Mettre de côté|Personne|attente|Guichet/
const RAW = /en_attente|appelé|en_service|en_pause|back_office|wrap_up/

describe.runIf(hasBrowser)('the console in every state', async () => {
  const site = await startConsoleSite()
  const { openDesk, queueUp, reset, open, run, bank, server } = site
  afterEach(site.tellFailure)
  let page: Page
  let complaints: string[]

  /** Accessible in a theme for each language, no text that is not one, nothing cut off. */
  async function isSound(language: (typeof LANGUAGES)[number]): Promise<void> {
    expect(await violationsInTheme(page, language)).toEqual([])
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
  /** What a phone answers; its ticket was taken with `public_token`. */
  const reply = (token: string, answer: string) =>
    fetch(`${site.url}/api/v1/t/${token}/reply/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reply: answer }),
    })
  const isWide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth)

  beforeAll(() =>
    run(bank.admin, 'POST', '/booking-settings/', { queue_id: bank.queues[0]!.id, lead_seconds: 0, capacity: 9 }),
  )

  describe.each(LANGUAGES)('in %s', (language) => {
    beforeAll(async () => {
      await reset()
      await run(bank.admin, 'PATCH', `/services/${bank.services[1]!.id}/`, {
        required_fields: ['outcome', 'file_number'],
      })
      const opened = await openDesk(0, { query: `?lang=${language}` })
      page = opened.page
      complaints = opened.complaints
    })

    test('X1 X3 X4 X9 nobody waits', () => isSound(language))

    test('X1 X3 X4 X9 people wait, one is chosen', async () => {
      await queueUp(3)
      await site.take(1, {
        language: 'ar',
        needs: ['hearing', 'LSF'],
        labels: ['VIP'],
        customer: { name: 'Samira Haddad', phone: '+33612345678' },
      })
      await page.locator('[data-waiting="4"]').waitFor()
      await page.keyboard.press('4')
      await page.locator('.person .labels').waitFor()
      await isSound(language)
      expect(await page.innerText('.queue')).not.toContain('hearing')
      await page.keyboard.press('4')
      await page.fill('#find', 'ZZ9')
      await page.keyboard.press('Enter')
      await page.locator('.found').waitFor()
      await isSound(language)
      await page.keyboard.press('Escape')
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

    test('X1 X3 X4 a call that was answered, with what was written to the person', async () => {
      const soon = Temporal.Now.zonedDateTimeISO('Europe/Paris').add({ minutes: 25 })
      // What begins in the last half hour of a day would end outside its opening hours.
      const start = soon.hour === 23 && soon.minute >= 30 ? soon.add({ minutes: 35 }) : soon
      await run(bank.admin, 'POST', '/appointments/', {
        queue_id: bank.queues[0]!.id,
        start_at: start.toInstant().toString(),
      })
      const customer = { name: 'Samira Haddad', phone: '+33612345678', consents: ['sms'] }
      const ticket = await site.take(2, {
        customer: { name: customer.name, phone: '+33611111111' },
        needs: ['standing'],
      })
      await run(bank.admin, 'POST', `/tickets/${ticket['id']}/messages/`, { body: 'Bonjour' })
      await server.owner(`update messages set status = 'failed' where ticket_id = $1`, [ticket['id']])
      await run(bank.agentActors[0]!, 'POST', `/tickets/${ticket['id']}/call/`, { agent_id: bank.agents[0]!.id })
      await sees(page, ticket['number'])
      await page.locator('[data-message=failed]').waitFor()
      await page.reload()
      await page.locator('[data-appointment]').waitFor()
      for (const answer of ['on_my_way', 'needs_time', 'cannot_come']) {
        await reply(ticket['public_token'], answer)
        await page.locator(`[data-reply=${answer}]`).waitFor()
        expect(await page.locator('.person .label').count()).toBe(0)
        await isSound(language)
      }
      await page.keyboard.press('x')
      await page.locator('.current[data-state=free]').waitFor()
      // What is shown at once is not done at once.
      const isFree = 'select id from agents where id = $1 and status = $2'
      await vi.waitUntil(async () => (await server.owner(isFree, [bank.agents[0]!.id, 'available'])).length > 0, 10_000)
    })

    test('X1 X3 X4 what is asked before the end, and who is on hold', async () => {
      const [asked] = await queueUp(1, 1)
      const id = (
        await server.owner<{ id: number }>('select id from tickets where number = $1 order by id desc limit 1', [asked])
      )[0]!.id
      await run(bank.agentActors[0]!, 'POST', `/tickets/${id}/call/`, { agent_id: bank.agents[0]!.id })
      await sees(page, asked!)
      await page.keyboard.press('s')
      await page.locator('.current[data-state=serving]').waitFor()
      await page.keyboard.press('f')
      await page.locator('[data-sheet=answers]').waitFor()
      await isSound(language).finally(() => page.keyboard.press('Escape'))
      await page.locator('dialog').waitFor({ state: 'detached' })
      await page.keyboard.press('p')
      await page.locator(`[data-held="${asked}"]`).waitFor()
      await isSound(language)
      await page.keyboard.press('Shift+p')
      await page.locator('[data-sheet=held]').waitFor()
      await isSound(language).finally(() => page.keyboard.press('Escape'))
      await page.locator('dialog').waitFor({ state: 'detached' })
    })

    test('X1 X3 X4 a break that has lasted too long', async () => {
      await page.keyboard.press('b')
      await page.keyboard.press('Enter')
      await page.locator('.current[data-state=away]').waitFor()
      // What is shown at once must have reached the server.
      const late = `update agents set expected_return_at = now() - interval '5 minutes' where status = 'break' returning id`
      await expect.poll(() => server.owner(late)).toHaveLength(1)
      await page.reload()
      await page.locator('[data-overdue]').waitFor()
      await isSound(language)
      await page.keyboard.press('b')
      await page.locator('.current[data-state=free]').waitFor()
    })

    test('X1 X3 X4 the mini-console', async () => {
      await page.evaluate(() => {
        const frame = Object.assign(document.createElement('iframe'), { title: 'mini', width: '340', height: '240' })
        document.body.append(frame)
        const value = { requestWindow: () => Promise.resolve(frame.contentWindow) }
        Object.defineProperty(globalThis, 'documentPictureInPicture', { value, configurable: true })
      })
      await page.keyboard.press('Control+k')
      await page.click('[data-choice=mini]')
      const mini = page.frames()[1]!
      await mini.waitForSelector('.mini')
      expect(await violations(mini)).toEqual([])
      expect(await mini.evaluate(() => document.body.innerText)).not.toMatch(NO_TEXT)
      await page.reload()
      await page.locator('.current[data-state=free]').waitFor()
    })

    test('X1 X3 X4 two windows at one desk: the question and the mirror', async () => {
      const first = page
      const other = await openDesk(0, { query: `?lang=${language}` })
      page = other.page
      await page.locator('[data-takeover=ask]').waitFor()
      await isSound(language)
      await page.click('[data-takeover] button')
      page = first
      await page.locator('[data-takeover=mirror]').waitFor()
      await isSound(language)
      await page.click('[data-takeover] button')
      await page.locator('[data-takeover]').waitFor({ state: 'detached' })
      await other.close()
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
      await page.fill('[name=email]', 'agent1@demo.example')
      await page.fill('[name=password]', 'not the password')
      await page.keyboard.press('Enter')
      await page.locator('.problem .icon').waitFor()
      await isSound(language)
      await gate.close()
      page = before
      await page.click('[data-command=counter]')
      await page.locator('.counters').waitFor()
      await isSound(language)
      await page.click(`[data-counter="${bank.agents[1]!.counter_id}"]`)
      await page.locator('[data-take-over]').waitFor()
      await isSound(language)
      await site.closeAll()
    })

    test('X1 X3 X4 more tickets than agreed, told to who manages; a session that has ended', async () => {
      await server.owner(`update memberships set role = 'supervisor' where user_id = $1`, [bank.agents[2]!.user_id])
      await server.owner(`select app.set_quota($1, 'tickets_per_day', 1)`, [bank.tenant.id])
      const opened = await openDesk(2, { query: `?lang=${language}` })
      page = opened.page
      await page.locator('[data-quota="1"]').waitFor()
      await isSound(language)
      await opened.context.clearCookies()
      await page.keyboard.press('b')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[name=password]')
      await isSound(language)
      await opened.close()
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
