import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { DESK } from './console-desk.ts'
import { MONTH } from './month.ts'
import { hasBrowser, PASSWORD, startSite, violations } from './site.ts'

const NO_TEXT = /\b(undefined|NaN|null|\[object)\b|\b(console|ui|analytics|errors|channel)\.[a-z_0-9]+/
describe.runIf(hasBrowser)('analytics', async () => {
  const site = await startSite({ agents: 2, counters: 2, queues: 3 })
  const { run, bank, server, url } = site
  const siteId = bank.sites[0]!.id
  const one = async (text: string, values: unknown[] = []) =>
    (await server.owner<Record<string, any>>(text, values))[0]!
  let page: Page
  let complaints: string[]
  let query: string

  beforeAll(async () => {
    await server.owner(MONTH)
    const { from, to } = await one(
      `select to_char(current_date - 29, 'YYYY-MM-DD') as from, to_char(current_date - 2, 'YYYY-MM-DD') as to`,
    )
    await run(bank.admin, 'POST', '/analytics/aggregate/', { from, to })
    query = `site=${siteId}&from=${from}&to=${to}`
    const [user] = await server.owner<{ email: string }>('select email from users where id = $1', [bank.admin.userId])
    const opened = await site.open(`/app/analytics?lang=fr&${query}`, {
      viewport: DESK,
      async prepare(fresh) {
        const data = { email: user!.email, password: PASSWORD, tenant: bank.tenant.slug }
        await fresh.context().request.post(`${url}/api/v1/auth/session/`, { headers: { origin: url }, data })
      },
    })
    page = opened.page
    complaints = opened.complaints
    await page.locator('[data-report=wait] .chart-point').first().waitFor()
  })

  const LEGS = `(select l.*, t.created_at, t.rating, t.service_id, t.channel, t.status,
    extract(hour from l.entered_at at time zone 'Europe/Paris')::int as hour,
    extract(isodow from l.entered_at at time zone 'Europe/Paris')::int as weekday,
    round(extract(epoch from l.called_at - l.entered_at))::int as wait
    from ticket_legs l join tickets t on t.tenant_id = l.tenant_id and t.id = l.ticket_id) x`
  const tableOf = async (id: string) =>
    page.$$eval(`[data-report=${id}] tbody tr`, (rows) =>
      rows.map((row) => [
        row.getAttribute('data-row'),
        ...[...row.querySelectorAll('td')].map((cell) => cell.getAttribute('data-value')),
      ]),
    )

  test('T9 the headline is SQL’s', async () => {
    const sql = await one(`select count(*) filter (where ended_by = 'terminé')::int as served,
      percentile_disc(0.5) within group (order by wait) filter (where wait is not null) as p50_wait_time,
      percentile_disc(0.9) within group (order by wait) filter (where wait is not null) as p90_wait_time,
      count(*) filter (where ended_by = 'annulé')::int as abandoned,
      (count(*) filter (where ended_by = 'absent'))::float8 / count(called_at) as no_show_rate, avg(rating)::float8 as average_rating from ${LEGS}`)
    expect(sql['served']).toBeGreaterThan(500)
    for (const name of ['served', 'p50_wait_time', 'p90_wait_time', 'abandoned', 'no_show_rate', 'average_rating'])
      expect(Number(await page.getAttribute(`[data-headline=${name}]`, 'data-value')), name).toBeCloseTo(
        Number(sql[name]),
        6,
      )
    // A control: a day more or less is another figure.
    const naive = await one(
      `select count(*)::int as served from ${LEGS} where ended_by = 'terminé' and entered_at < now() - interval '3 days'`,
    )
    expect(naive['served']).not.toBe(sql['served'])
  })

  test('T9 wait over the day, heatmap and funnel are SQL’s, and chart and table say the same', async () => {
    const hours = await server.owner<
      Record<string, any>
    >(`select hour, percentile_disc(0.5) within group (order by wait) as p50,
      percentile_disc(0.9) within group (order by wait) as p90 from ${LEGS} where wait is not null group by 1 order by 1`)
    const points = await page.$$eval('[data-report=wait] .chart-point', (all) =>
      all.map((point) => ['row', 'p50', 'p90'].map((name) => point.getAttribute(`data-${name}`))),
    )
    expect(points).toEqual(hours.map(({ hour, p50, p90 }) => [hour, p50, p90].map(String)))
    const cells = await page.$$eval('[data-report=heat] [data-cell]', (all) =>
      all.flatMap((cell) => {
        const people = cell.getAttribute('data-people')
        return people === '0' ? [] : [[cell.getAttribute('data-cell'), people]]
      }),
    )
    const heat = await server.owner<Record<string, any>>(
      `select weekday || '-' || hour as cell, count(*)::text as people from ${LEGS} group by weekday, hour order by weekday, hour`,
    )
    expect(cells).toEqual(heat.map(({ cell, people }) => [cell, people]))
    const steps = await page.$$eval('[data-report=funnel] [data-people]', (all) =>
      all.map((each) => Number(each.getAttribute('data-people'))),
    )
    const funnel =
      await one(`select count(*)::int as joined, count(called_at)::int as called, count(started_at)::int as came,
      count(*) filter (where ended_by = 'terminé')::int as served, count(rating)::int as rated from ${LEGS}`)
    expect(steps).toEqual(['joined', 'called', 'came', 'served', 'rated'].map((name) => funnel[name]))

    // T shows all as tables, from the same rows.
    await page.keyboard.press('t')
    await page.locator('[data-report=wait] tbody tr').first().waitFor()
    expect(await tableOf('wait')).toEqual(points)
    expect((await tableOf('heat')).map((row) => [row[0], row[2]])).toEqual(cells)
    expect((await tableOf('funnel')).map((row) => Number(row[1]))).toEqual(steps)
    const waiting = page.waitForEvent('download')
    await page.click('[data-csv=wait]')
    const csv = readFileSync(await (await waiting).path(), 'utf8')
    expect(csv.trim().split('\r\n').slice(1)).toEqual(points.map(([hour, p50, p90]) => `${hour}:00,${p50},${p90}`))
    expect(new URL(page.url()).searchParams.get('tables')).toContain('wait')
    await page.keyboard.press('t')
    await page.locator('[data-report=wait] .chart-point').first().waitFor()
  })

  test('T9 services, channels and agents are SQL’s, and pressing a service narrows the page', async () => {
    const figures = `count(*)::int as people, count(*) filter (where ended_by = 'terminé')::int as served,
      percentile_disc(0.5) within group (order by wait) filter (where wait is not null) as p50,
      percentile_disc(0.9) within group (order by wait) filter (where wait is not null) as p90`
    for (const [id, by] of [
      ['services', 'service_id'],
      ['channels', 'channel'],
    ] as const) {
      const sql = await server.owner<Record<string, any>>(
        `select ${by}::text as key, ${figures} from ${LEGS} group by 1`,
      )
      const shown = (await tableOf(id)).map((row) => row.slice(0, 5))
      expect(shown.toSorted()).toEqual(
        sql.map(({ key, people, served, p50, p90 }) => [key, people, served, p50, p90].map(String)).toSorted(),
      )
    }
    const agents = await server.owner<Record<string, any>>(
      `select agent_id::text as key, count(called_at)::int as called, count(*) filter (where ended_by = 'terminé')::int as served,
       count(*) filter (where ended_by = 'absent')::int as no_shows from ${LEGS} where agent_id is not null group by 1`,
    )
    expect((await tableOf('agents')).map((row) => row.slice(0, 4)).toSorted()).toEqual(
      agents.map(({ key, called, served, no_shows }) => [key, called, served, no_shows].map(String)).toSorted(),
    )
    const service = bank.services[1]!.id
    await page.click(`[data-report=services] [data-row="${service}"] button`)
    await page.locator('[data-filter=service]').waitFor()
    const narrowed = await one(
      `select count(*) filter (where ended_by = 'terminé')::int as served from ${LEGS} where service_id = ${service}`,
    )
    await page.locator(`[data-headline=served][data-value="${narrowed['served']}"]`).waitFor()
    await page.click('[data-filter=service]')
    await page.locator('[data-filter=service]').waitFor({ state: 'detached' })
    const whole = await one(`select count(*) filter (where ended_by = 'terminé')::int as served from ${LEGS}`)
    await page.locator(`[data-headline=served][data-value="${whole['served']}"]`).waitFor()
  })

  test('T9 the address is the view: comparing, tables and period come back', async () => {
    await page.click('[data-compare]')
    await page.click('[data-table=funnel]')
    await page.locator('[data-report=funnel] tbody').waitFor()
    const told = await page.locator('.headline').innerText()
    const address = page.url()
    await page.goto(`${url}/app/agent`)
    await page.goto(address)
    await page.locator('[data-report=funnel] tbody').waitFor()
    expect(await page.locator('.headline').innerText()).toBe(told)
    expect(await page.getAttribute('[data-compare]', 'aria-pressed')).toBe('true')
    const before = await page.getAttribute('.analytics', 'data-from')
    await page.keyboard.press('[')
    await page.waitForFunction(
      (from) => document.querySelector('.analytics')?.getAttribute('data-from') !== from,
      before,
    )
    await page.keyboard.press(']')
    await page.locator(`.analytics[data-from="${before}"]`).waitFor()
  })

  test.each(['fr', 'ar'])('X1 X2 X3 X4 X9 in %s, dark and light, on a desk and a phone', async (language) => {
    await page.goto(`${url}/app/analytics?lang=${language}&${query}`)
    await page.locator('[data-report=wait] .chart-point').first().waitFor()
    await page.locator('[data-report=staffing] .finding').waitFor()
    for (const width of [1440, 320]) {
      await page.setViewportSize({ width, height: 900 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false)
      for (const theme of ['dark', 'light']) {
        await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme)
        expect(await violations(page)).toEqual([])
      }
    }
    await page.setViewportSize(DESK)
    const text = await page.evaluate(() => document.body.innerText + document.title)
    expect(text).not.toMatch(NO_TEXT)
    if (language === 'ar') expect(text).not.toMatch(/Servis|Attente|Absents/)
    const [first, last] = await Promise.all(
      ['[data-headline=served]', '[data-headline=average_rating]'].map((name) => page.locator(name).boundingBox()),
    )
    expect(first!.x < last!.x).toBe(language === 'fr')
    expect(complaints).toEqual([])
  })
})
