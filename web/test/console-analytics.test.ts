import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { DESK } from './console-desk.ts'
import { MONTH, PLANS, SHIFTS } from './month.ts'
import { hasBrowser, PASSWORD, startSite, violationsInTheme } from './site.ts'

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
    for (const text of [MONTH, SHIFTS, PLANS]) await server.owner(text)
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
    await isThere()
  })
  const isThere = async () => {
    await page.locator('.analytics[data-complete=true]').waitFor()
    await page.locator('[data-report=wait] .chart-point, [data-report=wait] tbody').first().waitFor()
    await page.locator('[data-report=volume] .chart [data-row], [data-report=volume] tbody').first().waitFor()
  }

  const LEGS = `(select l.*, t.created_at, t.rating, t.service_id, t.channel, t.status, e.low_seconds, e.median_seconds, e.high_seconds,
    extract(hour from l.entered_at at time zone 'Europe/Paris')::int as hour,
    extract(isodow from l.entered_at at time zone 'Europe/Paris')::int as weekday,
    round(extract(epoch from l.called_at - l.entered_at))::int as wait
    from ticket_legs l join tickets t on t.tenant_id = l.tenant_id and t.id = l.ticket_id
    left join ticket_estimates e on e.ticket_id = t.id) x`
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
      (count(*) filter (where ended_by = 'absent'))::float8 / count(called_at) as no_show_rate, avg(rating)::float8 as average_rating,
      (count(*) filter (where wait <= high_seconds))::float8 / count(*) filter (where wait is not null and high_seconds is not null) as within_promise
      from ${LEGS}`)
    expect(sql['served']).toBeGreaterThan(500)
    const promised = Number(sql['within_promise'])
    expect(promised > 0.2 && promised < 0.95).toBe(true)
    for (const name of Object.keys(sql))
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
    const volume = await server.owner<Record<string, any>>(
      `select hour, count(*)::int as taken, count(*) filter (where ended_by = 'terminé')::int as served from ${LEGS} group by 1 order by 1`,
    )
    const bars = await page.$$eval('[data-report=volume] .chart [data-row]', (all) =>
      all.map((bar) => ['row', 'taken', 'served'].map((name) => bar.getAttribute(`data-${name}`))),
    )
    expect(volume.some(({ taken, served }) => served > 0 && served < taken)).toBe(true)
    expect(bars).toEqual(volume.map(({ hour, taken, served }) => [hour, taken, served].map(String)))
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
    expect(await tableOf('volume')).toEqual(bars)
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

  test('T9 services, channels, counters and agents are SQL’s, and pressing a service narrows the page', async () => {
    const figures = `count(*)::int as people, count(*) filter (where ended_by = 'terminé')::int as served,
      percentile_disc(0.5) within group (order by wait) filter (where wait is not null) as p50,
      percentile_disc(0.9) within group (order by wait) filter (where wait is not null) as p90`
    for (const [id, by] of [
      ['services', 'service_id'],
      ['channels', 'channel'],
      ['counters', 'counter_id'],
    ] as const) {
      const sql = await server.owner<Record<string, any>>(
        `select ${by}::text as key, ${figures} from ${LEGS} where ${by} is not null group by 1`,
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
    // Each report comes when it is ready.
    await isThere()
  })

  test('T9 accuracy of what people were told, occupancy and staffing are SQL’s, and their files say the same', async () => {
    const csvOf = async (id: string) => {
      const waiting = page.waitForEvent('download')
      await page.click(`[data-csv=${id}]`)
      const text = readFileSync(await (await waiting).path(), 'utf8')
      return text
        .trim()
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(',').slice(1))
    }
    await isThere()
    const told = await server.owner<Record<string, any>>(
      `select service_id::text as key, count(*)::int as promised, (count(*) filter (where wait <= high_seconds))::float8 / count(*) as within,
       (count(*) filter (where wait between low_seconds and high_seconds))::float8 / count(*) as inside,
       avg(abs(median_seconds - wait))::float8 as error from ${LEGS} where wait is not null and median_seconds is not null group by 1`,
    )
    const rows = (await tableOf('accuracy')) as string[][]
    expect(rows).toHaveLength(told.length)
    for (const { key, promised, within, inside, error } of told) {
      const row = rows.find(([id]) => id === key)!
      for (const [i, value] of [promised, within, inside, error].entries())
        expect(Number(row[i + 1])).toBeCloseTo(value, 9)
    }
    expect(await csvOf('accuracy')).toEqual(rows.map((row) => row.slice(1)))

    // A state lasts until the next one of the same person.
    const busy = await server.owner<Record<string, any>>(
      `select e.agent_id::text as key, (sum(until - at) filter (where status in ('calling', 'serving', 'wrap_up')))::float8
         / sum(until - at) filter (where status in ('calling', 'serving', 'wrap_up', 'available')) as share
       from (select x.agent_id, x.data -> 'agent' ->> 'status' as status, extract(epoch from x.at) as at, extract(epoch from (
           select min(y.at) from events y where y.agent_id = x.agent_id and y.at > x.at)) as until
         from events x where x.type = 'agent.status_changed' and x.at < now() - interval '1 day') e group by 1`,
    )
    const share = new Map(((await tableOf('agents')) as string[][]).map((row) => [row[0]!, row[6]!]))
    expect(new Set(busy.map((each) => each['share'])).size).toBeGreaterThan(1)
    for (const { key, share: wanted } of busy) if (share.has(key)) expect(Number(share.get(key))).toBeCloseTo(wanted, 4)
    expect(share.size).toBeGreaterThan(1)

    // What is needed: the interface's answer for each line, added up; what is planned: hours in the table.
    await page.click('[data-table=staffing]')
    await page.locator('[data-report=staffing] tbody tr').first().waitFor()
    const date = await page.inputValue('.staffing-day input')
    const needed = new Map<string, number>()
    for (const { id } of bank.queues) {
      const [line] = await server.owner<Record<string, number>>(
        'select goal_seconds, goal_percent from queues where id = $1',
        [id],
      )
      const goal = `within_seconds=${line!['goal_seconds']}&share=${line!['goal_percent']! / 100}`
      const { half_hours } = await run(bank.admin, 'GET', `/queues/${id}/staffing-requirements/?date=${date}&${goal}`)
      for (const { from, required } of half_hours as { from: string; required: number | null }[])
        needed.set(from, (needed.get(from) ?? 0) + (required ?? 0))
    }
    const planned = await server.owner<{ from: string; people: number }>(
      `select to_char(h.half, 'HH24:MI') as from, count(*) filter (where exists (
         select from jsonb_array_elements(a.hours -> 'weekly' -> extract(isodow from $1::date)::int::text) i
         where (i ->> 0)::time <= h.half::time and h.half::time < (i ->> 1)::time))::int as people
       from generate_series($1::date::timestamp, $1::date + interval '23:30', interval '30 minutes') h(half) cross join agent_hours a
       group by 1 order by 1`,
      [date],
    )
    const wanted = planned
      .map(({ from, people }) => [from, String(needed.get(from) ?? 0), String(people)])
      .filter((row) => row[1] !== '0' || row[2] !== '0')
    expect(wanted.length).toBeGreaterThan(5)
    expect(await tableOf('staffing')).toEqual(wanted)
    // Where nobody is planned at all, the page says so and not that the team is too small.
    await server.owner(`update agent_hours set hours = '{"weekly":{}}'`)
    await page.reload()
    await expect
      .poll(() => page.textContent('[data-report=staffing]'))
      .toMatch(/Aucune équipe prévue|Nobody is planned/)
    await page.click('[data-table=staffing]')
  })

  test('T9 one channel and one agent: the whole page is theirs, the address too, and a chip leads back', async () => {
    const agent = bank.agents[0]!.id
    await page.click('[data-report=channels] [data-row=kiosk] button')
    await page.locator('[data-filter=channel]').waitFor()
    await page.click(`[data-report=agents] [data-row="${agent}"] button`)
    await page.locator('[data-filter=agent]').waitFor()
    await isThere()
    const { searchParams } = new URL(page.url())
    expect([searchParams.get('channel'), searchParams.get('agent')]).toEqual(['kiosk', String(agent)])
    const own = `${LEGS} where channel = 'kiosk' and agent_id = ${agent}`
    const sql = await one(`select count(*) filter (where ended_by = 'terminé')::int as served,
      percentile_disc(0.5) within group (order by wait) filter (where wait is not null) as p50_wait_time, count(*)::int as people from ${own}`)
    expect(sql['served']).toBeGreaterThan(20)
    const see = async () => {
      for (const name of ['served', 'p50_wait_time'])
        expect(await page.getAttribute(`[data-headline=${name}]`, 'data-value')).toBe(String(sql[name]))
      const hours = await server.owner<Record<string, any>>(
        `select hour::text, (percentile_disc(0.5) within group (order by wait))::text as p50 from ${own} and wait is not null group by hour order by hour`,
      )
      const points = await page.$$eval('[data-report=wait] .chart-point', (all) =>
        all.map((point) => ['row', 'p50'].map((name) => point.getAttribute(`data-${name}`))),
      )
      expect(points).toEqual(hours.map(({ hour, p50 }) => [hour, p50]))
      const people = await page.$$eval('[data-report=heat] [data-cell]', (all) =>
        all.reduce((sum, cell) => sum + Number(cell.getAttribute('data-people')), 0),
      )
      expect(people).toBe(sql['people'])
      expect((await tableOf('channels')).map(([key]) => key)).toEqual(['kiosk'])
    }
    await see()
    await page.reload()
    await isThere()
    await see()
    for (const name of ['agent', 'channel']) {
      await page.click(`[data-filter=${name}]`)
      await page.locator(`[data-filter=${name}]`).waitFor({ state: 'detached' })
    }
    await isThere()
    const whole = await one(`select count(*) filter (where ended_by = 'terminé')::int as served from ${LEGS}`)
    expect(await page.getAttribute('[data-headline=served]', 'data-value')).toBe(String(whole['served']))
    expect(whole['served']).not.toBe(sql['served'])
  })

  test('T9 the address is the view: comparing, tables and period come back', async () => {
    await page.click('[data-compare]')
    await page.click('[data-table=funnel]')
    await page.locator('[data-report=funnel] tbody').waitFor()
    await isThere()
    const told = await page.locator('.headline').innerText()
    const address = page.url()
    await page.goto(`${url}/app/agent`)
    await page.goto(address)
    await page.locator('[data-report=funnel] tbody').waitFor()
    await isThere()
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

  test.each(['fr', 'ar'] as const)(
    'X1 X2 X3 X4 X9 in %s, in dark or light, on a desk and a phone',
    async (language) => {
      await page.goto(`${url}/app/analytics?lang=${language}&${query}`)
      await isThere()
      for (const width of [1440, 320]) {
        await page.setViewportSize({ width, height: 900 })
        expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false)
        expect(await violationsInTheme(page, language)).toEqual([])
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
    },
  )
})
