/**
 * `npm run bench:screens [-- --quick] [--document]`: how soon screens show what happened, and how a first visit by a slow
 * telephone goes. Real server, real Chromium; about four minutes on a quiet machine. docs/screens.md says what.
 */
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { chromium, type Browser } from 'playwright-core'
import { buildApp } from '../server/app.ts'
import { loadConfig } from '../server/config.ts'
import { hashPassword } from '../server/modules/authentication/index.ts'
import { displayLink } from '../server/modules/displays/index.ts'
import { operationById } from '../server/modules/index.ts'
import { aTenant } from '../server/test/factories.ts'
import { ensureScreens } from '../web/build/ensure.ts'
import { startCluster } from './cluster.ts'
import { document } from './document.ts'
import type { Verdict } from './goals.ts'
import { describeMachine } from './machine.ts'
import { keys, longLine, day } from './screens/desk.ts'
import { callsToPhones, callsToWall } from './screens/calls.ts'
import { intakeStops } from './screens/floor.ts'
import { tickets } from './screens/machine.ts'
import { firstVisits } from './screens/phone.ts'
import { race } from './screens/race.ts'
import { goalTable } from './table.ts'

const PASSWORD = 'correct horse battery staple'
const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, document: { type: 'boolean', default: false } },
})
if (options.quick && options.document) throw new Error('a quick run is not for the document')

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
  const query = cluster.direct.query
  const bank = await aTenant((text, values) => query(text, values), {
    slug: 'bench',
    queues: 3,
    counters: 2,
    agents: 2,
  })
  await query('update users set password_hash = $1', [await hashPassword(PASSWORD)])
  const [wall] = await query<{ id: number }>(
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
  const desk = await openDesk(browser, url)
  const world = {
    browser,
    desk,
    url,
    take,
    query,
    many: (count: number) => (options.quick ? Math.ceil(count / 10) : count),
  }

  const verdicts: Verdict[] = []
  const judge = (found: readonly Verdict[]) => {
    for (const verdict of found) console.error(`${verdict.text}: ${verdict.measured?.toFixed(2) ?? '–'}`)
    verdicts.push(...found)
  }
  judge(await firstVisits(world))
  judge(await keys(world))
  judge(await callsToPhones(world))
  judge(await callsToWall(world, url + displayLink(bank.tenant, wall!.id)))
  judge(await day(world))
  const other = await openDesk(browser, url, 2)
  judge(await race(world, other))
  await other.context().close()
  judge(await longLine(world, bank.tenant.id))
  const kiosks = await query<{ id: number }>(
    `insert into kiosks (tenant_id, site_id, name, settings) values ($1, $2, 'Hall', '{"prints": true, "printer": "serial"}') returning id`,
    [bank.tenant.id, bank.sites[0]!.id],
  )
  judge(
    await tickets(world, async (code) => {
      const input = { code, kind: 'kiosk', site_id: bank.sites[0]!.id, name: 'Hall', kiosk_id: kiosks[0]!.id }
      const request = { actor: bank.admin, tenant: bank.tenant, locale: 'fr' as const, input }
      await server.runtime.execute(operationById.get('devices.pair')!, request)
    }),
  )
  const [manager] = await query<{ email: string }>('select email from users where id = $1', [bank.supervisor.userId])
  const floor = await signedIn(browser, url, manager!.email)
  judge(await intakeStops(world, floor, bank.queues[2]!.id))
  console.log(`\n${goalTable(verdicts)}`)
  if (options.document) document(goalTable(verdicts), await describeMachine(cluster.direct), 'screens')
} finally {
  await close()
}

/** An agent's console, signed in and at a counter. */
async function openDesk(browser: Browser, url: string, agent = 1) {
  const page = await signedIn(browser, url, `agent${agent}@bench.example`)
  await page.goto(`${url}/app/agent`)
  await page.waitForSelector('.panes')
  return page
}

/** A page of somebody's own window, before anything is opened in it. */
async function signedIn(browser: Browser, url: string, email: string) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' })
  const answer = await context.request.post(`${url}/api/v1/auth/session/`, {
    headers: { origin: url },
    data: { email, password: PASSWORD, tenant: 'bench' },
  })
  if (!answer.ok()) throw new Error(await answer.text())
  return context.newPage()
}
