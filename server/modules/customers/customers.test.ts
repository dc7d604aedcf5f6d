import { beforeAll, describe, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { identify, operations } from './index.ts'

let base: TestDatabase
let a: TenantFixture
let b: TenantFixture
let agent: ReturnType<ReturnType<typeof caller>>
let other: typeof agent
let run: ReturnType<typeof caller>
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )

beforeAll(async () => {
  base = await testDatabase()
  run = caller(testRuntime(base.db), operations)
  a = await aTenant(base.owner)
  b = await aTenant(base.owner)
  agent = run(a.agentActors[0]!, a.tenant)
  other = run(b.admin, b.tenant)
})

test('a customer is kept with the phone in E.164, and events do not say who it is', async () => {
  const customer = await agent('customers.create', {
    name: 'Samira',
    phone: '06 12 34 56 78',
    email: 'Samira@Example.org',
  })
  expect(customer).toMatchObject({
    phone: '+33612345678',
    email: 'samira@example.org',
    consents: {},
    note: '',
    locale: null,
  })
  const changed = await agent('customers.update', { id: customer.id, consents: { sms: true }, email: null })
  expect(changed).toMatchObject({ name: 'Samira', phone: '+33612345678', email: null, consents: { sms: true } })
  const events = await base.owner<{ type: string; data: unknown }>(
    'select type, data from events where tenant_id = $1',
    [a.tenant.id],
  )
  expect(events).toEqual([
    { type: 'customer.created', data: { customer: { id: customer.id } } },
    { type: 'customer.updated', data: { customer: { id: customer.id } } },
  ])
  expect((await agent('customers.list', { phone: '+33612345678' })).results).toEqual([changed])
  expect((await agent('customers.list', { q: 'sami' })).results).toHaveLength(1)
  await expect(agent('customers.create', { phone: '12' })).rejects.toMatchObject({
    fields: [{ path: '/phone', code: 'too_short' }],
  })
  await expect(agent('customers.create', { phone: '1234' })).rejects.toMatchObject({
    fields: [{ path: '/phone', code: 'phone' }],
  })
})

test('the wall, the roles and the outside key', async () => {
  const { id } = await agent('customers.create', { name: 'Walled', external_id: 'crm-1' })
  expect(await code(other('customers.get', { id }))).toBe('not_found')
  expect(await code(other('customers.update', { id, name: 'mine' }))).toBe('not_found')
  await other('customers.create', { external_id: 'crm-1' })
  expect(await code(agent('customers.create', { external_id: 'crm-1' }))).toBe('already_exists')
  expect(await code(agent('customers.delete', { id }))).toBe('forbidden')
  expect(await run(a.supervisor, a.tenant)('customers.delete', { id })).toBeNull()
  expect(await code(run(a.kiosk, a.tenant)('customers.list'))).toBe('forbidden')
})

describe('identify', () => {
  const known = (person: Parameters<typeof identify>[2], tenant = a.tenant) =>
    base.db.tenant(tenant.id, (tx) => identify(tx, tenant, person))

  test('finds by phone in any spelling, then by e-mail, and fills in what was unknown', async () => {
    const id = await known({ phone: '07 11 22 33 44' })
    expect(await known({ phone: '+33 7 11 22 33 44', name: 'Karim', email: 'Karim@example.org' })).toBe(id)
    expect(await known({ email: 'karim@EXAMPLE.org', name: 'Somebody else', locale: 'ar' })).toBe(id)
    expect(await agent('customers.get', { id })).toMatchObject({
      name: 'Karim',
      phone: '+33711223344',
      email: 'karim@example.org',
      locale: 'ar',
    })
    expect(await known({ phone: '07 11 22 33 44' }, b.tenant)).not.toBe(id)
  })

  test('a name alone makes a new person each time, nothing makes nobody', async () => {
    expect(await known({ name: 'Jean' })).not.toBe(await known({ name: 'Jean' }))
    expect(await known({})).toBeNull()
    expect(await known({ name: '  ', locale: 'fr' })).toBeNull()
    await expect(known({ phone: '99999' })).rejects.toMatchObject({
      fields: [{ path: '/customer/phone', code: 'phone' }],
    })
  })

  test('twenty first visits at once make one customer', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => known({ phone: '07 55 66 77 88', name: 'Rush' })))
    expect(new Set(ids).size).toBe(1)
    // Control: without a phone or an e-mail there is nothing to tell them by.
    const strangers = await Promise.all(Array.from({ length: 3 }, () => known({ name: 'Rush' })))
    expect(new Set(strangers).size).toBe(3)
  })
})
