import type { Page } from 'playwright-core'
import { test } from 'vitest'
import { DESK, startConsoleSite } from './console-desk.ts'
import { MONTH, PLANS, SHIFTS } from './month.ts'
import { PASSWORD } from './site.ts'

const FOLDER = 'docs/screens/'
const LOOKS = [
  ['fr', 'dark'],
  ['en', 'light'],
  ['ar', 'light'],
] as const

test('the supervisor’s floor and analytics', { timeout: 240_000 }, async () => {
  const site = await startConsoleSite()
  const { server, bank, url, run, take } = site
  const { owner } = server
  await owner(
    `update counters set name = 'Guichet ' || n from (select id as other, row_number() over (order by id) as n from counters) c where id = other`,
  )
  await owner(
    `update agents set name = (array['Sara Benali', 'Luc Morel', 'Nadia Cherif'])[n] from (select id as other, row_number() over (order by id) as n from agents) a where id = other`,
  )
  await owner(MONTH)
  const { from, to } = (
    await owner<Record<string, string>>(
      `select to_char(current_date - 29, 'YYYY-MM-DD') as from, to_char(current_date - 2, 'YYYY-MM-DD') as to`,
    )
  )[0]!
  await run(bank.admin, 'POST', '/analytics/aggregate/', { from, to })
  await run(bank.admin, 'PATCH', `/services/${bank.services[0]!.id}/`, { expected_seconds: 300 }).catch(() => {})
  for (let i = 0; i < 6; i++) await take(0)
  for (let i = 0; i < 3; i++) await take(1)
  const visitor = { customer: { name: 'Élodie Marchand', phone: '+33612345678' } }
  for (const queue of [0, 1]) await take(queue, visitor)
  await site.callNext(0)
  await run(bank.agentActors[1]!, 'POST', `/agents/${bank.agents[1]!.id}/set-status/`, { status: 'break' })
  await owner(
    `update tickets t set entered_at = t.entered_at - n * interval '171 s', created_at = t.created_at - n * interval '171 s'
     from (select id as other, row_number() over (order by id desc) as n from tickets where status = 'en_attente') w where t.id = other`,
  )
  const [user] = await owner<{ email: string }>('select email from users where id = $1', [bank.supervisor.userId])
  const data = { email: user!.email, password: PASSWORD, tenant: bank.tenant.slug }
  const prepare = (page: Page) =>
    page.context().request.post(`${url}/api/v1/auth/session/`, { headers: { origin: url }, data })
  for (const [lang, theme] of LOOKS) {
    const { page, close } = await site.open(`/app/floor?lang=${lang}`, {
      viewport: DESK,
      deviceScaleFactor: 0.75,
      prepare,
    })
    const dress = () => page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme)
    const shoot = (name: string) => page.screenshot({ path: `${FOLDER}console-${name}-${lang}.png` })
    await page.locator('.tile').first().waitFor()
    await page.locator('.alert').first().waitFor()
    await dress()
    await shoot('floor')
    await page.click('.tile button')
    await page.locator('.drawer .facts-list').waitFor()
    await shoot('floor-line')
    if (lang === 'fr') {
      await page.goto(`${url}/app/floor?lang=fr&replay=today`)
      await page.locator('.replay-lines').waitFor()
      await dress()
      await shoot('floor-replay')
      await page.setViewportSize({ width: 390, height: 844 })
      await page.goto(`${url}/app/floor?lang=fr&queue=${bank.queues[0]!.id}`)
      await page.locator('.drawer .facts-list').waitFor()
      await dress()
      await shoot('floor-phone-line')
      await page.keyboard.press('Escape')
      await page.locator('.drawer').waitFor({ state: 'detached' })
      await shoot('floor-phone')
      await page.setViewportSize(DESK)
    }
    await page.goto(`${url}/app/find?lang=${lang}&q=elodie`)
    await page.click('[data-hit^=ticket] button')
    await page.locator('[data-step]').first().waitFor()
    await dress()
    await shoot('find')
    await close()
  }
  for (const text of [SHIFTS, PLANS]) await owner(text)
  for (const [lang, theme] of LOOKS) {
    const { page, close } = await site.open(
      `/app/analytics?lang=${lang}&site=${bank.sites[0]!.id}&from=${from}&to=${to}`,
      { viewport: DESK, deviceScaleFactor: 0.75, prepare },
    )
    await page.locator('.analytics[data-complete=true]').waitFor()
    await page.locator('[data-report=wait] .chart-point').first().waitFor()
    await page.locator('[data-report=staffing] .chart-bar, [data-report=staffing] .muted').first().waitFor()
    await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme)
    await page.screenshot({ path: `${FOLDER}console-analytics-${lang}.png`, fullPage: true })
    await close()
  }
})
