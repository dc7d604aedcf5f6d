import { mkdirSync } from 'node:fs'
import { test } from 'vitest'
import { startSite } from './site.ts'

const FOLDER = 'docs/screens/'
/** Small files; what is judged is the whole. */
const VIEW = { viewport: { width: 1080, height: 1920 }, deviceScaleFactor: 0.35 }

test('a ticket machine in three languages, and in access mode', { timeout: 120_000 }, async () => {
  const site = await startSite({ queues: 3 })
  const { owner } = site.server
  mkdirSync(FOLDER, { recursive: true })
  await owner(`update tenants set name = 'Mairie'`)
  await owner(`update sites set name = 'Lyon 3ᵉ'`)
  await owner(`update services set names = case code
    when 'A' then '{"fr": "Passeports", "en": "Passports", "ar": "جوازات السفر"}'
    when 'B' then '{"fr": "État civil", "en": "Civil registry", "ar": "الحالة المدنية"}'
    else '{"fr": "Urbanisme", "en": "Planning", "ar": "التعمير"}' end::jsonb`)
  for (let n = 0; n < 4; n++) await site.take(n % 2)
  const { page } = await site.open('/kiosk', VIEW)
  const shoot = (name: string) => page.screenshot({ path: `${FOLDER}kiosk-${name}.png` })
  await page.waitForSelector('.pairing-code')
  const code = (await page.textContent('.pairing-code'))!.trim()
  await site.run(site.bank.admin, 'POST', '/devices/pair/', {
    code,
    kind: 'kiosk',
    site_id: site.bank.sites[0]!.id,
    name: 'Entrée',
  })
  await page.waitForSelector('[data-step=welcome]')
  await shoot('welcome')
  for (const lang of ['fr', 'en', 'ar']) {
    await page.click(`.language[lang=${lang}]`)
    await page.waitForSelector('[data-step=services]')
    await shoot(`services-${lang}`)
    await page.click('.tile')
    await page.waitForSelector('[data-number]')
    await shoot(`ticket-${lang}`)
    await page.click('[data-kind=primary]')
    await page.waitForSelector('[data-step=welcome]')
  }
  await page.click('.access')
  await page.click('.language[lang=ar]')
  await page.waitForSelector('[data-step=services]')
  await shoot('access-ar')
})
