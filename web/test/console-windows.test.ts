import type { Page, Route } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { current, DESK, isFree, noticeOf, sees, startConsoleSite } from './console-desk.ts'
import { ticketCode } from '../../shared/format.ts'
import { hasBrowser, PASSWORD } from './site.ts'

describe.runIf(hasBrowser)('several windows, several agents', async () => {
  const site = await startConsoleSite()
  const { openDesk, queueUp, reset, server, bank, url } = site
  beforeEach(reset)

  test('A0 a password opens the desk at the last counter; a wrong one says so', async () => {
    const { page, complaints } = await site.open('/app/agent?tenant=demo', { viewport: DESK })
    expect(await page.inputValue('[name=tenant]')).toBe('demo')
    await page.fill('[name=email]', 'agent1@demo.example')
    await page.fill('[name=password]', 'not the password')
    await page.keyboard.press('Enter')
    await page.locator('.problem .icon').waitFor()
    // The browser itself writes the refusal into its console.
    complaints.length = 0
    await page.fill('[name=password]', PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForSelector('.panes')
    await page.locator('.current h2', { hasText: 'Guichet 1' }).waitFor()
    await page.click('[data-sign-out]')
    await page.waitForSelector('[name=password]')
    const [agent] = await server.owner('select status, counter_id from agents where id = $1', [bank.agents[0]!.id])
    expect(agent).toEqual({ status: 'offline', counter_id: null })
    // Back: the last counter, chosen by itself.
    await page.fill('[name=email]', 'agent1@demo.example')
    await page.fill('[name=password]', PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForSelector('.panes')
    await page.locator('.current h2', { hasText: 'Guichet 1' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('A0 a key pressed while the agent still sits down counts as soon as the seat is taken', async () => {
    const [first] = await queueUp(1)
    await server.owner(`update agents set status = 'offline' where id = $1`, [bank.agents[0]!.id])
    const asked: string[] = []
    const sitting = Promise.withResolvers<void>()
    const { page } = await openDesk(0, {
      async prepare(opened) {
        await site.signIn(opened.context())
        await opened.route(/\/(take-desk|set-status|next)\/$/, async (route) => {
          asked.push(new URL(route.request().url()).pathname.split('/').at(-2)!)
          if (asked.at(-1) !== 'next') await sitting.promise
          await route.continue()
        })
      },
    })
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await page.keyboard.press('n')
    await sees(page, first!)
    await expect.poll(() => asked).toEqual(['take-desk'])
    sitting.resolve()
    await expect.poll(() => asked).toEqual(['take-desk', 'set-status', 'take-desk', 'next'])
    await expect
      .poll(async () => (await server.owner('select status from tickets where number = $1', [first]))[0])
      .toEqual({
        status: 'appelé',
      })
    await sees(page, first!)
  })

  test('A2 two agents who press together never get the same ticket, and none is skipped', async () => {
    // A hundred rounds are the bench's: npm run bench:screens.
    const ROUNDS = 10
    await server.owner(
      `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank, entered_at, created_at)
       select q.tenant_id, q.site_id, q.id, q.service_id, current_date, q.id, current_date, 5000 + n,
              q.number_prefix || (5000 + n)::text, 'reception', extract(epoch from now())::bigint * 1000000 + n, now(), now()
       from queues q, generate_series(1, $2) n where q.id = $1`,
      [bank.queues[0]!.id, 2 * ROUNDS],
    )
    const desks = [await openDesk(0), await openDesk(1)]
    await Promise.all(desks.map(({ page }) => page.locator(`[data-waiting="${2 * ROUNDS}"]`).waitFor()))
    for (let round = 0; round < ROUNDS; round++)
      await Promise.all(
        desks.map(async ({ page }) => {
          const answered = page.waitForResponse(/\/next\/$/)
          await page.keyboard.press('n')
          const answer = await answered
          expect(answer.status()).toBe(200)
          const { ticket } = (await answer.json()) as { ticket: { number: string } }
          await sees(page, ticket.number)
        }),
      )
    // Both show what is theirs, and it was told once of each.
    const theirs = await server.owner<{ number: string }>(
      `select number from tickets where status in ('appelé', 'en_service') order by agent_id`,
    )
    for (const [n, { page }] of desks.entries()) await sees(page, theirs[n]!.number)
    const calls = await server.owner<{ n: number }>(
      `select count(*)::int as n from events where type = 'ticket.called' and ticket_id in (select id from tickets where serial > 5000) group by ticket_id`,
    )
    expect(calls.map(({ n }) => n)).toEqual(Array.from({ length: 2 * ROUNDS }, () => 1))
  })

  test('A2 whoever was slower is told in a line and has the next one already', async () => {
    const [first, second] = await queueUp(2)
    const { page } = await openDesk(0)
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    // The answer of the other agent's call reaches this window after its own key.
    const beOvertaken = async (route: Route) => {
      await site.callNext(1)
      await route.continue()
    }
    // Once: a request that is repeated, because the answer was lost, is not overtaken again.
    await page.route('**/next/', beOvertaken, { times: 1 })
    await page.keyboard.press('n')
    await sees(page, second!)
    await expect.poll(() => noticeOf(page).textContent()).toContain(ticketCode(second!))
    expect(await noticeOf(page).textContent()).toContain(ticketCode(first!))
    expect(await page.locator('dialog').count()).toBe(0)
  })

  test('A2 a key pressed for whom the screen still shows finishes nobody else', async () => {
    const [first, second] = await queueUp(3)
    const { page } = await openDesk(0)
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    const sent: string[] = []
    await page.route('**/next/', async (route) => {
      sent.push(route.request().postData()!)
      await site.callNext(1)
      await route.continue()
    })
    await page.keyboard.press('n')
    await page.keyboard.press('n')
    await page.locator('.current .notice', { hasText: 'Regardez qui est là' }).waitFor()
    await sees(page, second!)
    expect(sent).toEqual(['{}'])
  })

  test('A2 keys quicker than the feed of the line bring everybody in turn', async () => {
    const numbers = await queueUp(4)
    let isHeld = false
    const held: (() => void)[] = []
    const prepare = async (opened: Page) => {
      await site.signIn(opened.context())
      await opened.routeWebSocket(/\/queues\//, (socket) => {
        const line = socket.connectToServer()
        line.onMessage((frame) => (isHeld ? held.push(() => socket.send(frame)) : socket.send(frame)))
      })
    }
    const { page } = await openDesk(0, { prepare })
    await page.locator('[data-waiting="4"]').waitFor()
    isHeld = true
    for (const number of numbers) {
      const answer = page.waitForResponse(/\/next\/$/)
      await page.keyboard.press('n')
      await sees(page, number)
      const { ticket } = (await (await answer).json()) as { ticket: { number: string } }
      expect(ticket.number).toBe(number)
    }
    expect(await page.locator('.waiting-row').count()).toBe(0)
    isHeld = false
    for (const pass of held) pass()
    await page.locator('[data-waiting="0"]').waitFor()
    await sees(page, numbers.at(-1)!)
  })

  test('A6 a second window asks to take over, and the first becomes a mirror', async () => {
    const [first] = await queueUp(2)
    const one = await openDesk(0)
    await one.page.locator(`[data-upcoming="${first}"]`).waitFor()
    await expect
      .poll(() =>
        server.owner('select from presences where kind = $1 and is_online', ['agent']).then((rows) => rows.length),
      )
      .toBe(1)
    const two = await openDesk(0)
    await two.page.locator('[data-takeover=ask]').waitFor()
    expect(await one.page.locator('[data-takeover]').count()).toBe(0)
    await two.page.click('[data-takeover] button')
    await one.page.locator('[data-takeover=mirror]').waitFor()
    expect(await one.page.locator('[data-command=next]').isDisabled()).toBe(true)
    await two.page.keyboard.press('n')
    await sees(one.page, first!)
    await one.page.keyboard.press('n')
    expect(await current(one.page).getAttribute('data-current')).toBe(first)
    // And back.
    await one.page.click('[data-takeover] button')
    await two.page.locator('[data-takeover=mirror]').waitFor()
  })

  test('A6 a counter somebody sits at is taken over by a second press, in place', async () => {
    const one = await openDesk(0)
    const two = await openDesk(1)
    await two.page.click('[data-command=counter]')
    await two.page.click(`[data-counter="${bank.agents[0]!.counter_id}"]`)
    await two.page.click(`[data-take-over="${bank.agents[0]!.counter_id}"]`)
    await two.page.locator('.current h2', { hasText: 'Guichet 1' }).waitFor()
    await one.page.locator('.current h2', { hasText: 'Sans guichet' }).waitFor()
  })

  test('A7 offline nothing is called, and what was pressed is not done later', async () => {
    const [first, second] = await queueUp(2)
    const { page, context } = await openDesk(0, { isLast: true })
    // From the start of the page on: a clock that changes under a running feed makes it look silent.
    await page.clock.install()
    await page.reload()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    // The line dies under the key: the wish is shown, fails, and is forgotten.
    let asked = 0
    await page.route('**/next/', (route) => {
      asked++
      return route.abort()
    })
    await page.keyboard.press('n')
    await expect.poll(() => asked).toBeGreaterThan(0)
    await context.setOffline(true)
    await page.locator('[data-stale=offline]').waitFor()
    expect(await page.locator('[data-command=next]').isDisabled()).toBe(true)
    expect(await noticeOf(page).textContent()).not.toBe('')
    await page.keyboard.press('n')
    await page.clock.fastForward(31_000)
    await page.unroute('**/next/')
    await context.setOffline(false)
    await page.locator('[data-stale=offline]').waitFor({ state: 'detached' })
    await page.clock.fastForward(5000)
    await isFree(page)
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    const waiting = await server.owner(`select number from tickets where status = 'en_attente' order by id`)
    expect(waiting).toEqual([{ number: first }, { number: second }])
  })

  test('A9 the mini-console shows the number, and its keys work', async () => {
    const [first, second] = await queueUp(2)
    const { page } = await openDesk()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await page.evaluate(() => {
      const frame = document.createElement('iframe')
      document.body.append(frame)
      const value = { requestWindow: () => Promise.resolve(frame.contentWindow) }
      Object.defineProperty(globalThis, 'documentPictureInPicture', { value })
    })
    await page.keyboard.press('Control+k')
    await page.keyboard.type('mini')
    await page.keyboard.press('Enter')
    const mini = page.frames()[1]!
    await mini.waitForSelector('.mini')
    await page.keyboard.press('n')
    await mini.waitForSelector(`[data-mini-number="${first}"]`)
    await mini.evaluate(() => dispatchEvent(new KeyboardEvent('keydown', { key: 'n', code: 'KeyN' })))
    await mini.waitForSelector(`[data-mini-number="${second}"]`)
    await sees(page, second!)
  })

  test('A10 two thousand wait: few rows are drawn, and a number is found by typing it', async () => {
    await server.owner(
      `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank, entered_at, created_at)
       select q.tenant_id, q.site_id, q.id, q.service_id, current_date, q.id, current_date, 1000 + n,
              q.number_prefix || lpad(n::text, 4, '0'), 'reception', extract(epoch from now())::bigint * 1000000 + n, now(), now()
       from queues q, generate_series(1, 700) n where q.tenant_id = $1`,
      [bank.tenant.id],
    )
    const { page } = await openDesk(2)
    await page.locator('[data-waiting="2100"]').waitFor()
    await page.locator('.waiting-row').first().waitFor()
    expect(await page.locator('.waiting-row').count()).toBeLessThan(60)
    await page.evaluate(() => document.querySelector('.scroller')!.scrollTo(0, 20_000))
    await expect
      .poll(() => page.locator('.waiting-row').first().getAttribute('aria-posinset').then(Number))
      .toBeGreaterThan(400)
    expect(await page.locator('.waiting-row').count()).toBeLessThan(60)
    await page.keyboard.press('/')
    await page.keyboard.type('c0333')
    await expect.poll(() => page.locator('.waiting-row').count()).toBe(1)
    await page.keyboard.press('Enter')
    await page.locator('[data-person="C0333"]').waitFor()
    // Beyond what the feed shows: the server knows.
    await page.keyboard.press('/')
    await page.keyboard.type('c0650')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.textContent('.found')).toContain('C-0650')
  })

  test('X7 a dead line is told, and what was missed is there when it lives again', async () => {
    const second = await site.open('/app/reset-password', { viewport: DESK, isLast: true })
    await site.signIn(second.context)
    let isDead = false
    const sockets: { close(): Promise<void> }[] = []
    await second.page.routeWebSocket(/\/ws\//, (socket) => {
      if (isDead) return void socket.close()
      socket.connectToServer()
      sockets.push(socket)
    })
    await second.page.clock.install()
    await second.page.goto(`${url}/app/agent`)
    await second.page.waitForSelector('.panes')
    const take = second.page.locator('[data-takeover=ask] button').first()
    if (await take.count()) await take.click()
    isDead = true
    for (const socket of sockets) await socket.close()
    await second.page.clock.fastForward(16_000)
    await second.page.locator('[data-stale]').first().waitFor()
    expect(await second.page.locator('[data-command=next]').isDisabled()).toBe(true)
    const numbers = await queueUp(20)
    isDead = false
    await second.page.clock.fastForward(15_000)
    await second.page.locator('[data-waiting="20"]').waitFor()
    await second.page.locator('[role=status][data-stale]').waitFor({ state: 'detached' })
    await expect
      .poll(() => second.page.$$eval('.waiting-row', (rows) => rows.map((row) => row.getAttribute('data-number'))))
      .toEqual(numbers)
  })
})
