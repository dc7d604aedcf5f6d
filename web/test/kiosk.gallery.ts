import { mkdirSync } from 'node:fs'
import sharp from 'sharp'
import { test } from 'vitest'
import { giveLogo } from './logo.ts'
import { startSite } from './site.ts'

const FOLDER = 'docs/screens/'
const VIEW = { viewport: { width: 1080, height: 1920 } }
/** Small files, drawn at full size: letters in access mode are millimetres of the screen. */
const SHOWN_WIDTH = 378

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
  const booked = site.bank.queues[2]!.id
  await site.run(site.bank.admin, 'POST', '/booking-settings/', { queue_id: booked, duration_seconds: 900 })
  for (let n = 0; n < 4; n++) await site.take(n % 2)
  await giveLogo(site)
  const { admin } = site.bank
  const site_id = site.bank.sites[0]!.id
  const kiosk = await site.run(admin, 'POST', '/kiosks/', {
    site_id,
    name: 'Borne du hall',
    settings: { prints: true },
  })
  const change = async (settings: object) => {
    await site.run(admin, 'PATCH', `/kiosks/${kiosk['id']}/`, { settings: { prints: true, ...settings } })
    await page.reload()
    await page.waitForSelector('[data-step=welcome]')
  }
  const { page } = await site.open('/kiosk', {
    ...VIEW,
    // Nobody takes the paper here.
    prepare: (opened) => opened.addInitScript(() => (globalThis.print = () => {})),
  })
  const shoot = async (name: string) =>
    sharp(await page.screenshot())
      .resize(SHOWN_WIDTH)
      .png({ palette: true })
      .toFile(`${FOLDER}kiosk-${name}.png`)
  await page.waitForSelector('.pairing-code')
  const code = (await page.textContent('.pairing-code'))!.trim()
  await site.run(site.bank.admin, 'POST', '/devices/pair/', {
    code,
    kind: 'kiosk',
    site_id,
    name: 'Entrée',
    kiosk_id: kiosk['id'],
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
  for (const lang of ['fr', 'en', 'ar']) {
    await page.click(`[data-check-in=${lang}]`)
    await page.waitForSelector('[data-step=check-in]')
    await shoot(`check-in-${lang}`)
    await page.click('.bare')
  }
  await page.click('.access')
  await shoot('access-welcome')
  await page.click('.language[lang=ar]')
  await page.waitForSelector('[data-step=services]')
  await shoot('access-ar')
  await site.run(admin, 'PUT', `/kiosks/${kiosk['id']}/pin/`, { pin: '4711' })
  for (const lang of ['fr', 'en', 'ar']) {
    await change({ languages: [lang], asks_phone: true })
    await page.click('.language')
    await page.click('.tile')
    await page.waitForSelector('[data-step=phone]')
    for (const key of '0612345') await page.click(`.keypad button:text-is("${key}")`)
    await shoot(`phone-${lang}`)
    await page.click('[data-skip]')
    await page.waitForSelector('[data-number]')
    await page.click('[data-kind=primary]')
    await page.mouse.move(lang === 'ar' ? 20 : VIEW.viewport.width - 20, 20)
    await page.mouse.down()
    await page.waitForSelector('[data-step=pin]')
    await page.mouse.up()
    for (const key of '4711') await page.click(`.keypad button:text-is("${key}")`)
    await shoot(`pin-${lang}`)
    await page.click('.choices > [data-kind=primary]')
    await page.waitForSelector('[data-step=staff]')
    await shoot(`staff-${lang}`)
  }
})
