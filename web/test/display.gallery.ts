import type { Page } from 'playwright-core'
import { test } from 'vitest'
import { giveLogo } from './logo.ts'
import { pass, shows, startWalls } from './wall.ts'

/** Small files; what is judged is the whole. */
const SCALE = { deviceScaleFactor: 0.5 }

test('a wall: a call, later in Arabic, without a link, an alert, and its pairing', { timeout: 240_000 }, async () => {
  const walls = await startWalls()
  const { server, unpaired, wall, call, run, bank, siteId } = walls
  await server.owner(`update tenants set name = 'Mairie de Lyon'`)
  await giveLogo(walls)
  const { owner } = server
  await owner(
    `update counters set name = 'Guichet ' || n from (select id as other, row_number() over (order by id) as n from counters) c where id = other`,
  )
  const shoot = (page: Page, name: string) => page.screenshot({ path: `docs/screens/display-${name}.png` })
  const { page: alone, context } = await unpaired(SCALE)
  await shoot(alone, 'pairing')
  await context.close()

  const { page } = await wall(undefined, SCALE)
  const { page: arabic } = await wall(
    { languages: ['ar', 'fr'], layout: 'calls_and_waiting' },
    { ...SCALE, locale: 'ar-MA' },
  )
  await shoot(page, 'idle')
  const { page: light } = await wall({ languages: ['fr', 'en'], layout: 'calls_and_waiting', theme: 'light' }, SCALE)
  for (let n = 0; n < 4; n++) await call(n % 3)
  for (let n = 0; n < 9; n++)
    await run(bank.admin, 'POST', '/tickets/', { queue_id: bank.queues[n % 3]!.id, channel: 'reception' })
  await pass(page, 40)
  await pass(arabic, 40)
  const { number } = await call(1)
  await shows(page, number)
  await shoot(page, 'call')
  await pass(light, 40)
  await shows(light, number)
  await shoot(light, 'light')
  await shows(arabic, number)
  await pass(arabic, 40)
  await shoot(arabic, 'quiet-ar')
  await page.context().setOffline(true)
  await page.waitForSelector('.banner.lost')
  await shoot(page, 'lost')
  const text = { fr: 'Sortez calmement par l’entrée principale', ar: 'غادروا المبنى بهدوء من المدخل الرئيسي' }
  await run(bank.admin, 'POST', `/sites/${siteId}/alert/`, { kind: 'evacuation', text })
  await arabic.waitForSelector('.alert')
  await shoot(arabic, 'alert')
  await run(bank.admin, 'DELETE', `/sites/${siteId}/alert/`)
  await run(bank.admin, 'POST', '/tickets/close-day/', { today: true })
  const [{ day }] = (await owner<{ day: number }>(
    `select extract(isodow from now() at time zone 'Europe/Paris' + interval '1 day')::int as day`,
  )) as [{ day: number }]
  const weekly = { [day]: [['08:30', '17:00']] }
  await run(bank.admin, 'PATCH', `/sites/${siteId}/`, { opening_hours: { weekly } })
  await run(bank.admin, 'POST', '/queues/refresh/')
  await page.context().setOffline(false)
  for (const [screen, name] of [
    [page, 'closed'],
    [arabic, 'closed-ar'],
  ] as const) {
    await screen.reload()
    await screen.waitForSelector('[data-last-ticket]')
    await shoot(screen, name)
  }
})
