import type { Page } from 'playwright-core'
import { afterEach, describe, expect, test } from 'vitest'
import { mayOpen, type Page as ConsolePage } from '../apps/console/shell/shell.ts'
import { ROLE_SCOPES } from '../../server/kernel/access.ts'
import { DESK } from './console-desk.ts'
import { hasBrowser, PASSWORD, startSite, violations } from './site.ts'

describe.runIf(hasBrowser)('the pages of the console', async () => {
  const site = await startSite({ agents: 1, counters: 1, queues: 1 })
  const { open, bank, server, url } = site
  const email = (id: number | null) =>
    server.owner<{ email: string }>('select email from users where id = $1', [id]).then(([row]) => row!.email)
  afterEach(() => site.closeAll())

  async function signedInAs(id: number | null, path: string) {
    const data = { email: await email(id), password: PASSWORD, tenant: bank.tenant.slug }
    return open(path, {
      viewport: DESK,
      async prepare(page: Page) {
        const answer = await page
          .context()
          .request.post(`${url}/api/v1/auth/session/`, { headers: { origin: url }, data })
        expect(answer.ok()).toBe(true)
      },
    })
  }
  const currentPage = (page: Page) => page.locator('.bar [aria-current=page]').getAttribute('data-page')

  test('a deep link survives the sign-in, and who has no desk lands on the first page there is', async () => {
    const { page, complaints } = await open('/app/analytics?lang=en&tenant=demo', { viewport: DESK })
    await page.fill('[name=email]', await email(bank.admin.userId))
    await page.fill('[name=password]', PASSWORD)
    await page.keyboard.press('Enter')
    await page.locator('.bar').waitFor()
    expect(await currentPage(page)).toBe('analytics')
    expect(page.url()).toContain('/app/analytics?')
    await page.goto(`${url}/app/agent?lang=en`)
    await page.waitForURL(/\/app\/floor/)
    expect(await page.locator('[data-page=desk]').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('G and a letter open a page, the palette knows the pages, back leads back', async () => {
    const { page } = await signedInAs(bank.admin.userId, '/app/floor?lang=fr')
    await page.locator('.bar').waitFor()
    await page.keyboard.press('g')
    await page.locator('[data-going] kbd').first().waitFor()
    expect(await violations(page)).toEqual([])
    await page.keyboard.press('a')
    await page.waitForURL(/analytics\?lang=fr/)
    await page.keyboard.press('Control+k')
    await page.keyboard.type('salle')
    await page.keyboard.press('Enter')
    await page.waitForURL(/floor/)
    await page.goBack()
    await page.waitForURL(/analytics/)
    await page.click('[data-account]')
    await page.locator('[data-sheet=account]').waitFor()
    expect(await violations(page)).toEqual([])
  })

  test('X1 somebody is found by a piece of the name, with every visit and what happened in it', async () => {
    await site.take(0, { customer: { name: 'Élodie Marchand', phone: '+33612345678' }, note: 'Fauteuil' })
    await site.callNext()
    const { page, complaints } = await signedInAs(bank.admin.userId, '/app/find?lang=fr')
    await page.fill('#find-anything', 'elodie march')
    await page.locator('[data-hit^=customer]', { hasText: 'Élodie Marchand' }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.click('[data-hit^=ticket] button')
    await page.locator('[data-journey]').waitFor()
    const steps = () => page.$$eval('[data-step]', (all) => all.map((each) => each.getAttribute('data-step')))
    expect(await steps()).toEqual(['ticket.created', 'ticket.called'])
    expect(await violations(page)).toEqual([])
    await page.goto(page.url().replace('lang=fr', 'lang=ar'))
    await page.locator('[data-journey]').waitFor()
    expect(await violations(page)).toEqual([])
    await page.fill('#find-anything', 'zzyzx')
    await page.locator('[data-found="0"]').waitFor()
    // The same number is given at each place on each day.
    const other = await site.run(bank.admin, 'POST', '/sites/', { name: 'Gare' })
    await page.goto(`${site.url}/app/find?lang=fr&q=A-001`)
    const visit = page.locator('[data-hit^=ticket]').first()
    await expect.poll(() => visit.textContent()).toMatch(/Site 1.*\d\d:\d\d/)
    await site.run(bank.admin, 'DELETE', `/sites/${other['id'] as number}/`)
    expect(complaints).toEqual([])
  })

  test('an agent sees the desk without a menu, and is told of pages that are not for her', async () => {
    const { page } = await signedInAs(bank.agents[0]!.user_id, '/app/floor?lang=ar')
    await page.locator('[data-no-page]').waitFor()
    expect(await page.locator('.bar').count()).toBe(0)
    expect(await violations(page)).toEqual([])
    await page.goto(`${url}/app`)
    await page.locator('.panes').waitFor()
  })
})

test('T6 every page is for somebody, its letter is its own, and nobody is shown a page of another role', async () => {
  const registry = '../apps/console/pages.ts'
  const { PAGES } = (await import(registry)) as { PAGES: readonly ConsolePage[] }
  const keys = PAGES.flatMap(({ key }) => key ?? [])
  expect(new Set(keys).size).toBe(keys.length)
  expect(new Set(PAGES.map(({ id }) => id)).size).toBe(PAGES.length)
  for (const role of ['operator', 'admin', 'supervisor', 'agent'] as const) {
    const open = PAGES.filter((page) => mayOpen(page, { role, scopes: [...ROLE_SCOPES[role]] }))
    expect(open.every(({ roles }) => roles.includes(role))).toBe(true)
  }
  for (const page of PAGES)
    for (const role of page.roles) expect(mayOpen(page, { role, scopes: [...ROLE_SCOPES[role]] })).toBe(true)
})
