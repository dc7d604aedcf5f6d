import { beforeAll, describe, expect, test } from 'vitest'
import type { Database, Tx } from '../../kernel/db/types.ts'
import type { Runtime } from '../../kernel/execute.ts'
import type { Operation } from '../../kernel/operation.ts'
import { aTenant, anonymousActor, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import {
  actorOfToken,
  createSuperuser,
  onRevoked,
  operations,
  redeemWsTicket,
  verifyAccessToken,
  watchRevocations,
  revokeUser,
} from './index.ts'
import { quickHash } from '../../test/password.ts'
import { passwordChecks } from './passwords.ts'

let base: TestDatabase
let runtime: Runtime
let a: TenantFixture
let b: TenantFixture
let run: ReturnType<typeof caller>
let nobody: ReturnType<typeof run>
const password = 'trois petits chats'
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )
const emailOf = async (userId: number) =>
  (await base.owner<{ email: string }>('select email from users where id = $1', [userId]))[0]!.email

beforeAll(async () => {
  base = await testDatabase()
  runtime = testRuntime(base.db)
  run = caller(runtime, operations)
  nobody = run(anonymousActor, null)
  a = await aTenant(base.owner, { agents: 2 })
  b = await aTenant(base.owner)
  await base.owner('update users set password_hash = $1', [quickHash(password)])
})

const signIn = async (userId: number, extra: object = {}) =>
  nobody('auth.token', { email: await emailOf(userId), password, ...extra })

describe('sign-in', () => {
  test('gives tokens that say who, where and what', async () => {
    const agent = a.agentActors[0]!
    const tokens = await signIn(agent.userId!)
    expect(tokens).toMatchObject({
      token_type: 'Bearer',
      expires_in: 1800,
      tenant: { id: a.tenant.id, slug: a.tenant.slug, role: 'agent' },
      user: { id: agent.userId, email: await emailOf(agent.userId!) },
      role: 'agent',
    })
    expect(tokens.scopes).toEqual([...agent.scopes])
    const actor = actorOfToken(tokens.access)
    expect(actor).toEqual({ ...agent, sessionId: actor.sessionId, provenAt: expect.any(Number) })
    // What is stored makes no token: the signature is missing.
    const rows = await base.owner('select * from sessions where id = $1', [actor.sessionId])
    const signatures = [tokens.access, tokens.refresh].map((token) => token.split('.')[2])
    for (const signature of signatures) expect(JSON.stringify(rows)).not.toContain(signature)
  })

  test('says the same for every refusal', async () => {
    const userId = a.agentActors[1]!.userId!
    const email = await emailOf(userId)
    await base.owner(
      `insert into users (email, name, password_hash) select 'nowhere@example.org', 'No tenant', password_hash from users limit 1`,
    )
    await base.owner(
      `insert into users (email, name, password_hash, is_active) select 'closed@example.org', 'Closed', password_hash, false from users limit 1`,
    )
    await base.owner(`insert into users (email, name) values ('nopassword@example.org', 'Passkeys only')`)
    for (const input of [
      { email, password: 'wrong password' },
      { email: 'unknown@example.org', password },
      { email: 'nowhere@example.org', password },
      { email: 'closed@example.org', password },
      { email: 'nopassword@example.org', password },
      { email, password, tenant: b.tenant.slug },
      { email, password, tenant: 'no-such-tenant' },
    ]) {
      await expect(nobody('auth.token', input)).rejects.toMatchObject({
        status: 401,
        code: 'invalid_credentials',
        fields: [],
      })
    }
    // Control: the right one opens, whatever the case of the letters.
    expect(await nobody('auth.token', { email: ` ${email.toUpperCase()} `, password })).toMatchObject({ role: 'agent' })
  })

  test('works the same for every refusal: the same statements, the same number of hashes', async () => {
    const userId = a.agentActors[1]!.userId!
    const email = await emailOf(userId)
    const statements: string[] = []
    const watched = (tx: Tx): Tx => ({
      query: (text, values) => (statements.push(text), tx.query(text, values)),
      maybe: (text, values) => (statements.push(text), tx.maybe(text, values)),
      one: (text, values) => (statements.push(text), tx.one(text, values)),
    })
    const database: Database = Object.assign(Object.create(base.db) as Database, {
      platform: <T>(fn: (tx: Tx) => Promise<T>) => base.db.platform((tx) => fn(watched(tx))),
    })
    const sign = caller(testRuntime(database), operations)(anonymousActor, null)
    const workOf = async (input: object) => {
      statements.length = 0
      const before = passwordChecks()
      expect(await code(sign('auth.token', input as Record<string, unknown>))).toBe('invalid_credentials')
      return { statements: [...statements], hashes: passwordChecks() - before }
    }
    const wrong = await workOf({ email, password: 'wrong password' })
    expect(wrong).toMatchObject({ hashes: 1, statements: { length: 1 } })
    for (const other of ['unknown@example.org', 'closed@example.org', 'nopassword@example.org'])
      expect([other, await workOf({ email: other, password: 'wrong password' })]).toEqual([other, wrong])
  })

  test('is refused when the account, the membership or the password changes meanwhile', async () => {
    const userId = a.agentActors[1]!.userId!
    const { password_hash: stored } = (
      await base.owner<{ password_hash: string }>('select password_hash from users where id = $1', [userId])
    )[0]!
    const other = quickHash('another password')
    const restore = async () => {
      await base.owner('update users set is_active = true, password_hash = $2 where id = $1', [userId, stored])
      await base.owner('update memberships set is_active = true where user_id = $1', [userId])
    }
    const changes: Record<string, (tx: Tx) => Promise<unknown>> = {
      account: (tx) => tx.query('update users set is_active = false where id = $1', [userId]),
      password: (tx) => tx.query('update users set password_hash = $2 where id = $1', [userId, other]),
      membership: (tx) => tx.query('update memberships set is_active = false where user_id = $1', [userId]),
    }
    for (const [name, change] of Object.entries(changes)) {
      const revoked = Promise.withResolvers<void>()
      const proceed = Promise.withResolvers<void>()
      const disabling = base.db.tenant(a.tenant.id, async (tx) => {
        await change(tx)
        await revokeUser(tx, userId)
        revoked.resolve()
        await proceed.promise
      })
      await revoked.promise
      const signing = code(signIn(userId))
      const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      await expect.poll(() => base.owner(waiting)).not.toEqual([])
      proceed.resolve()
      await disabling
      expect([name, await signing]).toEqual([name, 'invalid_credentials'])
      const alive = await base.owner('select from sessions where user_id = $1 and revoked_at is null', [userId])
      expect(alive).toEqual([])
      await restore()
    }
    // Control: nothing happens, so it succeeds.
    expect(await signIn(userId)).toMatchObject({ role: 'agent' })
  })

  test('a person of two tenants chooses; without a choice it is the first', async () => {
    const userId = a.admin.userId!
    await base.owner(`insert into memberships (tenant_id, user_id, role) values ($1, $2, 'supervisor')`, [
      b.tenant.id,
      userId,
    ])
    expect(await signIn(userId)).toMatchObject({ tenant: { id: a.tenant.id }, role: 'admin' })
    const there = await signIn(userId, { tenant: b.tenant.slug })
    expect(there).toMatchObject({ tenant: { id: b.tenant.id }, role: 'supervisor' })
    const who = await run(actorOfToken(there.access), null)('auth.session')
    expect(who).toMatchObject({ user: { id: userId }, tenant: { slug: b.tenant.slug }, role: 'supervisor' })
    expect(who.tenants.map(({ slug }: { slug: string }) => slug)).toEqual([a.tenant.slug, b.tenant.slug])
    await base.owner('delete from memberships where tenant_id = $1 and user_id = $2', [b.tenant.id, userId])
  })

  test('guessing at one account is slowed down, whether or not it exists', async () => {
    for (const email of [await emailOf(b.supervisor.userId!), 'ghost@example.org']) {
      for (let n = 0; n < 30; n++)
        expect(await code(nobody('auth.token', { email, password: 'guess' }))).toBe('invalid_credentials')
      await expect(nobody('auth.token', { email, password })).rejects.toMatchObject({
        status: 429,
        code: 'rate_limited',
      })
    }
  })

  test('a flood of sign-ins leaves connections for others', async () => {
    const email = await emailOf(a.agentActors[1]!.userId!)
    /** How many of 22 sign-ins are over before somebody else gets a connection. */
    const overtaking = async (variant: Operation[]) => {
      let settled = 0
      const sign = caller(runtime, variant)(anonymousActor, null)
      const flood = Array.from({ length: 22 }, () => sign('auth.token', { email, password }).finally(() => settled++))
      const all = Promise.allSettled(flood)
      const before = await base.db
        .tenant(a.tenant.id, (tx) => tx.query('select 1'))
        .then(
          () => settled,
          () => 22,
        )
      await all
      return before
    }
    expect(await overtaking([...operations])).toBeLessThan(11)
    // Control: the same operation inside a transaction keeps its connection while it hashes.
    const { transaction: _, ...token } = operations.find(({ id }) => id === 'auth.token')!
    expect(await overtaking([token])).toBeGreaterThan(11)
  })
})

describe('refresh', () => {
  test('each token works once; the session moves on', async () => {
    const first = await signIn(a.agentActors[0]!.userId!)
    const second = await nobody('auth.refresh', { refresh: first.refresh })
    const third = await nobody('auth.refresh', { refresh: second.refresh })
    expect(new Set([first.refresh, second.refresh, third.refresh]).size).toBe(3)
    expect(actorOfToken(third.access).sessionId).toBe(actorOfToken(first.access).sessionId)
  })

  test('an answer that was lost can be asked for again at once and is the same: 50 at once, all go on', async () => {
    const first = await signIn(a.agentActors[0]!.userId!)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => nobody('auth.refresh', { refresh: first.refresh })),
    )
    const [next, ...others] = new Set(answers.map(({ refresh }) => refresh))
    expect(others).toEqual([])
    // Two tabs that refreshed at once hold the same token, so neither looks like a thief later.
    const { sessionId } = actorOfToken(first.access)
    const third = await nobody('auth.refresh', { refresh: next })
    await base.owner(`update sessions set rotated_at = rotated_at - interval '11 seconds' where id = $1`, [sessionId])
    expect(await nobody('auth.refresh', { refresh: third.refresh })).toMatchObject({ role: 'agent' })
    expect(await code(nobody('auth.refresh', { refresh: first.refresh }))).toBe('token_reused')
  })

  test('a session ends after 90 days, however often it is used', async () => {
    const first = await signIn(a.agentActors[0]!.userId!)
    const { sessionId } = actorOfToken(first.access)
    await base.owner(`update sessions set ends_at = now() + interval '100 seconds' where id = $1`, [sessionId])
    const second = await nobody('auth.refresh', { refresh: first.refresh })
    expect(second.expires_in).toBeLessThanOrEqual(100)
    expect(verifyAccessToken(second.access).exp - verifyAccessToken(second.access).iat).toBe(second.expires_in)
    await base.owner(`update sessions set ends_at = now(), expires_at = now() where id = $1`, [sessionId])
    expect(await code(nobody('auth.refresh', { refresh: second.refresh }))).toBe('session_expired')
  })

  test('a copy used later ends the session, also for the thief', async () => {
    const first = await signIn(a.agentActors[0]!.userId!)
    const { sessionId } = actorOfToken(first.access)
    const second = await nobody('auth.refresh', { refresh: first.refresh })
    await base.owner(`update sessions set rotated_at = rotated_at - interval '11 seconds' where id = $1`, [sessionId])
    await expect(nobody('auth.refresh', { refresh: first.refresh })).rejects.toMatchObject({
      status: 401,
      code: 'token_reused',
    })
    expect(await code(nobody('auth.refresh', { refresh: second.refresh }))).toBe('session_expired')
    expect(() => actorOfToken(second.access)).toThrow('session_expired')
    const [session] = await base.owner<{ revoked_at: string | null }>('select revoked_at from sessions where id = $1', [
      sessionId,
    ])
    expect(session!.revoked_at).not.toBeNull()
  })

  test('gives what the person is now, and nothing once they have gone', async () => {
    const userId = a.agentActors[1]!.userId!
    const setRole = (change: string) => base.owner(`update memberships set ${change} where user_id = $1`, [userId])
    const first = await signIn(userId)
    await setRole(`role = 'supervisor'`)
    const second = await nobody('auth.refresh', { refresh: first.refresh })
    expect(second).toMatchObject({ role: 'supervisor', tenant: { role: 'supervisor' } })
    await setRole('is_active = false')
    expect(await code(nobody('auth.refresh', { refresh: second.refresh }))).toBe('session_expired')
    await setRole(`is_active = true, role = 'agent'`)
    expect(await code(nobody('auth.refresh', { refresh: second.refresh }))).toBe('session_expired')
  })

  test('an access token is no refresh token', async () => {
    const { access } = await signIn(a.agentActors[0]!.userId!)
    expect(await code(nobody('auth.refresh', { refresh: access }))).toBe('token_invalid')
    expect(await code(nobody('auth.refresh', { refresh: 'x' }))).toBe('token_invalid')
  })
})

test('signing out ends the session here and in every process that watches', async () => {
  const tokens = await signIn(a.agentActors[0]!.userId!)
  const actor = actorOfToken(tokens.access)
  const ended: string[] = []
  const stop = onRevoked((sessionId) => ended.push(sessionId))
  expect(await run(actor, null)('auth.logout')).toBeNull()
  expect(() => actorOfToken(tokens.access)).toThrow('session_expired')
  expect(await code(nobody('auth.refresh', { refresh: tokens.refresh }))).toBe('session_expired')
  expect(ended).toEqual([actor.sessionId])

  // Another process revokes: only the database tells.
  const stopWatching = await watchRevocations(base.db)
  const elsewhere = await signIn(a.agentActors[0]!.userId!)
  const id = actorOfToken(elsewhere.access).sessionId!
  await base.owner(
    `update sessions set revoked_at = now() where id = '${id}'; select pg_notify('session_revoked', '${id}')`,
  )
  await expect.poll(() => ended).toContain(id)
  expect(() => actorOfToken(elsewhere.access)).toThrow('session_expired')
  await stopWatching()
  stop()
  expect(await code(nobody('auth.logout'))).toBe('unauthorized')
})

test('a ticket opens one socket', async () => {
  const tokens = await signIn(a.agentActors[0]!.userId!)
  const actor = actorOfToken(tokens.access)
  const { ticket, expires_in } = await run(actor, null)('auth.wsTicket')
  expect(expires_in).toBeLessThanOrEqual(30)
  const redeemed = await Promise.allSettled(Array.from({ length: 5 }, () => redeemWsTicket(base.db, ticket)))
  expect(redeemed.filter(({ status }) => status === 'fulfilled')).toEqual([{ status: 'fulfilled', value: actor }])
  expect(await code(redeemWsTicket(base.db, ticket))).toBe('token_invalid')
  expect(await code(redeemWsTicket(base.db, tokens.access))).toBe('token_invalid')
  const { ticket: late } = await run(actor, null)('auth.wsTicket')
  await run(actor, null)('auth.logout')
  expect(await code(redeemWsTicket(base.db, late))).toBe('session_expired')
})

test('a superuser signs in to the platform', async () => {
  const person = { email: 'Root@Example.org', name: 'Root', password: 'quatre petits chats' }
  const { id } = await createSuperuser(base.db, person)
  const tokens = await nobody('auth.token', { email: 'root@example.org', password: person.password })
  expect(tokens).toMatchObject({ tenant: null, role: 'operator', user: { id } })
  expect(actorOfToken(tokens.access)).toMatchObject({ tenantId: null, role: 'operator' })
  expect(await run(actorOfToken(tokens.access), null)('auth.session')).toMatchObject({
    tenant: null,
    role: 'operator',
    tenants: [],
  })
  expect(await createSuperuser(base.db, { ...person, password: 'cinq petits chats' })).toEqual({
    id,
    email: 'root@example.org',
  })
  expect(() => actorOfToken(tokens.access)).toThrow('session_expired')
})
