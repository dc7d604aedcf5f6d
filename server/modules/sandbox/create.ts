import { DEMO_TENANTS } from '../../../db/demo/tenants.ts'
import { fillOrganisation } from '../../../db/seed.ts'
import { conflict } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Name, Slug } from '../../kernel/schema.ts'
import { createTenant } from '../tenants/index.ts'
import { sandboxSlug } from './state.ts'

export const create = operation({
  id: 'sandbox.create',
  kind: 'mutation',
  summary:
    'Make the organisation’s sandbox: a branch with agents at its counters, in which test keys may change everything',
  description:
    'One for each organisation. Whoever asks is its administrator and nobody else is; `auth.switchTenant` leads there.',
  scope: 'admin:tenant',
  roles: ['admin'],
  http: { method: 'POST', path: '/sandbox/', status: 201 },
  input: Closed({}),
  output: Closed({ id: Id, slug: Slug, name: Name }),
  example: { input: {} },
  constraints: { tenants_slug_key: () => conflict('slug_taken') },
  async run({ tx, tenant, actor }) {
    const known = await tx.one<{ is_sandbox: boolean }>('select is_sandbox from tenants where id = $1', [tenant.id])
    if (known.is_sandbox) throw conflict('is_sandbox')
    const slug = sandboxSlug(tenant.slug)
    const { locale, timezone } = tenant
    const plan = { ...DEMO_TENANTS[0]!, slug, name: `Sandbox ${tenant.name}`.slice(0, 200), locale, timezone }
    const made = await createTenant(tx, { slug, name: plan.name, locale, timezone, is_sandbox: true })
    // Its agents are nobody's: no login exists whose address somebody could have taken before.
    await fillOrganisation(tx, made, plan, null)
    await tx.query(`insert into memberships (user_id, role) values ($1, 'admin')`, [actor.userId])
    // Back behind the caller's own wall, where this is put on record.
    await tx.query(`select set_config('app.current_tenant_id', $1, true)`, [String(tenant.id)])
    return { id: made.id, slug, name: plan.name }
  },
})
