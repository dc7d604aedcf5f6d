import Type, { type Static } from 'typebox'
import type { Tx } from '../../kernel/db/types.ts'
import { conflict } from '../../kernel/errors.ts'
import { openStream } from '../../kernel/events/index.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Locale, Name, Slug } from '../../kernel/schema.ts'
import { checkTimezone, Timezone } from '../../kernel/timezone.ts'
import { TENANT_COLUMNS, TenantEntity } from './schema.ts'

const input = Closed({
  name: Name,
  slug: Slug,
  timezone: Type.Optional(Timezone),
  locale: Type.Optional(Locale),
  is_sandbox: Type.Optional(Type.Boolean({ default: false })),
})

/** A new organisation with its configuration stream. Runs outside tenants; leaves `tx` inside the new one. */
export async function createTenant(tx: Tx, wanted: Static<typeof input>): Promise<TenantEntity> {
  const { name, slug, timezone = 'UTC', locale = 'fr', is_sandbox = false } = wanted
  checkTimezone(timezone)
  const tenant = await tx.one<TenantEntity>(
    `insert into tenants (name, slug, timezone, locale, is_sandbox) values ($1, $2, $3, $4, $5) returning ${TENANT_COLUMNS}`,
    [name, slug, timezone, locale, is_sandbox],
  )
  // The stream stands behind the tenant's wall, which opens with this setting until the transaction ends.
  await tx.query(`select set_config('app.current_tenant_id', $1, true)`, [String(tenant.id)])
  await openStream(tx, tenant.id, 0)
  return tenant
}

export const create = operation({
  id: 'tenants.create',
  kind: 'mutation',
  summary: 'Create an organisation',
  scope: 'admin:tenant',
  roles: ['operator', 'system'],
  http: { method: 'POST', path: '/tenants/', base: 'root', status: 201 },
  input,
  output: TenantEntity,
  example: { input: { name: 'Demo Bank', slug: 'demo-bank', timezone: 'Europe/Paris', locale: 'fr' } },
  constraints: { tenants_slug_key: () => conflict('slug_taken') },
  run: (ctx, wanted) => createTenant(ctx.tx, wanted),
})
