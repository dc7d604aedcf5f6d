import { beforeAll, expect, test } from 'vitest'
import type { Actor } from '../../kernel/access.ts'
import { aTenant, anonymousActor, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations, tenantDirectory } from './index.ts'

let base: TestDatabase
let a: TenantFixture
let run: ReturnType<typeof caller>
const operator: Actor = {
  ...anonymousActor,
  role: 'operator',
  principal: 'user:1',
  userId: 1,
  scopes: new Set(['admin:tenant']),
}
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )

beforeAll(async () => {
  base = await testDatabase()
  run = caller(testRuntime(base.db), operations)
  a = await aTenant(base.owner)
})

test('an operator creates an organisation that can be worked in at once', async () => {
  const tenant = await run(operator, null)('tenants.create', {
    name: 'Ville de Lyon',
    slug: 'lyon',
    timezone: 'Europe/Paris',
  })
  expect(tenant).toMatchObject({
    slug: 'lyon',
    name: 'Ville de Lyon',
    locale: 'fr',
    plan: 'standard',
    data_retention_days: 365,
    message_retention_days: null,
    is_active: true,
  })
  const admin: Actor = { ...a.admin, tenantId: tenant.id }
  await run(admin, tenant)('tenants.update', { name: 'Lyon' })
  const [event] = await base.owner<{ type: string; data: any }>('select type, data from events where tenant_id = $1', [
    tenant.id,
  ])
  expect(event).toMatchObject({ type: 'tenant.updated', data: { tenant: { name: 'Lyon' } } })
  expect(await run(operator, null)('tenants.create', { name: 'Plain', slug: 'plain' })).toMatchObject({
    timezone: 'UTC',
    locale: 'fr',
  })
})

test('a slug is taken once, and zones are known ones', async () => {
  const create = (input: object) => code(run(operator, null)('tenants.create', { name: 'X', slug: 'x', ...input }))
  expect(await create({ slug: a.tenant.slug })).toBe('slug_taken')
  expect(await create({ timezone: 'Europe/Nowhere' })).toBe('invalid_input')
  expect(await create({ slug: 'Nope!' })).toBe('invalid_input')
})

test('only operators create, only administrators change, staff read', async () => {
  const input = { name: 'X', slug: 'x-y' }
  expect(await code(run(a.admin, null)('tenants.create', input))).toBe('forbidden')
  expect(await code(run(anonymousActor, null)('tenants.create', input))).toBe('unauthorized')
  expect(await code(run(a.supervisor, a.tenant)('tenants.update', { name: 'X' }))).toBe('forbidden')
  expect(await run(a.agentActors[0]!, a.tenant)('tenants.get')).toMatchObject({ id: a.tenant.id, slug: a.tenant.slug })
})

test('a change keeps what it does not name and refuses an old version', async () => {
  const admin = run(a.admin, a.tenant)
  const changed = await admin('tenants.update', { data_retention_days: 30, message_retention_days: 7, locale: 'ar' })
  expect(changed).toMatchObject({
    data_retention_days: 30,
    message_retention_days: 7,
    locale: 'ar',
    timezone: 'Europe/Paris',
    name: a.tenant.name,
  })
  expect(await code(admin('tenants.update', { name: 'X' }, { ifMatch: '"old"' }))).toBe('etag_mismatch')
  expect(await code(admin('tenants.update', { plan: 'gold' }))).toBe('invalid_input')
})

test('the directory finds by slug and id, and an answer is at most a second old', async () => {
  const directory = tenantDirectory(base.db)
  const [bySlug, byId] = await Promise.all([directory.bySlug(a.tenant.slug), directory.byId(a.tenant.id)])
  expect(bySlug).toEqual(byId)
  expect(bySlug).toMatchObject({ id: a.tenant.id, slug: a.tenant.slug, timezone: 'Europe/Paris', is_active: true })
  for (const slug of ['nobody', '', '../..', "'; --", 'x'.repeat(1000)])
    expect(await directory.bySlug(slug)).toBeUndefined()
  for (const id of [0, -1, 1.5, Number.NaN, 2 ** 60, 999_999]) expect(await directory.byId(id)).toBeUndefined()
  await base.owner('update tenants set is_active = false where id = $1', [a.tenant.id])
  await expect.poll(() => directory.bySlug(a.tenant.slug)).toMatchObject({ is_active: false })
})
