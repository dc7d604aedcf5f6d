import { mkdirSync } from 'node:fs'
import { test } from 'vitest'
import { startAdminSite } from './admin-site.ts'
import { DESK } from './console-desk.ts'

const FOLDER = 'docs/screens/'
const VIEW = { viewport: DESK, deviceScaleFactor: 0.75 }

test('settings, developers and platform, in three languages', { timeout: 240_000 }, async () => {
  const { openAs, operator, bank, run, server, take } = await startAdminSite()
  mkdirSync(FOLDER, { recursive: true })
  await run(bank.admin, 'PATCH', '/', { brand_colour: '#0B6B3A' })
  await server.owner(`update sites set name = 'Hôtel de ville', address = '1 place de la Mairie'`)
  await take(0)
  const hours = {
    weekly: {
      1: [
        ['08:30', '12:00'],
        ['13:30', '17:30'],
      ],
      2: [['08:30', '17:30']],
      3: [['08:30', '12:00']],
      4: [['08:30', '17:30']],
      5: [['08:30', '16:00']],
    },
  }
  await run(bank.admin, 'PATCH', `/sites/${bank.sites[0]!.id}/`, { opening_hours: hours })
  const queue = bank.queues[0]!.id
  const rule = await run(bank.admin, 'POST', '/queue-rules/', {
    queue_id: queue,
    name: 'Guichet PMR',
    effect: { priority: 2 },
  })
  await run(bank.admin, 'POST', `/queues/${queue}/publish-rules/`, { note: 'PMR' })
  await run(bank.admin, 'PATCH', `/queue-rules/${rule['id']}/`, { name: 'Guichet PMR le matin' })
  const pages: [string, string, string][] = [
    ['setup', 'admin1@empty.example', '/app/admin/setup'],
    ['services', 'admin1@demo.example', '/app/admin/services'],
    ['site', 'admin1@demo.example', `/app/admin/sites/${bank.sites[0]!.id}`],
    ['queue', 'admin1@demo.example', `/app/admin/queues/${queue}`],
    ['branding', 'admin1@demo.example', '/app/admin/branding'],
    ['audit', 'admin1@demo.example', '/app/admin/audit'],
    ['users', 'admin1@demo.example', '/app/admin/users/new'],
    ['start', 'admin1@demo.example', '/app/developer/start'],
    ['tenants', operator, '/app/platform/tenants'],
    ['health', operator, '/app/platform/health'],
    ['switches', operator, '/app/platform/switches'],
  ]
  for (const [lang, theme] of [
    ['fr', 'light'],
    ['en', 'dark'],
    ['ar', 'light'],
  ] as const)
    for (const [name, who, path] of pages) {
      const { page, close } = await openAs(who, `${path}?lang=${lang}`, VIEW)
      await page.waitForSelector('.admin h1')
      await page.evaluate((which) => (document.documentElement.dataset['theme'] = which), theme)
      await page.waitForLoadState('networkidle')
      await page.screenshot({
        path: `${FOLDER}admin-${name}-${lang}.png`,
        fullPage: name === 'queue' || name === 'site',
      })
      await close()
    }
})
