import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Frame, Page } from 'playwright-core'
import { startApp, type TestApp } from '../../server/test/app.ts'
import { startBrowser, type BrowserOptions } from '../../server/test/browser.ts'
import { pagesOf, type Pages } from './pages.ts'
import type { TenantFixture, TenantShape } from '../../server/test/factories.ts'
import type { Actor } from '../../server/kernel/access.ts'
import { quickHash } from '../../server/test/password.ts'

export type { OpenOptions, OpenPage } from './pages.ts'
export { hasBrowser } from '../../server/test/browser.ts'

type Json = Record<string, any>
export const PASSWORD = 'correct horse battery staple'
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface TestSite {
  server: TestApp
  browser: Browser
  /** `http://127.0.0.1:<port>`. */
  url: string
  /** The branch that screens are opened for: slug `demo`. */
  bank: TenantFixture
  /** Runs an operation over REST as an actor of the fixture; throws with the problem when it is refused. */
  run(actor: Actor, method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<Json>
  take(queue?: number, more?: object): Promise<Json>
  callNext(agent?: number): Promise<Json>
  act(verb: string, ticketId: number, body?: object, agent?: number): Promise<Json>
  /** A browser of its own with one page, closed by the caller or with the browser. Complaints must stay empty. */
  open: Pages['open']
  closeAll: Pages['closeAll']
  tellFailure: Pages['tellFailure']
  /** Signs an agent in through the browser's own cookie, as the console's form would. */
  signIn(context: BrowserContext, agent?: number): Promise<Json>
}
/** The real server with a database of the test file's own, one branch, and a headless browser. */
export async function startSite(shape: TenantShape = {}, browserOptions: BrowserOptions = {}): Promise<TestSite> {
  const server = await startApp()
  const bank = await server.aTenant({ slug: 'demo', queues: 3, counters: 3, agents: 2, ...shape })
  await server.owner('update users set password_hash = $1', [quickHash(PASSWORD)])
  const url = await server.listen()
  const browser = await startBrowser(browserOptions)
  const run: TestSite['run'] = async (actor, method, path, body) => {
    const answer = await fetch(`${url}/api/v1/tenants/${bank.tenant.slug}${path}`, {
      method,
      headers: { ...server.as(actor), ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${text}`)
    return text ? (JSON.parse(text) as Json) : {}
  }
  return {
    ...pagesOf(browser, url),
    server,
    browser,
    url,
    bank,
    run,
    take: (queue = 0, more = {}) =>
      run(bank.admin, 'POST', '/tickets/', { queue_id: bank.queues[queue]!.id, channel: 'reception', ...more }),
    callNext: async (agent = 0) =>
      (await run(bank.agentActors[agent]!, 'POST', `/agents/${bank.agents[agent]!.id}/call-next/`, {}))[
        'ticket'
      ] as Json,
    act: (verb, ticketId, body = {}, agent = 0) =>
      run(bank.agentActors[agent]!, 'POST', `/tickets/${ticketId}/${verb}/`, body),
    async signIn(context, agent = 0) {
      const answer = await context.request.post(`${url}/api/v1/auth/session/`, {
        headers: { origin: url },
        data: { email: `agent${agent + 1}@${bank.tenant.slug}.example`, password: PASSWORD, tenant: bank.tenant.slug },
      })
      if (!answer.ok()) throw new Error(await answer.text())
      return (await answer.json()) as Json
    },
  }
}

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** What axe-core finds by WCAG 2.0 to 2.2, A and AA: `rule: selector`, empty when all is well. `within`: a part of the page. */
export async function violations(page: Page | Frame, within?: string): Promise<string[]> {
  // Through the debugger, because the page's policy lets no foreign script in; once a page, because it is half a megabyte.
  if (!(await page.evaluate(`'axe' in globalThis`))) await page.evaluate(`(() => { ${AXE} })()`)
  // What is well is not told: writing it down and sending it costs a third of the work.
  const list = (await page.evaluate(
    `axe.run(${within ? JSON.stringify(within) : 'document'}, { runOnly: ${JSON.stringify(WCAG)}, reporter: 'no-passes', resultTypes: ['violations'], preload: false }).then(({ violations }) => violations)`,
  )) as { id: string; nodes: { target: unknown; failureSummary?: string }[] }[]
  return list.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${String(node.target)} ${node.failureSummary ?? ''}`),
  )
}

/** What a page in this language is looked at in: no colour hangs on the language, which a test of the styles holds. */
const THEMES = { fr: 'dark', ar: 'light' } as const

/** `violations` of a page that is looked at in French and in Arabic: in one theme each. */
export async function violationsInTheme(page: Page, language: keyof typeof THEMES): Promise<string[]> {
  await page.evaluate((name) => (document.documentElement.dataset['theme'] = name), THEMES[language])
  return violations(page)
}
