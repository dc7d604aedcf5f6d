import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { chromium, type Browser } from 'playwright-core'
import { buildApp } from '../../server/app.ts'
import { loadConfig } from '../../server/config.ts'
import { hashPassword } from '../../server/modules/authentication/index.ts'
import { ensureScreens } from '../../web/build/ensure.ts'
import type { Cluster } from '../cluster.ts'
import type { Verdict } from '../goals.ts'
import { median } from '../measure/stats.ts'
import { goalTable } from '../table.ts'
import type { Year } from './year.ts'

const VISITS = 5
const EMAIL = 'manager@chain.example'
const PASSWORD = 'correct horse battery staple'
const GOAL_MS = 1500

interface Load {
  paint: number
  headline: number
  all: number
}

/** The page of analytics, opened with an empty cache by a manager of the whole chain and of one site: milliseconds from the address to each paint. */
export async function measurePage(cluster: Cluster, year: Year): Promise<string> {
  await ensureScreens()
  const { query } = cluster.direct
  await query(
    `with one as (insert into users (email, name, password_hash) values ($1, 'Manager', $2) returning id)
     insert into memberships (tenant_id, user_id, role) select $3, id, 'supervisor' from one`,
    [EMAIL, await hashPassword(PASSWORD), year.tenant.id],
  )
  const [site] = await query<{ id: number }>('select min(id) as id from sites where tenant_id = $1', [year.tenant.id])
  const settings = {
    DATABASE_URL: cluster.url,
    DATABASE_DIRECT_URL: cluster.directUrl,
    SECRET_KEY: randomBytes(48).toString('base64url'),
    LOG_LEVEL: 'error',
    METRICS_PORT: '0',
    RATE_LIMIT_FACTOR: '1000000',
  }
  const server = await buildApp(loadConfig(settings, cluster.directory))
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(server.app.server.address() as AddressInfo).port}`
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  })
  try {
    const verdicts: Verdict[] = []
    for (const [what, place] of [
      ['whole chain', ''],
      ['one site', `?site=${site!.id}`],
      ['one site, one channel', `?site=${site!.id}&channel=kiosk`],
    ] as const) {
      const loads: Load[] = []
      for (let i = 0; i < VISITS; i++) loads.push(await visit(browser, url, place))
      const middle = (name: keyof Load) => median(loads.map((load) => load[name]))
      verdicts.push(
        { text: `${what}: first paint, ms`, atMost: GOAL_MS, measured: middle('paint') },
        { text: `${what}: headline figures painted, ms`, atMost: GOAL_MS, measured: middle('headline') },
        { text: `${what}: every report painted, ms`, measured: middle('all') },
      )
    }
    return goalTable(verdicts)
  } finally {
    await browser.close()
    await server.close()
  }
}

/** Somebody who has never been here, already signed in. */
async function visit(browser: Browser, url: string, place: string): Promise<Load> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' })
  const answer = await context.request.post(`${url}/api/v1/auth/session/`, {
    headers: { origin: url },
    data: { email: EMAIL, password: PASSWORD, tenant: 'chain' },
  })
  if (!answer.ok()) throw new Error(await answer.text())
  const page = await context.newPage()
  await page.addInitScript(watch)
  await page.goto(`${url}/app/analytics${place}`)
  await page.waitForFunction(() => (globalThis as unknown as { load: Load }).load.all > 0)
  const load = await page.evaluate(() => (globalThis as unknown as { load: Load }).load)
  await context.close()
  return load
}

/** Runs in the page: notes when each was painted. */
function watch(): void {
  const load: Load = { paint: 0, headline: 0, all: 0 }
  Object.assign(globalThis, { load })
  const note = (name: keyof Load, isThere: boolean) => {
    // After the frame's own work comes a task: by then it is painted.
    if (isThere && load[name] === 0) setTimeout(() => (load[name] ||= performance.now()))
  }
  const look = () => {
    load.paint ||= performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0
    note('headline', document.querySelector('[data-headline=served]:not([data-value=""])') !== null)
    note('all', document.querySelector('.analytics[data-complete=true]') !== null)
    if (load.all === 0 || load.paint === 0) requestAnimationFrame(look)
  }
  look()
}
