import { DEMO_PASSWORD, seedDemo, type DemoTenant } from '../../../db/seed.ts'
import type { Config } from '../../config.ts'
import { displayLink } from '../../pages/display-token.ts'
import { startDemoDay } from '../../replay/index.ts'
import { print, table } from './output.ts'
import { ALL_ROLES, start, stopWithGrace } from './serve.ts'

/** How many agents of each organisation the day leaves to whoever tries the demo: the last ones of the list. */
const LEFT_TO_TRY = 1

/** Three organisations, every screen, and a day that plays itself. */
export async function demo(config: Config, options: { speed: number; isPlayed: boolean }): Promise<void> {
  const serving = await start(config, ALL_ROLES, config.logLevel === 'info' ? 'warn' : config.logLevel)
  const tenants = await seedDemo(serving.app.db)
  const left = new Set(tenants.flatMap(({ agents }) => agents.slice(-LEFT_TO_TRY).map(({ email }) => email)))
  const names = new Set(
    tenants.flatMap(({ agents }) => agents.filter(({ email }) => left.has(email)).map(({ name }) => name)),
  )
  const stopDay = options.isPlayed
    ? startDemoDay({
        baseUrl: serving.url,
        tenants: tenants.map(({ tenant, admin }) => ({ tenant: tenant.slug, email: admin, password: DEMO_PASSWORD })),
        speed: options.speed,
        plays: ({ name }) => !names.has(name),
        onError: (error) => serving.logger.warn({ err: error, component: 'demo' }, 'the demo day stumbled'),
      })
    : async () => {}
  stopWithGrace(serving, config, stopDay)
  print(overview(serving.url, config, tenants))
}

function overview(url: string, config: Config, tenants: readonly DemoTenant[]): string {
  const sections = tenants.map(({ tenant, sites, displays, agents, admin, supervisor }) => {
    const free = agents.slice(-LEFT_TO_TRY)
    const rows = [
      ...sites.map((site) => ['Take a number', `${url}/site/${tenant.slug}/${site.slug}`, site.name]),
      ...displays.map((display) => ['Display', url + displayLink(config, tenant, display.id), display.name]),
      ...free.map((agent) => ['Agent', `${url}/app/agent?tenant=${tenant.slug}`, `${agent.email} (${agent.name})`]),
      ['Administrator', `${url}/docs`, admin],
      ['Supervisor', '', supervisor],
    ]
    return `${tenant.name} (${tenant.slug})\n${table(rows).replace(/^/gm, '  ')}`
  })
  return [
    `SmartQueue demo: ${url}`,
    ...sections,
    `Password of every login: ${DEMO_PASSWORD}\nEvery page in French, English or Arabic: add ?lang=fr, ?lang=en or ?lang=ar\nAPI reference: ${url}/docs   Stop: Ctrl-C`,
  ].join('\n\n')
}
