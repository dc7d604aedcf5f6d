/** `npm run bench:screens`: how soon screens show what happened. Real server, real Chromium; docs/screens.md says what. */
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { chromium, type Page } from 'playwright-core'
import { buildApp } from '../server/app.ts'
import { loadConfig } from '../server/config.ts'
import { hashPassword } from '../server/modules/authentication/index.ts'
import { displayLink } from '../server/modules/displays/index.ts'
import { operationById } from '../server/modules/index.ts'
import { aTenant } from '../server/test/factories.ts'
import { ensureScreens } from '../web/build/ensure.ts'
import { startCluster } from './cluster.ts'
import type { Verdict } from './goals.ts'
import { quantile } from './measure/stats.ts'
import { goalTable } from './table.ts'

const PASSWORD = 'correct horse battery staple'
const KEYS = 50
const VISITORS = 30
const WALL_CALLS = 100
const DAY = 300

const closers: (() => unknown)[] = []
async function close() {
  for (const closer of closers.splice(0).toReversed()) await closer()
}
process.once('SIGINT', () => void close().finally(() => process.exit(130)))

try {
  await ensureScreens()
  const cluster = await startCluster()
  closers.push(cluster.close)
  const settings = {
    DATABASE_URL: cluster.url,
    DATABASE_DIRECT_URL: cluster.directUrl,
    SECRET_KEY: randomBytes(48).toString('base64url'),
    LOG_LEVEL: 'error',
    METRICS_PORT: '0',
    RATE_LIMIT_FACTOR: '1000000',
  }
  const server = await buildApp(loadConfig(settings, cluster.directory))
  closers.push(() => server.close())
  const bank = await aTenant((text, values) => cluster.direct.query(text, values), {
    slug: 'bench',
    queues: 3,
    counters: 2,
  })
  await cluster.direct.query('update users set password_hash = $1', [await hashPassword(PASSWORD)])
  const [wall] = await cluster.direct.query<{ id: number }>(
    `insert into displays (tenant_id, site_id, name) values ($1, $2, 'Hall') returning id`,
    [bank.tenant.id, bank.sites[0]!.id],
  )
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(server.app.server.address() as AddressInfo).port}`
  const take = async () => {
    const input = { queue_id: bank.queues[0]!.id, channel: 'reception' }
    const request = { actor: bank.admin, tenant: bank.tenant, locale: 'fr' as const, input }
    return (await server.runtime.execute(operationById.get('tickets.take')!, request)).output as {
      number: string
      public_token: string
    }
  }
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  })
  closers.push(() => browser.close())
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' })
  const signedIn = await context.request.post(`${url}/api/v1/auth/session/`, {
    headers: { origin: url },
    data: { email: 'agent1@bench.example', password: PASSWORD, tenant: 'bench' },
  })
  if (!signedIn.ok()) throw new Error(await signedIn.text())
  const desk = await context.newPage()
  await desk.goto(`${url}/app/agent`)
  await desk.waitForSelector('.panes')
  const verdicts: Verdict[] = []
  const p95 = (values: number[]) =>
    quantile(
      values.toSorted((a, b) => a - b),
      0.95,
    )
  const judge = (text: string, atMost: number, measured: number) => {
    verdicts.push({ text, atMost, measured })
    console.error(`${text}: ${measured.toFixed(1)}`)
  }

  // From the key to the next number painted, and to the server's word for it.
  for (let i = 0; i < KEYS + 5; i++) await take()
  const painted: number[] = []
  const confirmed: number[] = []
  await desk.locator('[data-upcoming]').waitFor()
  for (let i = 0; i < KEYS + 5; i++) {
    const answer = desk.waitForResponse(/\/next\/$/)
    const ms = await desk.evaluate(pressAndPaint)
    const response = await answer
    await response.finished()
    // The first ones warm the page up.
    if (i >= 5) {
      painted.push(ms)
      confirmed.push(response.request().timing().responseEnd)
    }
  }
  console.error(
    `key to paint, middle: ${quantile(
      painted.toSorted((a, b) => a - b),
      0.5,
    ).toFixed(1)} ms`,
  )
  judge(`key to paint, P95 of ${KEYS}, ms`, 50, p95(painted))
  judge(`key to the server's answer, P95 of ${KEYS}, ms`, 250, p95(confirmed))

  // From the agent's key to the visitor's own screen.
  const phones: number[] = []
  for (let i = 0; i < VISITORS; i++) {
    const { public_token: token } = await take()
    const phone = await (await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'fr-FR' })).newPage()
    await phone.goto(`${url}/t/${token}/`)
    await phone.waitForSelector('[data-state=waiting] [aria-expanded], [data-state=waiting]')
    await phone.waitForLoadState('networkidle')
    await desk.locator('.waiting-row').first().waitFor()
    const shown = phone.evaluate(whenShown, '[data-state=called]')
    const pressedAt = await press(desk)
    phones.push((await shown) - pressedAt)
    await phone.context().close()
  }
  judge(`call to the visitor's screen, P95 of ${VISITORS}, ms`, 500, p95(phones))

  // From the agent's key to the wall: the number stands in the list at once, whoever has the stage.
  const screen = await (await browser.newContext({ viewport: { width: 1920, height: 1080 } })).newPage()
  await screen.goto(url + displayLink(bank.tenant, wall!.id))
  await screen.waitForSelector('.wall')
  const walls: number[] = []
  for (let i = 0; i < WALL_CALLS; i++) {
    const { number } = await take()
    await desk.locator(`[data-number="${number}"]`).waitFor()
    const shown = screen.evaluate(whenTextShown, number)
    const pressedAt = await press(desk)
    walls.push((await shown) - pressedAt)
  }
  judge(`call to the display, P95 of ${WALL_CALLS}, ms`, 300, p95(walls))
  await screen.context().close()

  // A day by keyboard alone.
  const cdp = await context.newCDPSession(desk)
  const heap = async () => {
    await cdp.send('HeapProfiler.collectGarbage')
    return (await cdp.send('Runtime.getHeapUsage')).usedSize / 1e6
  }
  for (let i = 0; i < DAY; i++) await take()
  await desk.locator(`[data-waiting="${DAY}"]`).waitFor()
  const before = await heap()
  const started = performance.now()
  for (let i = 0; i < DAY; i++) {
    const answer = desk.waitForResponse(/\/next\/$/)
    await desk.keyboard.press('n')
    await answer
  }
  await desk.locator('[data-waiting="0"]').waitFor()
  judge(`${DAY} tickets by keyboard, growth of the heap, MB`, 20, (await heap()) - before)
  console.error(`${DAY} tickets in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  console.log(`\n${goalTable(verdicts)}`)
} finally {
  await close()
}

/** Presses the key and waits until the frame with another number has been painted. Runs in the page. */
function pressAndPaint(): Promise<number> {
  const shown = () => document.querySelector('[data-current]')?.getAttribute('data-current')
  const before = shown()
  const pressedAt = performance.now()
  dispatchEvent(new KeyboardEvent('keydown', { key: 'n', code: 'KeyN', cancelable: true }))
  return new Promise((resolve) => {
    const look = () => {
      if (shown() === before) requestAnimationFrame(look)
      // After the frame's own work comes a task: by then it is painted.
      else setTimeout(() => resolve(performance.now() - pressedAt))
    }
    requestAnimationFrame(look)
  })
}
/** When something that fits was painted, by the machine's clock. Runs in the page. */
function whenShown(selector: string): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.querySelector(selector)) setTimeout(() => resolve(Date.now()))
      else requestAnimationFrame(look)
    }
    look()
  })
}
function whenTextShown(text: string): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.body.textContent.includes(text)) setTimeout(() => resolve(Date.now()))
      else requestAnimationFrame(look)
    }
    look()
  })
}
/** The key that calls; when, by the machine's clock. */
function press(page: Page): Promise<number> {
  return page.evaluate(() => {
    const at = Date.now()
    dispatchEvent(new KeyboardEvent('keydown', { key: 'n', code: 'KeyN', cancelable: true }))
    return at
  })
}
