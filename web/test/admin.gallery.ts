import { mkdirSync } from 'node:fs'
import { test } from 'vitest'
import { startAdminSite } from './admin-site.ts'
import { DESK } from './console-desk.ts'

const FOLDER = 'docs/screens/'
const VIEW = { viewport: DESK, deviceScaleFactor: 0.75 }

test('settings, developers and platform, in three languages', { timeout: 240_000 }, async () => {
  const { openAs, operator, bank, run, server, take, url } = await startAdminSite()
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
  await run(bank.admin, 'PATCH', `/sites/${bank.sites[0]!.id}/`, { latitude: 45.764, longitude: 4.8357 })
  for (const [name, latitude, longitude] of [
    ['Mairie du 3e', 45.7597, 4.8497],
    ['Mairie du 5e', 45.7575, 4.8272],
    ['Mairie du 8e', 45.7338, 4.8708],
    ['Villeurbanne', 45.7719, 4.8902],
  ] as const)
    await run(bank.admin, 'POST', '/sites/', { name, latitude, longitude })
  const queue = bank.queues[0]!.id
  const rule = await run(bank.admin, 'POST', '/queue-rules/', {
    queue_id: queue,
    name: 'Guichet PMR',
    effect: { priority: 2 },
  })
  await run(bank.admin, 'POST', `/queues/${queue}/publish-rules/`, { note: 'PMR' })
  await run(bank.admin, 'PATCH', `/queue-rules/${rule['id']}/`, { name: 'Guichet PMR le matin' })
  const play = await server.aTenant({ slug: 'play', queues: 2, agents: 2 })
  await server.owner('update tenants set is_sandbox = true where id = $1', [play.tenant.id])
  await server.owner(
    `update users set password_hash = (select password_hash from users where password_hash is not null limit 1)`,
  )
  await server.owner('insert into sandbox_clocks (tenant_id, ahead_seconds) values ($1, 5400)', [play.tenant.id])
  const { key } = await run(bank.admin, 'POST', '/api-keys/', {
    name: 'Site web',
    scopes: ['read:queue', 'read:ticket', 'write:ticket'],
  })
  const ask = (path: string, body?: object) =>
    fetch(`${url}/api/v1/tenants/demo${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
  for (const path of ['/queues/', `/queues/${queue}/board/`, '/tickets/', '/queues/4711/', '/audit/']) await ask(path)
  await ask('/tickets/', { queue_id: queue, channel: 'api' })
  await server.owner(
    `insert into platform_notices (level, texts, surfaces, starts_at, ended_at) values
       ('outage', '{"fr":"Les écrans en direct étaient arrêtés.","en":"Live screens had stopped.","ar":"توقفت الشاشات المباشرة."}', '{status}', now() - interval '2 days', now() - interval '47 hours'),
       ('disturbance', '{"fr":"Les SMS arrivent en retard.","en":"Text messages arrive late.","ar":"تصل الرسائل القصيرة متأخرة."}', '{visitor,status}', now() - interval '20 minutes', null)`,
  )
  for (const [name, days, well] of [
    ['20261120T023000Z', 2, true],
    ['20261121T023000Z', 1, true],
    ['20261122T023000Z', 0, null],
  ] as const)
    await server.owner(
      `insert into backup_runs (name, kind, at, duration_seconds, row_count, verified_at, is_well)
       select 'smartqueue-' || $1, 'logical', at, 41.3, 1284511 - $2 * 9000, case when $3::boolean then at + interval '3 minutes' end, $3
       from (select now() - make_interval(days => $2::int, hours => 5) as at) x`,
      [name, days, well],
    )
  const pages: [string, string, string][] = [
    ['setup', 'admin1@empty.example', '/app/admin/setup'],
    ['services', 'admin1@demo.example', '/app/admin/services'],
    ['sites', 'admin1@demo.example', '/app/admin/sites'],
    ['site', 'admin1@demo.example', `/app/admin/sites/${bank.sites[0]!.id}`],
    ['queue', 'admin1@demo.example', `/app/admin/queues/${queue}`],
    ['voice', 'admin1@demo.example', '/app/admin/voice'],
    ['branding', 'admin1@demo.example', '/app/admin/branding'],
    ['audit', 'admin1@demo.example', '/app/admin/audit'],
    ['users', 'admin1@demo.example', '/app/admin/users/new'],
    ['start', 'admin1@demo.example', '/app/developer/start'],
    ['sandbox', 'admin1@play.example', '/app/developer/sandbox'],
    ['widget', 'admin1@demo.example', '/app/developer/widget'],
    ['requests', 'admin1@demo.example', '/app/developer/requests'],
    ['notices', operator, '/app/platform/notices'],
    ['backups', operator, '/app/platform/backups'],
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
