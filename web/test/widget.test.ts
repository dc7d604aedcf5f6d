import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { startApp } from '../../server/test/app.ts'
import { complaintsOf, startBrowser } from '../../server/test/browser.ts'
import { whenOver } from '../../server/test/when-over.ts'
import { APPS } from '../build/apps.ts'
import { builtManifest } from '../build/manifest.ts'
import { PATIENCE_MS } from './pages.ts'
import { hasBrowser, violations } from './site.ts'

/** Somebody else's web server. It answers every address with the page that was laid there. */
async function aForeignSite() {
  const pages = new Map<string, { body: string; policy: string }>()
  const http = createServer((request, response) => {
    const page = pages.get(request.url!)
    if (!page) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': page.policy })
    response.end(page.body)
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  whenOver(() => void http.close().closeAllConnections())
  const { port } = http.address() as AddressInfo
  // Another site to a browser, not only another port.
  return { origin: `http://localhost:${port}`, other: `http://127.0.0.1:${port}`, pages }
}

describe.runIf(hasBrowser)('the widget on a page of somebody else', async () => {
  const foreign = await aForeignSite()
  const server = await startApp({ CORS_ALLOWED_ORIGINS: foreign.origin })
  const t = await server.aTenant({ slug: 'bank', queues: 2 })
  const base = await server.listen()
  const browser = await startBrowser()
  const api = async (method: 'POST' | 'PATCH', path: string, payload: object) => {
    const answer = await server.app.inject({
      method,
      url: `/api/v1/tenants/bank${path}`,
      headers: server.as(t.admin),
      payload,
    })
    if (answer.statusCode >= 300) throw new Error(answer.body)
    return answer.json<Record<string, any>>()
  }
  const STRICT = `default-src 'none'; script-src ${base}; connect-src ${base}; require-trusted-types-for 'script'; trusted-types 'none'`

  /** A page with one script tag. */
  async function open(attributes: string, { lang = 'fr', policy = STRICT, origin = foreign.origin } = {}) {
    const path = `/${foreign.pages.size}`
    const body = `<!doctype html><html lang="${lang}"><head><title>Shop</title></head><body><main><h1>Shop</h1>
      <script src="${base}/widget.js" data-tenant="bank" data-site="site-1" ${attributes}></script></main></body></html>`
    foreign.pages.set(path, { body, policy })
    const context = await browser.newContext({ locale: 'fr-FR', viewport: { width: 360, height: 740 } })
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    const complaints = complaintsOf(page)
    await page.goto(origin + path)
    return { page, complaints, close: () => context.close() }
  }
  const see = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor()

  test('a number is taken, kept through a reload and called, under a policy that allows nothing else', async () => {
    const { page, complaints, close } = await open('')
    await see(page, 'Service 1')
    await page.getByRole('button', { name: 'Prendre un numéro' }).first().click()
    await see(page, 'Votre numéro')
    await see(page, 'A-001')
    await page.reload()
    await see(page, 'A-001')
    expect(await violations(page)).toEqual([])
    const { ticket } = await api('POST', `/agents/${t.agents[0]!.id}/call-next/`, {})
    expect(ticket.number).toBe('A001')
    await see(page, 'C’est à vous : Counter 1')
    expect(complaints).toEqual([])
    // The page's own styles do not reach in, and the widget's do not reach out.
    expect(await page.evaluate(`getComputedStyle(document.querySelector('h1')).fontFamily`)).not.toContain('system-ui')
    await close()
  })

  test('in Arabic it reads from the right, in English from the left; what is closed says so', async () => {
    const arabic = await open('data-lang="ar"')
    await see(arabic.page, 'خذ رقمًا')
    expect(await arabic.page.locator('[dir="rtl"]').count()).toBe(1)
    expect(await violations(arabic.page)).toEqual([])
    await arabic.close()
    await api('PATCH', `/queues/${t.queues[1]!.id}/`, { is_active: false })
    const english = await open('', { lang: 'en-GB' })
    await see(english.page, 'Closed.')
    expect(await english.page.getByRole('button', { name: 'Take a number' }).count()).toBe(1)
    expect([...arabic.complaints, ...english.complaints]).toEqual([])
    await english.close()
  })

  test('it shows a ticket that the page names, and what can be booked', async () => {
    const { public_token } = await api('POST', '/tickets/', { queue_id: t.queues[0]!.id, channel: 'web' })
    const status = await open(`data-kind="status" data-token="${public_token}"`)
    await see(status.page, 'A-002')
    await see(status.page, 'Vous êtes le prochain')
    await status.close()
    const nothing = await open('data-kind="booking"')
    await see(nothing.page, 'Rien à réserver ici.')
    await nothing.close()
    await api('POST', '/booking-settings/', { queue_id: t.queues[0]!.id })
    const booking = await open('data-kind="booking"')
    const link = booking.page.getByRole('link', { name: 'Réserver' })
    expect(await link.getAttribute('href')).toBe(`${base}/site/bank/site-1/book/${t.services[0]!.id}?lang=fr`)
    expect(await violations(booking.page)).toEqual([])
    expect([...status.complaints, ...booking.complaints]).toEqual([])
    await booking.close()
  })

  test('where it may not ask the server it says so and offers the site’s own page', async () => {
    // A page that the installation does not know, and one whose own policy forbids to ask.
    for (const place of [{ origin: foreign.other }, { policy: `default-src 'none'; script-src ${base}` }]) {
      const { page, close } = await open('', place)
      await see(page, 'Le service ne répond pas')
      expect(await page.getByRole('link').getAttribute('href')).toBe(`${base}/site/bank/site-1`)
      await close()
    }
    // Control: the policy of these tests is enforced. A script of the page's own is refused.
    const inline = await open('data-x="1"></script><script>document.title = "ran"</script><script>')
    expect(await inline.page.title()).toBe('Shop')
    expect(inline.complaints.length).toBeGreaterThan(0)
    await inline.close()
  })

  test('it is small, for everybody’s pages, and fetched anew within ten minutes', async () => {
    const { headers, statusCode } = await server.app.inject('/widget.js')
    expect(statusCode).toBe(200)
    expect(headers).toMatchObject({
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=600',
      'content-type': 'text/javascript; charset=utf-8',
    })
    const { sizes } = builtManifest()!.apps['widget']!
    expect(sizes.js).toBeLessThanOrEqual(APPS['widget']!.budget.js)
  })
})
