import { mkdirSync } from 'node:fs'
import { test } from 'vitest'
import { startSite } from './site.ts'

const FOLDER = 'docs/screens/'
const HERE = { latitude: 45.7578, longitude: 4.832 }

test(
  'what is near, in three languages: the list, the arrows, the camera, a sign indoors',
  { timeout: 180_000 },
  async () => {
    const site = await startSite(
      { sites: 3, queues: 3 },
      { args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] },
    )
    const { run, bank, server } = site
    mkdirSync(FOLDER, { recursive: true })
    await server.owner(`update tenants set name = 'Mairie de Lyon'`)
    const places = [
      { name: 'Lyon 2ᵉ', address: '2 rue d’Enghien', latitude: 45.7541, longitude: 4.8287 },
      { name: 'Lyon 3ᵉ', address: '18 rue François-Garcin', latitude: 45.7585, longitude: 4.8452 },
      { name: 'Lyon 6ᵉ', address: '58 rue de Sèze', latitude: 45.7701, longitude: 4.8507 },
    ]
    for (const [n, { id }] of bank.sites.entries()) await run(bank.admin, 'PATCH', `/sites/${id}/`, places[n]!)
    for (let n = 0; n < 5; n++) await site.take(n % 3)
    const marker = (body: object) => run(bank.admin, 'POST', '/ar-markers/', { site_id: bank.sites[0]!.id, ...body })
    const label = { fr: 'Hall d’entrée', en: 'Entrance hall', ar: 'بهو المدخل' }
    await marker({
      kind: 'anchor',
      name: 'Hall',
      code: 'signHall1',
      heading_degrees: 0,
      floor: 0,
      ...HERE,
      marker_data: { label },
    })
    const near = (north: number, east: number) => ({
      latitude: HERE.latitude + north / 111_195,
      longitude: HERE.longitude + east / 77_600,
    })
    await marker({
      kind: 'queue',
      name: 'Passeports',
      queue_id: bank.queues[0]!.id,
      floor: 1,
      ...near(4, 22),
      marker_data: {
        label: { fr: 'Passeports', en: 'Passports', ar: 'جوازات السفر' },
        hint: { fr: 'Derrière l’escalier', en: 'Behind the stairs', ar: 'خلف الدرج' },
      },
    })
    await marker({
      kind: 'other',
      name: 'Ascenseur',
      floor: 0,
      ...near(12, -3),
      marker_data: { label: { fr: 'Ascenseur', en: 'Lift', ar: 'المصعد' } },
    })
    for (const [locale, lang] of [
      ['fr-FR', 'fr'],
      ['en-GB', 'en'],
      ['ar-MA', 'ar'],
    ] as const) {
      const { page } = await site.open('/nearby/demo', {
        locale,
        geolocation: HERE,
        permissions: ['geolocation', 'camera'],
        deviceScaleFactor: 1,
        isLast: true,
      })
      /** Phones tell how they are held again and again. */
      const hold = (beta: number, shown: string) =>
        page.waitForFunction(
          ([b, selector]) => {
            const held = { alpha: 300, beta: Number(b), gamma: 0, absolute: true }
            dispatchEvent(new DeviceOrientationEvent('deviceorientationabsolute', held))
            return document.querySelector(selector!)
          },
          [String(beta), shown],
        )
      await page.click('[data-find]')
      await page.waitForSelector('.branch-way')
      await page.click('[data-compass]')
      await hold(0, '.arrow')
      await page.screenshot({ path: `${FOLDER}nearby-list-${lang}.png` })
      await page.click('[data-lens]')
      await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0)
      await hold(90, '.lens-card')
      await page.waitForTimeout(300)
      await page.screenshot({ path: `${FOLDER}nearby-lens-${lang}.png` })
      await page.goto(`${site.url}/nearby/demo/sign/signHall1?lang=${lang}`)
      await page.waitForSelector('.arrow')
      await page.screenshot({ path: `${FOLDER}nearby-sign-${lang}.png` })
    }
  },
)
