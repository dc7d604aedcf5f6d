import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import jsqr from 'jsqr'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { ticketCode } from '../../shared/format.ts'
import { startJobs } from '../../server/app.ts'
import { createLogger } from '../../server/kernel/log.ts'
import { pagesOfPdf } from '../../server/test/pdf.ts'
import { startAdminSite } from './admin-site.ts'
import { sees } from './console-desk.ts'
import { hasBrowser, type OpenPage } from './site.ts'
import { shows, WALL } from './wall.ts'

const decode = jsqr as unknown as typeof jsqr.default
const hasTools = hasBrowser && ['pdftoppm', 'espeak-ng'].every((tool) => spawnSync(tool, ['-h']).error === undefined)
if (!hasTools) process.stderr.write('branch-day.test.ts: no browser, poppler or espeak-ng, NO DAY WAS PLAYED\n')

/** From nothing to a number that is called: so many presses and words, no more. */
const MOST_INTERACTIONS = 60

const ALWAYS = { weekly: Object.fromEntries(Array.from({ length: 7 }, (_, day) => [day + 1, [['00:00', '24:00']]])) }

/** Presses and words of one person, counted. */
function counting(counts: { n: number }, page: Page) {
  return {
    async click(selector: string) {
      counts.n++
      await page.click(selector)
    },
    async fill(selector: string, text: string) {
      counts.n++
      await page.fill(selector, text)
    },
    async press(key: string) {
      counts.n++
      await page.keyboard.press(key)
    },
  }
}

describe.runIf(hasTools)('one day at a branch', async () => {
  const { server, url, empty, openAs, open, closeAll } = await startAdminSite()
  const worker = await startJobs(server, createLogger({ level: 'error', destination: process.stderr }))
  afterAll(() => worker.stop())
  afterEach(closeAll)
  const counts = { n: 0 }
  const tenant = empty.tenant.slug

  /** What a machine shows until somebody types it. */
  async function codeOn({ page }: OpenPage) {
    await page.waitForSelector('.pairing-code')
    return (await page.textContent('.pairing-code'))!.trim()
  }

  test('an empty organisation, a poster, a visitor who misses the call and comes back: in French, Arabic and English', async () => {
    // The administrator, in French.
    const admin = await openAs(`admin1@${tenant}.example`, `/app/admin/setup?lang=fr`)
    const does = counting(counts, admin.page)
    await does.click('[name=template][value=town_hall]')
    await does.fill('[data-field="/name"] input', 'Mairie')
    await does.click('[data-setup=choose] [type=submit]')
    await admin.page.waitForSelector('[data-setup=steps]')
    const downloading = admin.page.waitForEvent('download')
    await does.click('[data-step=poster] button')
    const poster = pagesOfPdf(readFileSync(await (await downloading).path()))
    // Whatever the day and the hour this runs at, the doors are open.
    const [site] = await server.owner<{ id: number }>(`select id from sites where slug = 'mairie'`)
    const opened = await fetch(`${url}/api/v1/tenants/${tenant}/sites/${site!.id}/`, {
      method: 'PATCH',
      headers: { ...server.as(empty.admin), 'content-type': 'application/json' },
      body: JSON.stringify({ opening_hours: ALWAYS }),
    })
    expect(opened.status).toBe(200)

    const wall = await open('/display', { viewport: WALL, isLast: true })
    const kiosk = await open('/kiosk', { viewport: { width: 1080, height: 1920 }, isLast: true, hasWorker: true })
    for (const [kind, machine] of [
      ['display', wall],
      ['kiosk', kiosk],
    ] as const) {
      await does.fill(`[data-step=${kind}] [name=code]`, await codeOn(machine))
      await does.click(`[data-step=${kind}] [type=submit]`)
      await admin.page.waitForSelector(`[data-step=${kind}][data-done=true]`)
    }
    await wall.page.waitForSelector('.wall')
    await wall.page.evaluate(() => {
      const spoken: string[] = []
      Object.assign(globalThis, { spoken })
      const play = HTMLMediaElement.prototype.play
      HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
        spoken.push(this.src)
        this.playbackRate = 6
        return play.call(this)
      }
    })

    // A visitor, in Arabic, by the poster's code.
    const links = poster.map(({ rgba, width, height }) => decode(rgba, width, height)?.data)
    const { pathname } = new URL(links.find((link) => link !== undefined)!)
    const phone = await open(`${pathname}?lang=ar`)
    expect(await phone.page.getAttribute('html', 'dir')).toBe('rtl')
    await phone.page.click('.line')
    await phone.page.click('.take [data-kind=primary]')
    await phone.page.waitForSelector('.number')
    const [ticket] = await server.owner<{ id: number; number: string }>(
      `select id, number from tickets t where exists (select from sites s where s.id = t.site_id and s.slug = 'mairie')`,
    )
    expect(await phone.page.textContent('.number')).toContain(ticketCode(ticket!.number))

    // Somebody else, in English, at the machine.
    await kiosk.page.click('.language[lang=en]')
    await kiosk.page.click('.tile')
    await kiosk.page.waitForSelector('[data-number]')
    const second = (await kiosk.page.getAttribute('[data-number]', 'data-number'))!

    // The supervisor, in English: two wait.
    const floor = await openAs(`supervisor1@${tenant}.example`, '/app/floor?lang=en')
    const waiting = () =>
      floor.page.$$eval('[data-figure=waiting]', (figures) =>
        figures.reduce((sum, figure) => sum + Number(figure.getAttribute('data-value')), 0),
      )
    await expect.poll(waiting).toBe(2)

    // The same person at the first counter, by keys alone.
    await admin.page.goto(admin.page.url().replace('/app/admin/setup', '/app/agent'))
    await admin.page.waitForSelector('.panes')
    await does.press('n')
    await sees(admin.page, ticket!.number)
    expect(counts.n).toBeLessThanOrEqual(MOST_INTERACTIONS)

    await shows(wall.page, ticketCode(ticket!.number))
    await expect.poll(() => wall.page.evaluate('spoken.some((src) => src.includes("/voice/"))')).toBe(true)
    await phone.page.waitForSelector('[data-state=called]')

    // Missed, and back again.
    await admin.page.keyboard.press('x')
    await phone.page.waitForSelector('form:has([value=here])')
    await phone.page.click('form:has([value=here]) button')
    await phone.page.waitForSelector('[data-ahead]')
    await expect.poll(waiting).toBe(2)
    const serve = async () => {
      await admin.page.keyboard.press('s')
      await admin.page.keyboard.press('f')
      await admin.page.locator('[data-current]').waitFor({ state: 'detached' })
    }
    for (const number of [second, ticket!.number]) {
      await admin.page.keyboard.press('n')
      await sees(admin.page, number)
      await serve()
    }
    await phone.page.click('[name=rating][value="5"]')
    await phone.page.waitForSelector('[role=status]')

    await expect.poll(waiting).toBe(0)

    const [found] = await server.owner<Record<string, unknown>>(
      `select count(*)::int as tickets, count(*) filter (where status = 'terminé')::int as served, max(rating) as rating
       from tickets t where exists (select from sites s where s.id = t.site_id and s.slug = 'mairie')`,
    )
    expect(found).toEqual({ tickets: 2, served: 2, rating: 5 })
    // Managers read today's figures, which are those of the tables.
    const [{ today }] = (await server.owner<{ today: string }>(
      `select to_char(now() at time zone timezone, 'YYYY-MM-DD') as today from sites where slug = 'mairie'`,
    )) as [{ today: string }]
    const added = await fetch(`${url}/api/v1/tenants/${tenant}/analytics/aggregate/`, {
      method: 'POST',
      headers: { ...server.as(empty.admin), 'content-type': 'application/json' },
      body: JSON.stringify({ from: today, to: today }),
    })
    expect(added.ok).toBe(true)
    const manager = await openAs(
      `admin1@${tenant}.example`,
      `/app/analytics?lang=ar&site=${site!.id}&from=${today}&to=${today}`,
    )
    const headline = manager.page.locator('[data-headline=served]')
    await expect.poll(() => headline.getAttribute('data-value')).toBe(String(found!['served']))
    expect(await manager.page.getAttribute('[data-headline=average_rating]', 'data-value')).toBe('5')

    for (const { complaints } of [admin, wall, kiosk, phone, floor, manager]) expect(complaints).toEqual([])
    await closeAll()

    // I5: a move by page, kiosk, console or program is one event, whoever made it.
    const told = await server.owner<{ channel: string; types: string[] }>(
      `select t.channel, array_agg(e.type order by e."offset") as types from tickets t
       join events e on e.tenant_id = t.tenant_id and e.ticket_id = t.id where t.site_id = $1 group by t.id, t.channel order by t.id`,
      [site!.id],
    )
    expect(told).toEqual([
      {
        channel: 'qr',
        types: [
          'ticket.created',
          'ticket.called',
          'ticket.no_show',
          'ticket.returned',
          'ticket.called',
          'ticket.started',
          'ticket.completed',
          'ticket.rated',
        ],
      },
      { channel: 'kiosk', types: ['ticket.created', 'ticket.called', 'ticket.started', 'ticket.completed'] },
    ])
  })
})
