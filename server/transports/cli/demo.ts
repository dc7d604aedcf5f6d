import { DEMO_PASSWORD, seedDemo, type DemoTenant } from '../../../db/seed.ts'
import type { Config } from '../../config.ts'
import { displayLink } from '../../modules/displays/index.ts'
import { startDemoDay } from '../../replay/index.ts'
import { print, table } from './output.ts'
import { ALL_ROLES, start, stopWithGrace } from './serve.ts'

/** The agent that the day leaves to whoever tries the demo: the last one of the first site, whose page is printed first. */
const agentToTry = ({ sites, agents }: DemoTenant) => agents.findLast(({ site_id }) => site_id === sites[0]!.id)!

/** Three organisations, every screen, and a day that plays itself. */
export async function demo(config: Config, options: { speed: number; isPlayed: boolean }): Promise<void> {
  const serving = await start(config, ALL_ROLES, config.logLevel === 'info' ? 'warn' : config.logLevel)
  const tenants = await seedDemo(serving.app.db)
  const left = new Set(tenants.map((tenant) => agentToTry(tenant).name))
  const stopDay = options.isPlayed
    ? startDemoDay({
        baseUrl: serving.url,
        tenants: tenants.map(({ tenant, admin }) => ({ tenant: tenant.slug, email: admin, password: DEMO_PASSWORD })),
        speed: options.speed,
        plays: ({ name }) => !left.has(name),
        onError: (error) => serving.logger.warn({ err: error, component: 'demo' }, 'the demo day stumbled'),
      })
    : async () => {}
  stopWithGrace(serving, config, stopDay)
  print(overview(serving.url, tenants))
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
      ['Administrator', `${url}/app/admin/sites?tenant=${tenant.slug}`, admin],
    ]
    return `${tenant.name} (${tenant.slug})\n${table(rows).replace(/^/gm, '  ')}`
  })
  return [
    `SmartQueue demo: ${url}`,
    ...sections,
    `Password of every login: ${DEMO_PASSWORD}\nEvery page in French, English or Arabic: add ?lang=fr, ?lang=en or ?lang=ar\nScreens to pair, under Devices of an administrator: ${url}/kiosk and ${url}/display\nAPI reference: ${url}/docs   Stop: Ctrl-C`,
  ].join('\n\n')
}
