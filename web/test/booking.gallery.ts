import { mkdirSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { test } from 'vitest'
import { startSite } from './site.ts'

const FOLDER = 'docs/screens/'

test('the pages of appointments in three languages', { timeout: 120_000 }, async () => {
  const site = await startSite({ queues: 2 })
  const { owner } = site.server
  mkdirSync(FOLDER, { recursive: true })
  await owner(`update tenants set name = 'Mairie'`)
  await owner(`update sites set name = 'Lyon 3ᵉ', address = '215 rue Duguesclin'`)
  await owner(
    `update services set names = '{"fr": "Passeports", "en": "Passports", "ar": "جوازات السفر"}' where code = 'A'`,
  )
  const day = [
    ['09:00', '12:00'],
    ['13:30', '17:00'],
  ]
  await site.run(site.bank.admin, 'PATCH', `/sites/${site.bank.sites[0]!.id}/`, {
    opening_hours: { weekly: { 1: day, 2: day, 3: day, 4: day, 5: day } },
  })
  for (const queue of site.bank.queues)
    await site.run(site.bank.admin, 'POST', '/booking-settings/', {
      queue_id: queue.id,
      duration_seconds: 1800,
      capacity: 2,
    })
  const service = site.bank.services[0]!.id
  const shoot = (page: Page, name: string) => page.screenshot({ path: `${FOLDER}${name}.png`, fullPage: true })
  for (const lang of ['fr', 'en', 'ar']) {
    const { page } = await site.open(`/site/demo/site-1/book/${service}?lang=${lang}`)
    await page.waitForSelector('[role=grid]')
    await shoot(page, `booking-book-${lang}`)
    const times = page.waitForResponse(/slots/)
    await page.locator('[data-free=true] button').nth(2).click()
    await times
    await page.waitForSelector('[data-free=true] [aria-pressed=true]')
    await page.locator('[name=start_at]').first().check()
    await page.fill('[name=name]', 'Samira Haddad')
    await page.click('button[data-kind=primary]')
    await page.waitForURL('**/a/**')
    await shoot(page, `booking-mine-${lang}`)
  }
})
