import { beforeAll, describe, expect, test } from 'vitest'
import { aTenant, anonymousActor, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { actorOfToken, operations } from './index.ts'

let base: TestDatabase
let a: TenantFixture
let b: TenantFixture
let run: ReturnType<typeof caller>
let admin: ReturnType<typeof run>
let other: typeof admin
let nobody: typeof admin
const password = 'trois petits chats'
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
  admin = run(a.admin, a.tenant)
  other = run(b.admin, b.tenant)
  nobody = run(anonymousActor, null)
})

test('an administrator adds a user who can sign in', async () => {
  const email = 'Nadia@Example.org'
  const user = await admin('users.create', {
    email,
    name: 'Nadia',
    password,
    role: 'agent',
    site_ids: [a.sites[0]!.id],
  })
  expect(user).toMatchObject({
    email: 'nadia@example.org',
    role: 'agent',
    site_ids: [a.sites[0]!.id],
    queue_ids: null,
    is_active: true,
  })
  expect(user).not.toHaveProperty('password_hash')
  expect(await admin('users.get', { id: user.id })).toEqual(user)
  expect(await nobody('auth.token', { email, password })).toMatchObject({ role: 'agent', tenant: { id: a.tenant.id } })
  expect((await admin('users.list', { q: 'NADIA' })).results).toEqual([user])
  expect((await admin('users.list', { role: 'admin' })).results.map(({ id }: { id: number }) => id)).toEqual([
    a.admin.userId,
  ])
  const events = await base.owner<{ data: unknown }>('select data from events where tenant_id = $1', [a.tenant.id])
  expect(JSON.stringify(events)).not.toMatch(/nadia/i)
})

test('only administrators write, agents do not even read', async () => {
  const input = { email: 'x@example.org', name: 'X', role: 'admin' }
  expect(await code(run(a.supervisor, a.tenant)('users.create', input))).toBe('forbidden')
  expect(await code(run(a.agentActors[0]!, a.tenant)('users.list'))).toBe('forbidden')
  expect((await run(a.supervisor, a.tenant)('users.list')).results.length).toBeGreaterThanOrEqual(3)
})

test('users of another tenant do not exist', async () => {
  const id = a.agentActors[0]!.userId!
  for (const [verb, input] of [
    ['get', { id }],
    ['get', { id: 987_654_321 }],
    ['update', { id, name: 'mine' }],
  ] as const) {
    await expect(other(`users.${verb}`, input)).rejects.toMatchObject({ status: 404, code: 'not_found', fields: [] })
  }
  const site_ids = [a.sites[0]!.id]
  expect(await code(other('users.create', { email: 'y@example.org', name: 'Y', role: 'agent', site_ids }))).toBe(
    'not_found',
  )
  expect(
    await code(
      other('users.create', { email: 'y@example.org', name: 'Y', role: 'agent', queue_ids: [a.queues[0]!.id] }),
    ),
  ).toBe('not_found')
})

describe('a person known elsewhere', () => {
  const email = 'shared@example.org'
  let id: number

  test('joins by an invitation only: a password that somebody else set must not open another door', async () => {
    id = (await admin('users.create', { email, name: 'Shared', password, role: 'agent' })).id
    expect(await code(admin('users.create', { email, name: 'Shared', role: 'agent' }))).toBe('email_taken')
    expect(
      await code(other('users.create', { email, name: 'Other name', password: 'another password', role: 'admin' })),
    ).toBe('invitation_needed')
    // Who administers the person elsewhere as well is not the person either.
    await base.owner(`insert into memberships (tenant_id, user_id, role) values ($1, $2, 'admin')`, [
      a.tenant.id,
      b.admin.userId,
    ])
    expect(await code(other('users.create', { email, name: 'Other name', role: 'agent' }))).toBe('invitation_needed')
    await base.owner(`insert into memberships (tenant_id, user_id, role) values ($1, $2, 'supervisor')`, [
      b.tenant.id,
      id,
    ])
    expect(await nobody('auth.token', { email, password })).toMatchObject({ role: 'agent' })
  })

  test('is changed by neither tenant, only the membership is', async () => {
    for (const change of [
      { password: 'a new password' },
      { email: 'mine@example.org' },
      { name: 'Mine' },
      { locale: 'ar' },
    ]) {
      expect(await code(admin('users.update', { id, ...change }))).toBe('user_shared')
      expect(await code(other('users.update', { id, ...change }))).toBe('user_shared')
    }
    expect(await other('users.update', { id, role: 'agent' })).toMatchObject({ role: 'agent' })
    expect(await admin('users.get', { id })).toMatchObject({ role: 'agent', name: 'Shared' })
  })

  test('also when the other membership sleeps', async () => {
    await other('users.update', { id, is_active: false })
    expect(await code(admin('users.update', { id, password: 'a new password' }))).toBe('user_shared')
  })
})

test('a new password or role ends the sessions', async () => {
  const email = 'session@example.org'
  const { id } = await admin('users.create', { email, name: 'Session', password, role: 'agent' })
  const first = await nobody('auth.token', { email, password })
  await admin('users.update', { id, name: 'Same session' })
  expect(actorOfToken(first.access)).toMatchObject({ userId: id })
  await admin('users.update', { id, role: 'supervisor' })
  expect(() => actorOfToken(first.access)).toThrow('session_expired')
  await admin('users.update', { id, password: 'quatre petits chats' })
  expect(await code(nobody('auth.token', { email, password }))).toBe('invalid_credentials')
  expect(await nobody('auth.token', { email, password: 'quatre petits chats' })).toMatchObject({ role: 'supervisor' })
  await admin('users.update', { id, is_active: false })
  expect(await code(nobody('auth.token', { email, password: 'quatre petits chats' }))).toBe('invalid_credentials')
})

test('somebody always administers, also when two take it from each other', async () => {
  const c = await aTenant(base.owner)
  const first = run(c.admin, c.tenant)
  const id = c.admin.userId!
  for (const change of [{ role: 'agent' }, { is_active: false }])
    expect(await code(first('users.update', { id, ...change }))).toBe('last_admin')
  const second = await first('users.create', { email: 'second@example.org', name: 'Second', role: 'admin' })
  const outcomes = await Promise.allSettled([
    first('users.update', { id, role: 'agent' }),
    first('users.update', { id: second.id, role: 'agent' }),
  ])
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const admins = await base.owner(`select 1 from memberships where tenant_id = $1 and role = 'admin' and is_active`, [
    c.tenant.id,
  ])
  expect(admins).toHaveLength(1)
})

test('a removed user loses this door only', async () => {
  const email = 'leaving@example.org'
  const { id } = await admin('users.create', { email, name: 'Leaving', password, role: 'agent' })
  const tokens = await nobody('auth.token', { email, password })
  expect(await code(other('users.delete', { id }))).toBe('not_found')
  expect(await admin('users.delete', { id })).toBeNull()
  expect(() => actorOfToken(tokens.access)).toThrow('session_expired')
  expect(await code(nobody('auth.token', { email, password }))).toBe('invalid_credentials')
  expect(await code(admin('users.get', { id }))).toBe('not_found')
  expect(await base.owner('select 1 from users where id = $1', [id])).toHaveLength(1)
  // Nobody keeps the account: whoever adds the person again sets a new password, and the old one is worth nothing.
  const again = await other('users.create', { email, name: 'Back', password: 'quatre petits chats', role: 'agent' })
  expect(again).toMatchObject({ id, name: 'Back' })
  expect(await code(nobody('auth.token', { email, password }))).toBe('invalid_credentials')
  expect(await nobody('auth.token', { email, password: 'quatre petits chats' })).toMatchObject({
    tenant: { id: b.tenant.id },
  })
  expect(await code(admin('users.delete', { id: a.agents[0]!.user_id }))).toBe('in_use')
  expect(await code(other('users.delete', { id: b.admin.userId! }))).toBe('last_admin')
})

test('two tenants that add the same person at once: one wins, and the password is its own', async () => {
  for (const round of [1, 2, 3, 4, 5]) {
    const email = `race${round}@example.org`
    const claims = [admin, other].map((add, n) =>
      add('users.create', { email, name: `Of ${n}`, password: `petit chat numéro ${n}`, role: 'agent' }),
    )
    const outcomes = await Promise.allSettled(claims)
    const won = outcomes.findIndex(({ status }) => status === 'fulfilled')
    expect(outcomes[1 - won]).toMatchObject({
      status: 'rejected',
      reason: { code: expect.stringMatching(/^(email_taken|invitation_needed)$/) },
    })
    expect(await nobody('auth.token', { email, password: `petit chat numéro ${won}` })).toMatchObject({
      user: { name: `Of ${won}` },
    })
  }
})

test('input is checked', async () => {
  const user = { email: 'z@example.org', name: 'Z', role: 'agent' }
  for (const wrong of [
    { email: 'nobody' },
    { password: 'short' },
    { password: '1234567890' },
    { role: 'operator' },
    { is_operator: true },
  ]) {
    expect([wrong, await code(admin('users.create', { ...user, ...wrong }))]).toEqual([wrong, 'invalid_input'])
  }
})

test('a key that leaks makes itself no administrator, and finds no other way to outlive itself', async () => {
  const byKey = run(a.apiKey, a.tenant)
  const made = await byKey('users.create', { email: 'made@example.org', name: 'Made', role: 'supervisor', password })
  const other = await admin('users.create', { email: 'boss@example.org', name: 'Boss', role: 'admin', password })
  const provider = {
    issuer: 'https://id.example.org',
    client_id: 'x',
    client_secret: 'y',
    email_domains: ['example.org'],
  }
  for (const [operation, input] of [
    ['users.create', { email: 'heir@example.org', name: 'Heir', role: 'admin', password }],
    ['invitations.create', { email: 'heir@example.org', role: 'admin' }],
    ['users.update', { id: made.id, role: 'admin' }],
    ['users.update', { id: other.id, password: 'quatre petits chats' }],
    ['users.update', { id: other.id, role: 'agent' }],
    ['users.delete', { id: other.id }],
    ['api-keys.create', { name: 'Heir', scopes: ['read:queue'] }],
    ['sso.set', provider],
    ['sso.delete', {}],
  ] as const)
    expect([operation, await code(byKey(operation, input))]).toEqual([operation, 'forbidden'])
  // Controls: other people are its work, and a person may.
  expect(await byKey('users.update', { id: made.id, role: 'agent' })).toMatchObject({ role: 'agent' })
  expect(await admin('users.update', { id: made.id, role: 'admin' })).toMatchObject({ role: 'admin' })
  for (const { id } of [made, other]) await admin('users.delete', { id })
})

test('who opens or closes doors has proved lately who they are', async () => {
  const stale = run({ ...a.admin, provenAt: a.admin.provenAt! - 301 }, a.tenant)
  const { id } = await admin('users.create', { email: 'doors@example.org', name: 'Doors', role: 'agent' })
  for (const change of [
    { role: 'admin' },
    { site_ids: [] },
    { is_active: false },
    { password },
    { email: 'x@y.example' },
  ])
    expect([change, await code(stale('users.update', { id, ...change }))]).toEqual([change, 'proof_required'])
  expect(await code(stale('users.delete', { id }))).toBe('proof_required')
  // What outlives a session that was left open: another administrator, and a key.
  const successor = { email: 'successor@example.org', role: 'admin' }
  expect(await code(stale('users.create', { ...successor, name: 'S', password }))).toBe('proof_required')
  expect(await code(stale('invitations.create', successor))).toBe('proof_required')
  expect(await code(stale('api-keys.create', { name: 'S', scopes: ['read:queue'] }))).toBe('proof_required')
  expect(await stale('invitations.create', { ...successor, role: 'agent' })).toMatchObject({ role: 'agent' })
  // Controls: a name is no door, and a fresh proof opens.
  expect(await stale('users.update', { id, name: 'Windows' })).toMatchObject({ name: 'Windows', role: 'agent' })
  expect(await admin('users.update', { id, role: 'supervisor' })).toMatchObject({ role: 'supervisor' })
  expect(await admin('users.delete', { id })).toBeNull()
})
