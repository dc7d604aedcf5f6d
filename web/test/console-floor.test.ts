import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { DayReplay } from '../../shared/day-replay.ts'
import { applySite, type SiteEvent, type SiteView } from '../../shared/views.ts'
import { ticketCode } from '../../shared/format.ts'
import { DESK, startConsoleSite } from './console-desk.ts'
import { hasBrowser, PASSWORD, violations, violationsInTheme, type OpenOptions, type OpenPage } from './site.ts'

type Json = Record<string, any>
const NO_TEXT = /\b(undefined|NaN|null|\[object)\b|\b(console|ui|floor|errors|ticket_status|agent_status)\.[a-z_]+/
const RAW = /en_attente|appelé|en_service|back_office|wrap_up/
const FRENCH = /Rouvrir|Arrêter|Annoncer|attente|Guichets|Alertes/

describe.runIf(hasBrowser)('the supervisor’s floor', async () => {
  const site = await startConsoleSite()
  const { run, bank, server, url, take } = site
  const [lineA, lineB] = bank.queues.map(({ id }) => id) as [number, number, number]
  const place = `/sites/${bank.sites[0]!.id}`
  const floorOf = () => run(bank.supervisor, 'GET', `${place}/floor/`)
  const tileOf = async (id: number): Promise<Json> =>
    (await floorOf())['queues'].find((each: Json) => each['id'] === id)
  const boardOf = async (id: number): Promise<string[]> =>
    (await run(bank.supervisor, 'GET', `/queues/${id}/board/`))['waiting'].map(({ number }: Json) => number)

  async function openFloor(query = '', options: OpenOptions = {}): Promise<OpenPage> {
    const [user] = await server.owner<{ email: string }>('select email from users where id = $1', [
      bank.supervisor.userId,
    ])
    const opened = await site.open(`/app/floor${query}`, {
      viewport: DESK,
      async prepare(page) {
        const data = { email: user!.email, password: PASSWORD, tenant: bank.tenant.slug }
        const answer = await page
          .context()
          .request.post(`${url}/api/v1/auth/session/`, { headers: { origin: url }, data })
        expect(answer.ok()).toBe(true)
      },
      ...options,
    })
    await opened.page.waitForSelector('.tile, .replay')
    return opened
  }
  const figure = (page: Page, queue: number, name: string) =>
    page.getAttribute(`[data-queue="${queue}"] [data-figure=${name}]`, 'data-value')
  const shown = (page: Page) =>
    page.$$eval('.line-list > li[data-number]', (rows) => rows.map((row) => row.getAttribute('data-number')))
  const say = (page: Page) => page.locator('.toast')

  /** The site's feed from its snapshot on. */
  async function follow(): Promise<{ view: SiteView; socket: WebSocket }> {
    const token = server.tokenOf(bank.supervisor)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/tenants/demo${place}/`, [
      'smartqueue.v1',
      `bearer.${token}`,
    ])
    const first = await new Promise<MessageEvent>((resolve) =>
      socket.addEventListener('message', resolve, { once: true }),
    )
    return { view: JSON.parse(String(first.data)) as SiteView, socket }
  }

  let page: Page
  let complaints: string[]
  beforeAll(async () => {
    await site.reset()
    const opened = await openFloor('?lang=fr')
    page = opened.page
    complaints = opened.complaints
  })

  test('S1 a tile’s numbers are the API’s at every event: 500 at random', async () => {
    const { view: start, socket } = await follow()
    socket.close()
    let seed = 42
    const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below
    const live: number[] = []
    const isRefused = (error: unknown) => /"status":4\d\d/.test(String(error))
    async function act(): Promise<void> {
      const id = live[random(Math.max(1, live.length))]
      const agent = random(3)
      const who = bank.agentActors[agent]!
      const path = `/agents/${bank.agents[agent]!.id}`
      switch (random(7)) {
        case 0:
        case 1:
          return void live.push((await take(random(3)))['id'] as number)
        case 2:
        case 3:
          return void (await run(who, 'POST', `${path}/next/`, {}))
        case 4:
          return void (id && (await run(bank.admin, 'POST', `/tickets/${id}/cancel/`, {})))
        case 5:
          return void (
            id && (await run(bank.admin, 'POST', `/tickets/${id}/transfer/`, { queue_id: bank.queues[random(3)]!.id }))
          )
        default:
          return void (await run(who, 'POST', `${path}/set-status/`, { status: random(2) ? 'available' : 'break' }))
      }
    }
    const one = () =>
      act().catch((error: unknown) => {
        if (!isRefused(error)) throw error
      })
    for (let round = 0; round < 3; round++) {
      const { offset } = await floorOf()
      // Many at once, so that they also meet.
      for (let now = offset; now < offset + 170; now = (await floorOf())['offset'] as number)
        await Promise.all(Array.from({ length: 20 }, one))
      // Now and then, and at the end, what the page shows is what the API says.
      const { queues } = await floorOf()
      for (const tile of queues as Json[]) {
        const stats = await run(bank.supervisor, 'GET', `/queues/${tile['id']}/stats/`)
        expect([tile['waiting'], tile['agents_open']]).toEqual([stats['waiting'], stats['agents_open']])
        const figures = ['waiting', 'longest', 'counters', 'left']
        const said = [tile['waiting'], tile['waiting_since'] ?? '', tile['agents_open'], tile['left_today']].map(String)
        await vi.waitUntil(
          async () => String(await Promise.all(figures.map((name) => figure(page, tile['id'], name)))) === String(said),
          15_000,
        )
        // The range grows old by the second; whether there is one does not.
        expect((await figure(page, tile['id'], 'eta')) === '').toBe((await tileOf(tile['id']))['eta_seconds'] === null)
      }
    }
    // At every single event: the view's lengths are those of a naive count over the log.
    const state = new Map<number, { status: string; queue_id: number }>()
    for (const line of start.lines)
      for (const ticket of [...line.waiting, ...line.called, ...line.held]) state.set(ticket.id, ticket)
    let view = start
    let events = 0
    for (let after = start.offset; ;) {
      const { events: page_, has_more } = await run(bank.supervisor, 'GET', `${place}/replay/?after=${after}`)
      for (const event of page_ as SiteEvent[]) {
        view = applySite(view, { ...event, after: view.offset })
        if (event.ticket) state.set(event.ticket.id, event.ticket)
        for (const { queue, waiting_count } of view.lines) {
          const naive = [...state.values()].filter(
            ({ status, queue_id }) => status === 'en_attente' && queue_id === queue.id,
          )
          expect(waiting_count).toBe(naive.length)
        }
        after = event.offset
        events++
      }
      if (!has_more) break
    }
    expect(events).toBeGreaterThanOrEqual(500)
  })

  test('S6 the replay of the day ends where the live floor is, and can be scrubbed', async () => {
    const { view, socket } = await follow()
    socket.close()
    const events: SiteEvent[] = []
    for (let more = true; more;) {
      const after = events.at(-1)?.offset ?? 0
      const answer = await run(bank.supervisor, 'GET', `${place}/replay/?after=${after}`)
      events.push(...(answer['events'] as SiteEvent[]))
      more = answer['has_more'] as boolean
    }
    const replay = new DayReplay(view, events)
    const lines = ({ lines: all }: SiteView) =>
      all.map(({ waiting_count, waiting, called, held }) => ({
        waiting_count,
        // A live view shows the first hundred.
        waiting: waiting.slice(0, 100).map(({ id }) => id),
        called: called.map(({ id }) => id),
        held: held.map(({ id }) => id),
      }))
    expect(lines(replay.at(events.length))).toEqual(lines(view))
    const states = ({ agents }: SiteView) => agents.map(({ id, status, counter_id }) => ({ id, status, counter_id }))
    expect(states(replay.at(events.length))).toEqual(states(view))
    // A control: a day with one event less does not end there.
    const last = events.findLastIndex(({ from }) => Boolean(from))
    expect(
      lines(
        new DayReplay(
          view,
          events.filter((_, i) => i !== last),
        ).at(events.length - 1),
      ),
    ).not.toEqual(lines(view))

    await page.keyboard.press('r')
    await page.locator('.replay-lines').waitFor()
    for (const { queue, waiting_count } of view.lines)
      expect(await page.getAttribute(`[data-replay-queue="${queue.id}"]`, 'data-waiting')).toBe(String(waiting_count))
    const slider = page.locator('.scrub input')
    await slider.focus()
    await page.keyboard.press('Home')
    await page.locator('[data-replay-queue][data-waiting="0"]').first().waitFor()
    expect(await violations(page)).toEqual([])
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('r')
    await slider.evaluate((element) => (element as HTMLElement).blur())
    await page.keyboard.press('r')
    await page.locator('.tile').first().waitFor()
  })

  test('S3 the order changes by the menu, and by dragging, alike', async () => {
    // By the interface, so that the feeds know.
    for (const status of ['appelé', 'en_service', 'en_attente'])
      for (let more = true; more;) {
        const { results, next } = await run(
          bank.admin,
          'GET',
          `/tickets/?status=${encodeURIComponent(status)}&limit=200`,
        )
        for (const { id } of results as Json[]) {
          if (status !== 'en_attente') await run(bank.admin, 'POST', `/tickets/${id}/return/`, { position: 'last' })
          await run(bank.admin, 'POST', `/tickets/${id}/cancel/`, {})
        }
        more = next !== null
      }
    for (const [index, { id }] of bank.agents.entries())
      await run(bank.agentActors[index]!, 'POST', `/agents/${id}/set-status/`, { status: 'available' })
    const numbers = await site.queueUp(4, 0)
    await page.keyboard.press('g')
    await page.keyboard.press('1')
    await page.locator(`[data-drawer="${lineA}"] [data-number="${numbers[3]}"]`).waitFor()
    expect(await shown(page)).toEqual(numbers)
    const row = (number: string) => page.locator(`.line-list [data-number="${number}"]`)
    const [first, second, third, fourth] = numbers as [string, string, string, string]
    const wanted = [first, fourth, second, third]
    const isOrdered = async () => String(await shown(page)) === String(wanted)
    await row(fourth).locator('summary').click()
    await row(fourth).locator('[data-move=up]').click()
    await vi.waitUntil(async () => String(await shown(page)) === String([first, second, fourth, third]), 10_000)
    await row(fourth).locator('summary').click()
    await row(fourth).locator('[data-move=up]').click()
    await vi.waitUntil(isOrdered, 10_000)
    expect(await boardOf(lineA)).toEqual(wanted)
    // Back to the end, then the same by dragging.
    await row(fourth).locator('summary').click()
    await row(fourth).locator('[data-move=last]').click()
    await vi.waitUntil(async () => String(await shown(page)) === String(numbers), 10_000)
    await row(fourth).dragTo(row(second))
    await vi.waitUntil(isOrdered, 10_000)
    expect(await boardOf(lineA)).toEqual(wanted)
    await say(page).locator('button').click()
    await vi.waitUntil(async () => String(await shown(page)) === String(numbers), 10_000)

    // Several at once to another line, with their time of arrival.
    await row(third).locator('input').check()
    await row(fourth).locator('input').check()
    await page.click('[data-transfer]')
    await page.click(`[data-sheet=transfer] [data-choice="${lineB}"]`)
    await vi.waitUntil(async () => (await boardOf(lineB)).length === 2, 10_000)
    expect(await boardOf(lineB)).toEqual([third, fourth])
    await page.locator('dialog').waitFor({ state: 'detached' })
  })

  test('S7 what one more counter would do is what the simulation says', async () => {
    const means = page.locator('[data-what-if-mean]')
    await means.waitFor()
    const seen = async () => Number(await means.getAttribute('data-what-if-mean'))
    const said = async (change: number) =>
      (await run(bank.supervisor, 'GET', `/queues/${lineA}/what-if/?change=${change}`))['changed'] as Json
    const { counters } = await said(1)
    expect(await page.getAttribute('[data-what-if-counters]', 'data-what-if-counters')).toBe(String(counters))
    await page.click('[data-what-if=more]')
    await page.locator(`[data-what-if-counters="${counters + 1}"]`).waitFor()
    // The same dice; only the clock went on by a moment.
    expect(Math.abs((await seen()) - Number((await said(2))['mean_seconds']))).toBeLessThanOrEqual(30)
  })

  test('S4 P stops the intake and opens the line again, at once for everybody', async () => {
    const visitor = async () => (await fetch(`${url}/site/demo/site-1?lang=fr`)).text()
    expect(await visitor()).not.toMatch(/en pause|suspendu/i)
    // Two pages that are open already and are not loaded again: the floor, and a visitor's that is looked at once more.
    const phone = await site.open('/site/demo/site-1')
    const marked = [page, phone.page]
    for (const each of marked) await each.evaluate(() => void Object.assign(globalThis, { isSame: true }))
    const line = (status: string) => phone.page.locator(`.line[data-status=${status}] [value="${lineA}"]`)
    const looksAgain = () => phone.page.evaluate(() => dispatchEvent(new Event('visibilitychange')))
    const phoneSees = async (status: string) => {
      await vi.waitUntil(async () => {
        await looksAgain()
        return (await line(status).count()) === 1
      })
    }
    await phoneSees('open')
    await page.keyboard.press('p')
    await page.locator(`[data-queue="${lineA}"] [data-status=paused]`).waitFor()
    expect((await tileOf(lineA))['status']).toBe('paused')
    await expect(take(0)).rejects.toThrow(/queue_/)
    await phoneSees('paused')
    const sitePage = (await (await fetch(`${url}/api/v1/public/demo/sites/site-1/`)).json()) as Json
    expect(JSON.stringify(sitePage['lines'])).toContain('paused')
    await page.keyboard.press('p')
    await page.locator(`[data-queue="${lineA}"] [data-status=paused]`).waitFor({ state: 'detached' })
    await phoneSees('open')
    for (const each of marked) expect(await each.evaluate('isSame')).toBe(true)
    await phone.close()
    await take(0)
    await page.fill('#limit', '1')
    await page.keyboard.press('Enter')
    await page.locator(`[data-queue="${lineA}"] [data-status=full]`).waitFor()
    await expect(take(0)).rejects.toThrow(/queue_full/)
    await page.locator(`[data-alert="full:${lineA}"] button`).first().waitFor()
    await page.fill('#limit', '')
    await page.keyboard.press('Enter')
    await page.locator(`[data-queue="${lineA}"] [data-status=full]`).waitFor({ state: 'detached' })
    await page.locator('#limit').evaluate((element) => (element as HTMLElement).blur())
  })

  test('S5 the last ticket’s figures are the forecast’s, and stopping holds at once', async () => {
    const { timezone } = (await floorOf())['site'] as Json
    const local = new Intl.DateTimeFormat('en-GB', {
      timeZone: timezone,
      hour: '2-digit',
      minute: '2-digit',
      hour12: false,
    })
    expect(local.format(new Date())).toMatch(/^\d\d:\d\d$/)
    await page.keyboard.press('l')
    const facts = page.locator('[data-sheet=last-ticket] .facts-list')
    await facts.waitFor()
    const forecast = await run(bank.supervisor, 'GET', `/queues/${lineA}/closing-forecast/`)
    expect(Number(await facts.getAttribute('data-unserved'))).toBe(forecast['unserved'])
    const seen = Date.parse((await facts.getAttribute('data-last-served'))!)
    expect(Math.abs(seen - Date.parse(forecast['last_served_at']))).toBeLessThan(60_000)
    expect(await violations(page)).toEqual([])
    await page.click('[data-way=stop]')
    await page.locator(`[data-queue="${lineA}"] [data-status=paused]`).waitFor()
    await expect(take(0)).rejects.toThrow(/queue_/)
    await say(page).locator('button').click()
    await page.locator(`[data-queue="${lineA}"] [data-status=paused]`).waitFor({ state: 'detached' })
  })

  test('S2 a wait beyond the goal is an alert whose button acts, and that somebody can take', async () => {
    const away = bank.agents[1]!.id
    for (const [index, { id }] of bank.agents.entries())
      await run(bank.agentActors[index]!, 'POST', `/agents/${id}/set-status/`, {
        status: id === away ? 'break' : 'back_office',
      })
    const alert = page.locator(`[data-alert="wait:${lineA}"]`)
    expect(await alert.count()).toBe(0)
    await page.evaluate(() => void Object.assign(globalThis, { isSame: true }))
    await run(bank.admin, 'PATCH', `/queues/${lineA}/`, { goal_seconds: 1 })
    await alert.waitFor()
    // On the page that was there before.
    expect(await page.evaluate('isSame')).toBe(true)
    await alert.locator('[data-kind=primary]').click()
    // Somebody of the back office before somebody who rests.
    const atWork = `select id from agents where status = 'available' and id <> $1`
    await vi.waitUntil(async () => (await server.owner(atWork, [away])).length > 0, 10_000)
    await alert.waitFor()
    const open = await page.locator('.alert').count()
    await page.keyboard.press('a')
    await page.locator('[data-taken]').waitFor()
    expect(await page.locator('.alert').count()).toBe(open - 1)
    expect((await floorOf())['acknowledged']).toHaveLength(1)
    await run(bank.admin, 'PATCH', `/queues/${lineA}/`, { goal_seconds: 600 })
    await page.locator('[data-taken]').waitFor({ state: 'detached' })
  })

  test('B says one word to the screens and the phones; M gives somebody another line', async () => {
    const { id } = await take(1, { language: 'fr' })
    await page.keyboard.press('b')
    await page.fill('[data-sheet=broadcast] [name=fr]', 'Le guichet 2 ferme à 17 h.')
    await page.keyboard.press('Enter')
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.locator('.shell-notice').waitFor()
    const { results } = await run(bank.supervisor, 'GET', `/tickets/${id}/messages/`)
    expect(results).toMatchObject([{ channel: 'page', body: 'Le guichet 2 ferme à 17 h.' }])
    await page.keyboard.press('m')
    await page.click(`[data-sheet=move] [data-choice="${bank.agents[0]!.id}"]`)
    await page.click(`[data-sheet=move] [data-choice="${lineB}"]`)
    await vi.waitUntil(async () => {
      const agent = await run(bank.supervisor, 'GET', `/agents/${bank.agents[0]!.id}/`)
      return String(agent['queues'].map((each: Json) => each['queue_id'])) === String(lineB)
    })
    expect(complaints).toEqual([])
  })

  test('X7 a dead line is said, and a new one brings the truth', async () => {
    await page.context().setOffline(true)
    await page.locator('[data-stale=offline]').waitFor()
    await take(1)
    await page.context().setOffline(false)
    await page.locator('[data-stale]').first().waitFor({ state: 'detached' })
    const { waiting } = await tileOf(lineB)
    await page.locator(`[data-queue="${lineB}"] [data-figure=waiting][data-value="${waiting}"]`).waitFor()
  })

  test.each(['fr', 'ar'] as const)(
    'X1 X2 X3 X4 X5 X9 S8 the floor in %s, at the desk and in one hand',
    async (language) => {
      const opened = await openFloor(`?lang=${language}&queue=${lineB}`)
      page = opened.page
      await page.locator('.drawer .facts-list').waitFor()
      const isSound = async () => {
        expect(await violationsInTheme(page, language)).toEqual([])
        const text = await page.evaluate(() => document.body.innerText + document.title)
        expect(text).not.toMatch(NO_TEXT)
        if (language === 'ar') expect(text).not.toMatch(RAW)
        if (language === 'ar') expect(text).not.toMatch(FRENCH)
      }
      await isSound()
      const [main, drawer] = await Promise.all(
        ['.floor-main', '.drawer'].map((name) => page.locator(name).boundingBox()),
      )
      expect(main!.x < drawer!.x).toBe(language === 'fr')
      for (const key of ['b', 'm', 'o', '?']) {
        await page.keyboard.press(key)
        await page.locator('dialog').waitFor()
        await isSound()
        await page.keyboard.press('Escape')
        await page.locator('dialog').waitFor({ state: 'detached' })
      }
      await page.setViewportSize({ width: 390, height: 844 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false)
      await isSound()
      // One hand: what acts on the line lies in the lower half, large enough for a thumb.
      for (const act of await page.locator('.drawer-acts button').all()) {
        const box = (await act.boundingBox())!
        expect(box.y).toBeGreaterThan(844 / 2)
        expect(box.height).toBeGreaterThanOrEqual(44)
      }
      const number = page.locator('.line-list .code').first()
      expect(ticketCode(await boardOf(lineB).then(([first]) => first!))).toBe(await number.innerText())
      await page.keyboard.press('Escape')
      await page.locator('.drawer').waitFor({ state: 'detached' })
      await isSound()
      const nav = await page.locator('.bar nav').boundingBox()
      expect(nav!.y).toBeGreaterThan(700)
      await page.setViewportSize({ width: 320, height: 700 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false)
      const small = await page.$$eval('button, a, input, select, summary', (elements) =>
        elements.flatMap((element) => {
          const { width, height } = (element.closest('label') ?? element).getBoundingClientRect()
          return width > 0 && (width < 24 || height < 24) ? [element.outerHTML.slice(0, 80)] : []
        }),
      )
      expect(small).toEqual([])
      expect(opened.complaints).toEqual([])
      await opened.close()
    },
  )
})
