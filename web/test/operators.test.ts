import { afterEach, describe, expect, test } from 'vitest'
import { ROWS as PLATFORM_ROWS } from '../apps/console/platform/rows.ts'
import { isThere, startAdminSite } from './admin-site.ts'
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
    for (const path of ['admin/sites', 'admin/audit', 'developer/start']) {
      await page.goto(`${url}/app/${path}`)
      await page.locator('.impersonation').waitFor()
      await page.locator('.admin h1').waitFor()
      expect(await page.textContent('.impersonation')).toContain('4711')
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
    await expect.poll(isGate, { timeout: 15_000 }).toBe(1)
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
    await expect.poll(() => fetch(`${url}/site/demo/site-1`).then(({ status }) => status), { timeout: 5000 }).toBe(403)
    const phone = await site.open('/site/demo/site-1')
    expect(await violations(phone.page)).toEqual([])
    await page.click('[data-restore]')
    await page.locator('[data-suspend]').waitFor()
    await expect.poll(() => fetch(`${url}/site/demo/site-1`).then(({ status }) => status), { timeout: 5000 }).toBe(200)
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
    await expect.poll(visitorTakes, { timeout: 5000 }).toBe(503)
    await page.click('[data-open=intake]')
    await expect.poll(visitorTakes, { timeout: 5000 }).toBe(201)
  })

  test('P4 a dead letter is tried again from its page, once', async () => {
    await owner(`select graphile_worker.add_job('tenants.check_quotas', '{}', max_attempts => 1)`)
    await owner(`update graphile_worker._private_jobs set attempts = 1, last_error = 'away'`)
    const { page } = await openAs(operator, '/app/platform/jobs')
    await page.click('[data-retry]')
    await page.locator('[data-job]').waitFor({ state: 'detached' })
    expect(await owner('select attempts from graphile_worker._private_jobs')).toEqual([{ attempts: 0 }])
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
