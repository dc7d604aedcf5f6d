import { writeDemoPast } from '../../../db/demo/past.ts'
import { DEMO_PASSWORD, seedDemo, type DemoTenant } from '../../../db/seed.ts'
import type { Config } from '../../config.ts'
import { displayLink } from '../../modules/displays/index.ts'
import { startDemoDay } from '../../replay/index.ts'
import { print, table } from './output.ts'
import { ALL_ROLES, start, stopWithGrace, type Serving } from './serve.ts'

/** The agent that the day leaves to whoever tries the demo: the last one of the first site, whose page is printed first. */
const agentToTry = ({ sites, agents }: DemoTenant) => agents.findLast(({ site_id }) => site_id === sites[0]!.id)!

/** Three organisations, every screen, and a day that plays itself. */
export async function demo(config: Config, options: { speed: number; isPlayed: boolean }): Promise<void> {
  const serving = await start(config, ALL_ROLES, config.logLevel === 'info' ? 'warn' : config.logLevel)
  const tenants = await seedDemo(serving.app.db)
  stopWithGrace(serving, config, options.isPlayed ? play(serving, tenants, options.speed) : undefined)
  print(overview(serving.url, tenants))
}

/** Plays the day and writes what was before. @returns ends both */
function play(
  { app, url: baseUrl, logger }: Serving,
  tenants: readonly DemoTenant[],
  speed: number,
): () => Promise<void> {
  const logins = tenants.map(({ tenant, admin }) => ({
    id: tenant.id,
    tenant: tenant.slug,
    email: admin,
    password: DEMO_PASSWORD,
  }))
  const left = new Set(tenants.map((tenant) => agentToTry(tenant).name))
  const onError = (error: unknown) => logger.warn({ err: error, component: 'demo' }, 'the demo day stumbled')
  const stopDay = startDemoDay({ baseUrl, tenants: logins, speed, plays: ({ name }) => !left.has(name), onError })
  const stopping = new AbortController()
  const { signal } = stopping
  const past = writeDemoPast({ db: app.db, baseUrl, tenants: logins, signal }).catch(
    (error: unknown) => signal.aborted || onError(error),
  )
  return async () => {
    stopping.abort()
    await Promise.all([past, stopDay()])
  }
}

function overview(url: string, tenants: readonly DemoTenant[]): string {
  const sections = tenants.map((demo) => {
    const { tenant, sites, displays, admin, supervisor } = demo
    const agent = agentToTry(demo)
    const rows = [
      ...sites.map((site) => ['Take a number', `${url}/site/${tenant.slug}/${site.slug}`, site.name]),
      ...displays.map((display) => [
        'Display',
        url + displayLink(tenant, display.id, display.link_version),
        display.name,
      ]),
      ['Agent', `${url}/app/agent?tenant=${tenant.slug}`, `${agent.email} (${agent.name}, ${sites[0]!.name})`],
      ['Supervisor', `${url}/app/floor?tenant=${tenant.slug}`, supervisor],
      ['Analytics', `${url}/app/analytics?tenant=${tenant.slug}`, supervisor],
      ['Administrator', `${url}/app/admin/sites?tenant=${tenant.slug}`, admin],
    ]
    return `${tenant.name} (${tenant.slug})\n${table(rows).replace(/^/gm, '  ')}`
  })
  return [
    `SmartQueue demo: ${url}`,
    ...sections,
    `Password of every login: ${DEMO_PASSWORD}\nEvery page in French, English or Arabic: add ?lang=fr, ?lang=en or ?lang=ar\nScreens to pair, under Devices of an administrator: ${url}/kiosk and ${url}/display\nMessages and invitations that nobody sends: ${url}/dev/outbox\nAPI reference: ${url}/docs   Stop: Ctrl-C`,
  ].join('\n\n')
}
