import { seedOrganisation } from '../../../../db/seed.ts'
import { DEMO_TENANTS } from '../../../../db/demo/tenants.ts'
import type { Config } from '../../../config.ts'
import { buildCore } from '../../../core.ts'
import { SCOPES, systemActor } from '../../../kernel/access.ts'
import { operationById } from '../../../modules/index.ts'
import { besideServer } from '../address.ts'
import { print } from '../output.ts'
import { keepCredentials, type Kept } from './credentials.ts'

/**
 * Makes an organisation to try things in: a branch with people at its counters, and a test key, with which this machine is then
 * logged in. Its tickets are nobody's.
 */
export async function createSandbox(given: Config, { slug, ...kept }: { slug: string } & Kept): Promise<void> {
  const config = besideServer(given)
  const core = await buildCore(config)
  try {
    const [plan] = DEMO_TENANTS
    const { tenant: made } = await seedOrganisation(core.db, { ...plan!, slug, name: `Sandbox ${slug}` }, true)
    const tenant = (await core.directory.bySlug(slug))!
    const { output } = await core.runtime.execute(operationById.get('api-keys.create')!, {
      actor: systemActor(made.id),
      tenant,
      locale: tenant.locale,
      input: { name: 'Sandbox', mode: 'test', scopes: [...SCOPES] },
    })
    const { key } = output as { key: string }
    const file = keepCredentials(kept, { base_url: config.publicUrl, tenant: slug, key })
    print(`Sandbox ${slug} at ${config.publicUrl}\nKey: ${key}\nLogged in: ${file}`)
  } finally {
    await core.close()
  }
}
