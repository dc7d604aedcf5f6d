import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { startJobs } from '../../server/app.ts'
import { translate } from '../../server/kernel/i18n.ts'
import { createLogger } from '../../server/kernel/log.ts'
import { ROWS as PLATFORM_ROWS } from '../apps/console/platform/rows.ts'
import { aKiosk, isThere, startAdminSite } from './admin-site.ts'
import { hasCurl } from '../../server/test/curl.ts'
import { hasBrowser, PASSWORD, violations } from './site.ts'
import type { Page } from 'playwright-core'

const ADMIN = 'admin1@demo.example'

describe.runIf(hasBrowser)('operators and developers', async () => {
  const site = await startAdminSite()
  const { openAs, operator, bank, run, server, url, take, closeAll } = site
  const { owner } = server
  afterEach(closeAll)
  const prove = async (page: Page) => {
    await page.click('details summary')
    await page.fill('[data-proof] [name=password]', PASSWORD)
    await page.click('[data-proof] [type=submit]')
    await page.locator('[data-proof] [role=status]').getByText(/./).waitFor()
  }
  const visitorTakes = () =>
    fetch(`${url}/api/v1/public/demo/tickets/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ queue_id: bank.queues[0]!.id, channel: 'web' }),
    }).then(({ status }) => status)

  test('P1 acting as somebody: a banner on every page, nothing that asks for a proof, on record, ended by itself', async () => {
    const { page } = await openAs(operator, `/app/platform/tenants/${bank.tenant.id}`)
    await page.waitForSelector('[data-impersonate]')
    await prove(page)
    await page.fill('[data-impersonate] [name=email]', ADMIN)
    await page.fill('[data-impersonate] [name=reason]', 'Ticket 4711: the board stays empty')
    await page.click('[data-impersonate] [type=submit]')
    await page.locator('.impersonation').waitFor()
    for (const path of ['floor', 'analytics', 'admin/audit', 'developer/start']) {
      await page.goto(`${url}/app/${path}`)
      await page.locator('.impersonation').waitFor()
      await page.locator('main h1').waitFor()
      expect(await page.textContent('.impersonation')).toContain('4711')
      for (const theme of ['dark', 'light']) {
        await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme)
        expect([path, theme, await violations(page, '.impersonation')]).toEqual([path, theme, []])
      }
    }
    expect(await violations(page)).toEqual([])
    const { id } = await run(bank.admin, 'POST', '/customers/', { name: 'Samira', phone: '+33612345678' })
    const exported = await page.context().request.post(`${url}/api/v1/tenants/demo/customers/${id}/export/`, {
      headers: { origin: url, 'x-csrf-token': await csrfOf(page) },
    })
    expect(exported.status()).toBe(403)
    const [entry] = await owner(`select principal from audit_entries where operation = 'users.impersonate'`)
    expect(entry).toBeDefined()
    // Its time is over.
    await owner(`update sessions set expires_at = now() - interval '1 second' where impersonator_id is not null`)
    // What a process knows of a session is a moment old.
    const isGate = async () => {
      await page.goto(`${url}/app/admin/sites`)
      await page.locator('.admin h1, [name=password]').first().waitFor()
      return page.locator('[name=password]').count()
    }
    await expect.poll(isGate).toBe(1)
  })
  test('a new organisation: the operator makes it, invites who administers it, and they begin with the set-up', async () => {
    const { page } = await openAs(operator, '/app/platform/tenants/new')
    await page.fill('[id$=-name]', 'Newtown')
    await page.fill('[id$=-slug]', 'newtown')
    // Where the operator is, and as they read, until they say otherwise.
    expect(await page.inputValue('[id$=-timezone]')).not.toBe('')
    await page.click('[data-form=tenants] [type=submit]')
    await page.fill('[data-first] [name=email]', 'mayor@newtown.example')
    await page.click('[data-first] [type=submit]')
    await page.locator('[data-first] [role=status]').getByText('mayor@newtown.example').waitFor()
    const invited = await owner(`select i.role from invitations i where i.email = 'mayor@newtown.example'`)
    expect(invited).toEqual([{ role: 'admin' }])
    expect(await violations(page)).toEqual([])

    // Where somebody administers already, they let people in.
    await page.goto(`${url}/app/platform/tenants/${bank.tenant.id}`)
    await page.waitForSelector('[data-used]')
    expect(await page.locator('[data-first]').count()).toBe(0)
    const refused = await page.context().request.post(`${url}/api/v1/tenants/demo/invitations/first/`, {
      headers: { origin: url, 'x-csrf-token': await csrfOf(page) },
      data: { email: 'mallory@example.org' },
    })
    expect([refused.status(), ((await refused.json()) as { code: string }).code]).toEqual([409, 'has_administrator'])

    await owner(
      `with person as (insert into users (email, name, password_hash, email_verified_at)
         select 'mayor@newtown.example', 'Maya', password_hash, now() from users where email = $1 returning id)
       insert into memberships (tenant_id, user_id, role) select t.id, person.id, 'admin' from person, tenants t where t.slug = 'newtown'`,
      [ADMIN],
    )
    const mayor = await openAs('mayor@newtown.example', '/app/?tenant=newtown')
    await mayor.page.click('main a[href^="/app/admin/setup"]')
    await mayor.page.waitForSelector('[data-setup=choose]')
    await owner('delete from graphile_worker._private_jobs')
  })
  const csrfOf = async (page: Page) =>
    ((await (await page.context().request.get(`${url}/api/v1/auth/session/`)).json()) as { csrf_token: string })
      .csrf_token

  test('P2 an organisation is closed and opened from its page', async () => {
    const { page } = await openAs(operator, '/app/platform/tenants')
    await page.click('[data-tenant=demo] a')
    await prove(page)
    await page.fill('[data-suspend] [name=reason]', 'Unpaid since March, as agreed')
    await page.click('[data-suspend] [type=submit]')
    await page.locator('[data-restore]').waitFor()
    await expect.poll(() => fetch(`${url}/site/demo/site-1`).then(({ status }) => status)).toBe(403)
    const phone = await site.open('/site/demo/site-1')
    expect(await violations(phone.page)).toEqual([])
    await page.click('[data-restore]')
    await page.locator('[data-suspend]').waitFor()
    await expect.poll(() => fetch(`${url}/site/demo/site-1`).then(({ status }) => status)).toBe(200)
  })

  test('P3 the kill switch is typed, and in force within five seconds', async () => {
    const { page } = await openAs(operator, '/app/platform/switches')
    await page.waitForSelector('[data-switch=intake]')
    await prove(page)
    expect(await visitorTakes()).toBe(201)
    await page.click('[data-close=intake]')
    await page.fill('[name=typed]', 'no')
    await page.click('[data-switch=intake] [type=submit]')
    expect(await visitorTakes()).toBe(201)
    await page.fill('[name=typed]', 'intake')
    await page.click('[data-switch=intake] [type=submit]')
    await page.locator('[data-switch=intake][data-off=true]').waitFor()
    await expect.poll(visitorTakes).toBe(503)
    // A machine holds numbers for when it is alone: it is not alone now, and gives none.
    const machine = await aKiosk(site)
    await expect.poll(async () => (await owner('select from number_blocks')).length).toBeGreaterThan(0)
    await machine.page.click('.language[lang=ar]')
    await machine.page.click('.tile')
    await machine.page.waitForSelector('[role=alert]:not([hidden])')
    expect(await machine.page.innerText('[role=alert]')).toContain(translate('ar', 'errors.switched_off'))
    expect(await machine.page.locator('[data-number]').count()).toBe(0)
    await page.click('[data-open=intake]')
    await expect.poll(visitorTakes).toBe(201)
  })

  test('P4 a dead letter is tried again from its page, once', async () => {
    await take()
    await owner(`insert into tenant_quotas (tenant_id, quota, amount) values ($1, 'tickets_per_day', 0)`, [
      bank.tenant.id,
    ])
    await owner(`select graphile_worker.add_job('tenants.check_quotas', '{}', max_attempts => 1)`)
    await owner(`update graphile_worker._private_jobs set attempts = 1, last_error = 'away'`)
    const { page } = await openAs(operator, '/app/platform/jobs')
    await page.click('[data-retry]')
    await page.locator('[data-job]').waitFor({ state: 'detached' })
    expect(await owner('select attempts from graphile_worker._private_jobs')).toEqual([{ attempts: 0 }])
    const worker = await startJobs(server, createLogger({ level: 'error', destination: process.stderr }))
    try {
      const dead = () => owner(`select from graphile_worker.jobs where task_identifier = 'tenants.check_quotas'`)
      await expect.poll(dead).toEqual([])
    } finally {
      await worker.stop()
    }
    expect(await owner(`select from events where type = 'quota.exceeded'`)).toHaveLength(1)
    await owner('delete from tenant_quotas')
  })

  test('P5 ids of another organisation are not found, on pages and below them', async () => {
    const other = await server.aTenant({ slug: 'other' })
    const { page } = await openAs(ADMIN, `/app/admin/sites/${other.sites[0]!.id}`)
    await page.locator('.admin [role=status]').getByText(/./).waitFor()
    expect(await page.locator('[data-form]').count()).toBe(0)
    for (const path of [
      `/sites/${other.sites[0]!.id}/`,
      `/queues/${other.queues[0]!.id}/`,
      `/sites/${other.sites[0]!.id}/poster/`,
    ])
      await expect(run(bank.admin, 'GET', path)).rejects.toThrow(/"status":404/)
    const foreign = await fetch(`${url}/api/v1/tenants/other/queues/`, { headers: server.as(bank.admin) })
    expect(foreign.status).toBe(404)
  })

  test('I3, I4 and I7 a key is shown once; a delivery is read and sent again under the same id', async () => {
    const { page } = await openAs(ADMIN, '/app/developer/keys/new')
    await page.fill('[data-field="/name"] input', 'Caisse')
    await page.check('[data-field="/scopes"] [id$="read:queue"]')
    await page.click('.form-end [type=submit]')
    const key = (await page.textContent('[data-secret] .snippet'))!
    expect(await violations(page)).toEqual([])
    const ask = (path: string, method = 'GET') =>
      fetch(`${url}/api/v1/tenants/demo${path}`, { method, headers: { authorization: `Bearer ${key}` } }).then(
        ({ status }) => status,
      )
    expect([await ask('/queues/'), await ask('/audit/')]).toEqual([200, 403])
    await page.click('[data-page=developer-keys]')
    await page.locator('[data-row]').waitFor()
    expect(await page.content()).not.toContain(key)
    const [row] = await owner<{ text: string }>('select k::text as text from api_keys k')
    expect(row!.text).not.toContain(key.slice(-20))

    const made = await run(bank.admin, 'POST', '/webhooks/', {
      url: 'https://hooks.example.org/x',
      events: ['ticket.*'],
    })
    // As the follower of the log leaves it behind.
    await take()
    const [sent] = await owner<{ id: number }>(
      `insert into webhook_deliveries (tenant_id, webhook_id, site_id, epoch, "offset", type, status, status_code, attempt, delivered_at)
       select e.tenant_id, $1, e.site_id, s.epoch, e."offset", e.type, 'delivered', 200, 1, now()
       from events e join streams s on s.tenant_id = e.tenant_id and s.site_id = e.site_id
       where e.type = 'ticket.created' and e.tenant_id = $2 limit 1 returning id`,
      [made['id'], bank.tenant.id],
    )
    const idOf = async () => (await run(bank.admin, 'GET', `/webhook-deliveries/${sent!.id}/`))['event_id'] as string
    const eventId = await idOf()
    expect(made['secret']).toMatch(/^whsec_/)
    await page.goto(`${url}/app/developer/webhooks/${made['id']}`)
    await page.click('[data-ping]')
    await page.locator('[data-status=delivered]').waitFor()
    await page.locator(`[data-redeliver="${sent!.id}"]`).click()
    await page.locator('[data-status=pending]').first().waitFor()
    expect(await idOf()).toBe(eventId)
    await page.locator(`[data-delivery="${sent!.id}"] th button`).click()
    await page.locator(`[data-inspected="${eventId}"]`).waitFor()
    expect(await violations(page)).toEqual([])
  })

  test('I8 the widget is shown as it will be, in a frame of its own, while its line is put together', async () => {
    const { page, complaints } = await openAs(ADMIN, '/app/developer/widget?lang=fr')
    const frame = page.frameLocator('[data-preview]')
    await frame.getByText('État civil').waitFor()
    const [before] = await owner<{ n: number }>('select count(*)::int as n from tickets')
    await page.selectOption('.field >> nth=2 >> select', 'ar')
    await page.fill('[type=color]', '#0b6b3a')
    await frame.getByText('الحالة المدنية').waitFor()
    expect(await frame.locator('[dir=rtl]').count()).toBe(1)
    const button = frame.locator('button').first()
    await expect.poll(() => button.evaluate((it) => getComputedStyle(it).backgroundColor)).toBe('rgb(11, 107, 58)')
    // What is pressed there presses nothing: a number would be somebody's.
    const box = (await button.boundingBox())!
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
    await page.selectOption('.field >> nth=1 >> select', 'booking')
    await frame.getByText('لا شيء للحجز هنا.').waitFor()
    expect(await owner('select count(*)::int as n from tickets')).toEqual([before])
    expect(await page.textContent('[data-widget]')).toContain('data-kind="booking"')
    expect(await violations(page)).toEqual([])
    expect(complaints).toEqual([])
    // Nobody else may frame it, and nothing but its one script runs there.
    const { headers } = await server.app.inject('/widget-preview?tenant=demo&site=site-1&accent=%22%3E%3Cscript%3E')
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'nonce-[^']+'; .*frame-ancestors 'self'$/,
    )
    expect(headers['x-frame-options']).toBe('SAMEORIGIN')
  })

  test('I6 and I8 the pages of the documentation are read without scripts, and each refusal’s type has one', async () => {
    const refused = await fetch(`${url}/api/v1/tenants/demo/queues/999999/`, { headers: server.as(bank.admin) })
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    const { type } = (await refused.json()) as { type: string }
    for (const [path, words] of [
      [type, 'not_found'],
      ['/developer/errors', 'queue_closed'],
      ['/developer/events', 'ticket.called'],
    ] as const) {
      const { page, close } = await site.open(`${path}?lang=ar`, {
        javaScriptEnabled: false,
        viewport: { width: 1000, height: 700 },
      })
      expect(await page.textContent('main')).toContain(words)
      expect(await page.getAttribute('html', 'dir')).toBe('rtl')
      await close()
      const read = await site.open(`${path}?lang=fr`, { viewport: { width: 1000, height: 700 } })
      expect(await violations(read.page)).toEqual([])
      await read.close()
    }
  })

  test('I6 and I7 a sandbox is made and entered; its time passes, people come, events happen', async () => {
    const { page, complaints } = await openAs(ADMIN, '/app/developer/sandbox')
    await page.click('[data-enter-sandbox]')
    await page.locator('[data-clock="0"]').waitFor()
    expect(await violations(page)).toEqual([])
    await page.click('[data-pass="1800"]')
    await page.locator('[data-clock="1800"]').waitFor()
    await page.selectOption('[data-trigger] select', 'ticket.created')
    await page.click('[data-trigger] [type=submit]')
    await page.locator('[data-happened^="A"], [data-happened^="B"], [data-happened^="C"]').first().waitFor()
    await page.fill('[name=rate]', '600')
    await page.selectOption('[name=speed]', '100')
    await page.click('[data-traffic] [type=submit]')
    await page.locator('[data-count]').waitFor()
    await page.click('[data-stop]')
    await page.locator('[data-traffic=off]').waitFor()
    await page.check('[data-fast]')
    await expect.poll(async () => Number(await page.getAttribute('[data-clock]', 'data-clock'))).toBeGreaterThan(1800)
    await page.uncheck('[data-fast]')
    await page.click('[data-reset]')
    await page.locator('[data-clock="0"]').waitFor()
    expect(complaints).toEqual([])
  })

  test.runIf(hasCurl)(
    'I3 the line of the first steps, typed as it stands there, is on the page of what keys asked',
    async () => {
      const { page, complaints } = await openAs(ADMIN, '/app/developer/sandbox')
      await page.click('[data-enter-sandbox]')
      await page.locator('[data-clock]').waitFor()
      await page.click('[data-page=developer-start]')
      const line = (await page.locator('[data-take]:not([data-take=""])').textContent())!
      await page.click('[data-page=developer-keys]')
      await page.click('[data-new=keys]')
      await page.fill('[data-field="/name"] input', 'Essai')
      await page.locator('[data-field="/mode"] select').selectOption('test')
      for (const scope of ['read:queue', 'write:ticket']) await page.check(`[data-field="/scopes"] [id$="${scope}"]`)
      await page.click('.form-end [type=submit]')
      const key = (await page.textContent('[data-secret] .snippet'))!
      const { stdout } = await promisify(execFile)('bash', ['-c', `${line} --silent --include`], {
        env: { ...process.env, KEY: key },
      })
      expect(JSON.parse(/^{.*/m.exec(stdout)![0])).toMatchObject({ status: 'en_attente', channel: 'api' })
      const id = /^x-request-id: (\S+)/im.exec(stdout)![1]!
      await page.click('[data-page=developer-requests]')
      await expect
        .poll(async () => {
          await page.click('[data-again]')
          return page.locator(`[data-request="${id}"]`).count()
        })
        .toBe(1)
      expect(await page.textContent(`[data-request="${id}"]`)).toMatch(/201.*POST .*Essai/s)
      expect(await violations(page)).toEqual([])
      expect(complaints).toEqual([])
    },
  )

  test('P6 to P9 what the platform says stands above the pages it names and on the status page; backups and use are told', async () => {
    const { page, complaints } = await openAs(operator, '/app/platform/notices')
    await page.waitForSelector('[data-notice-form]')
    await page.fill('[data-notice-form] [name=fr]', 'Les SMS arrivent en retard.')
    await page.fill('[data-notice-form] [name=ar]', 'تصل الرسائل متأخرة.')
    await page.click('[data-notice-form] [type=submit]')
    await page.locator('[data-notice]').waitFor()
    expect(await violations(page)).toEqual([])
    const phone = await site.open('/site/demo/site-1')
    const above = async (lang: string) => {
      await phone.page.goto(`${url}/site/demo/site-1?lang=${lang}`)
      return (await phone.page.locator('.platform-notice').allTextContents()).join().trim()
    }
    await expect.poll(() => above('ar')).toBe('تصل الرسائل متأخرة.')
    // In the first language that it has.
    expect(await above('en')).toBe('Les SMS arrivent en retard.')
    expect(await violations(phone.page)).toEqual([])
    await phone.page.goto(`${url}/status?lang=ar`)
    expect(await phone.page.locator('[data-notice=disturbance]').textContent()).toContain('تصل الرسائل متأخرة.')
    expect(await phone.page.locator('[data-part]').count()).toBe(4)
    expect(await violations(phone.page)).toEqual([])
    await page.reload()
    expect(await page.locator('.platform-notice').textContent()).toContain('SMS')
    await page.click('[data-end]')
    await page.locator('[data-notice][data-ended=true]').waitFor()
    await expect.poll(() => above('fr')).toBe('')

    await owner(`select app.record_backup('smartqueue-20261122T023000Z', 'logical', 12.5, 4711)`)
    await owner(`select app.record_verification('smartqueue-20261122T023000Z', true)`)
    await page.click('[data-page=platform-backups]')
    await page.locator('[data-backup]').waitFor()
    expect(await page.textContent('[data-backup]')).toMatch(/4711/)
    expect(await page.locator('.tile[data-level=bad]').count()).toBe(0)
    const [{ count }] = (await owner<{ count: number }>(
      'select count(*)::int as count from tickets where tenant_id = $1',
      [bank.tenant.id],
    )) as [{ count: number }]
    await page.goto(`${url}/app/platform/tenants/${bank.tenant.id}`)
    await page.locator(`[data-used="${count}"]`).waitFor()
    expect(complaints).toEqual([])
  })

  test('X1 the platform’s pages in French and Arabic', async () => {
    for (const lang of ['fr', 'ar']) {
      const { page, complaints, close } = await openAs(operator, `/app/platform/tenants?lang=${lang}`)
      for (const [name] of PLATFORM_ROWS) {
        await page.click(`[data-page=platform-${name}]`)
        await page.locator(`[data-area="platform/${name}"] h1`).waitFor()
        await isThere(page)
        expect([name, await violations(page)]).toEqual([name, []])
      }
      expect(complaints).toEqual([])
      await close()
    }
  })
})
