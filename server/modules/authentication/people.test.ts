import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startJobs } from '../../app.ts'
import { createLogger } from '../../kernel/log.ts'
import { startApp } from '../../test/app.ts'
import { createSuperuser } from './index.ts'
import { quickHash } from '../../test/password.ts'

type Json = Record<string, any>
const server = await startApp()
const worker = await startJobs(server, createLogger({ level: 'error', destination: process.stderr }))
afterAll(() => worker.stop())
const bank = await server.aTenant({ slug: 'bank', agents: 3 })
const hall = await server.aTenant({ slug: 'hall', agents: 1 })
const password = 'trois petits chats'
const operator = { email: 'root@example.org', name: 'Root Operator', password: 'quatre petits chats' }
const ORIGIN = 'http://localhost:8000'

beforeAll(async () => {
  await server.owner('update users set password_hash = $1', [quickHash(password)])
  await createSuperuser(server.db, operator)
})

async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  payload: object | undefined,
  headers: Json = {},
) {
  const answer = await server.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { host: 'localhost:8000', ...headers },
    ...(payload && { payload }),
  })
  const body = answer.body === '' ? {} : answer.json<Json>()
  const cookie = String(answer.headers['set-cookie'] ?? '').split(';')[0]!
  return { status: answer.statusCode, body, cookie }
}
const post = (path: string, payload: object, headers?: Json) => call('POST', path, payload, headers)
const bearer = (access: string) => ({ authorization: `Bearer ${access}` })
const signIn = (email: string, secret = password, extra: object = {}) =>
  post('/auth/token/', { email, password: secret, ...extra })
const stale = (email: string) =>
  server.owner(
    `update sessions set proven_at = now() - interval '10 minutes' where user_id = (select id from users where email = $1)`,
    [email],
  )
/** A console session: what the browser would send along. */
async function open(email: string, secret = password, extra: object = {}) {
  const { body, cookie, status } = await post('/auth/session/', { email, password: secret, ...extra })
  expect(status).toBe(200)
  return { cookie, origin: ORIGIN, 'x-csrf-token': body['csrf_token'] as string }
}
interface Message {
  subject: string
  body: string
}
/** The last message to somebody, once the job has written it. */
async function mailTo(recipient: string, count = 1): Promise<Message> {
  const read = () =>
    server.owner<Message>('select subject, body from outbox_messages where recipient = $1 order by id desc', [
      recipient,
    ])
  await expect.poll(async () => (await read()).length).toBe(count)
  return (await read())[0]!
}
const linkIn = ({ body }: Message) => /#(\S+)/.exec(body)![1]!

describe('a forgotten password', () => {
  test('is replaced by a link that works once, for half an hour, and ends all sessions', async () => {
    const email = 'agent1@bank.example'
    const before = (await signIn(email)).body as { access: string }
    expect((await post('/auth/password/forgot/', { email: ' AGENT1@bank.example ' })).status).toBe(204)
    const mail = await mailTo(email)
    expect(mail.body).toContain(`${ORIGIN}/app/reset-password#`)
    const token = linkIn(mail)
    expect((await post('/auth/password/reset/', { token, password: 'password12' })).status).toBe(400)
    const chosen = { token, password: 'cinq petits chats' }
    const both = await Promise.all([post('/auth/password/reset/', chosen), post('/auth/password/reset/', chosen)])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 401])
    expect(await post('/auth/password/reset/', chosen)).toMatchObject({ status: 401, body: { code: 'link_expired' } })
    expect((await call('GET', '/auth/session/', undefined, bearer(before.access))).status).toBe(401)
    expect((await signIn(email)).status).toBe(401)
    expect((await signIn(email, 'cinq petits chats')).status).toBe(200)
    // Another link sent before the change is worth nothing after it; other tokens are no links.
    for (const wrong of [before.access, token.slice(0, -3), 'x']) {
      expect((await post('/auth/password/reset/', { token: wrong, password: 'six petits chats' })).status).toBe(401)
    }
  })

  test('the answer and the work are the same when nobody is there', async () => {
    const jobs = () => server.owner<{ n: number }>(`select count(*)::int as n from graphile_worker._private_jobs`)
    const answers = await Promise.all(
      ['nobody@example.org', 'agent2@bank.example'].map((email) => post('/auth/password/forgot/', { email })),
    )
    expect(answers[0]).toEqual(answers[1])
    await mailTo('agent2@bank.example')
    await expect.poll(jobs).toEqual([{ n: 0 }])
    expect(await server.owner(`select from outbox_messages where recipient = 'nobody@example.org'`)).toEqual([])
    // Nobody is flooded.
    const many = await Promise.all(
      Array.from({ length: 5 }, () => post('/auth/password/forgot/', { email: 'agent2@bank.example' })),
    )
    expect(many.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(3)
  })

  test('a password is changed with a fresh proof, and the other sessions end', async () => {
    const email = 'agent3@bank.example'
    const other = await open(email)
    const mine = await open(email)
    await stale(email)
    const change = () => post('/auth/password/', { password: 'sept petits chats' }, mine)
    expect((await change()).body).toMatchObject({ code: 'proof_required' })
    expect((await post('/auth/proof/', { password }, mine)).status).toBe(200)
    expect((await change()).status).toBe(204)
    expect((await call('GET', '/auth/session/', undefined, mine)).status).toBe(200)
    expect((await call('GET', '/auth/session/', undefined, other)).status).toBe(401)
  })
})

test('an e-mail changes when the new address answers, and the old one is told', async () => {
  const old = 'supervisor1@bank.example'
  const fresh = 'new-supervisor@bank.example'
  const me = await open(old)
  expect((await post('/auth/email/', { email: 'admin1@bank.example' }, me)).status).toBe(204)
  expect((await post('/auth/email/', { email: fresh }, me)).status).toBe(204)
  const token = linkIn(await mailTo(fresh))
  expect((await mailTo(old)).body).toContain(fresh)
  expect(await server.owner(`select from outbox_messages where recipient = 'admin1@bank.example'`)).toEqual([])
  expect((await signIn(old)).status).toBe(200)
  expect((await post('/auth/email/confirm/', { token })).status).toBe(204)
  expect((await post('/auth/email/confirm/', { token })).status).toBe(401)
  expect([(await signIn(old)).status, (await signIn(fresh)).status]).toEqual([401, 200])
})

describe('an invitation', () => {
  const admin = () => server.as(bank.admin)
  const invite = (email: string, extra: object = {}, headers = admin()) =>
    post('/tenants/bank/invitations/', { email, role: 'agent', ...extra }, headers)

  test('makes a new person a member, with a password of their own', async () => {
    const email = 'nadia@example.org'
    const { status, body } = await invite(email.toUpperCase(), {
      site_ids: [bank.sites[0]!.id],
      queue_ids: [bank.queues[0]!.id],
    })
    expect([status, body['email']]).toEqual([201, email])
    expect(JSON.stringify(body)).not.toContain('nonce')
    const mail = await mailTo(email)
    expect(mail.subject).toContain('Bank')
    const token = linkIn(mail)
    expect((await post('/auth/invitations/view/', { token })).body).toEqual({
      tenant: { id: bank.tenant.id, slug: 'bank', name: 'Bank' },
      email,
      role: 'agent',
      needs_password: true,
    })
    expect((await post('/auth/invitations/accept/', { token })).status).toBe(400)
    const accept = () => post('/auth/invitations/accept/', { token, name: 'Nadia', password: 'huit petits chats' })
    expect(await accept()).toMatchObject({ status: 201, body: { user: { email }, role: 'agent' } })
    expect((await accept()).status).toBe(401)
    expect((await signIn(email, 'huit petits chats')).body).toMatchObject({ tenant: { slug: 'bank' }, role: 'agent' })
    const users = (await call('GET', '/tenants/bank/users/?q=nadia', undefined, admin())).body['results'] as Json[]
    expect(users).toMatchObject([{ email, site_ids: [bank.sites[0]!.id], queue_ids: [bank.queues[0]!.id] }])
    expect((await invite(email)).body).toMatchObject({ code: 'email_taken' })
  })

  test('brings in somebody who has an account, without another password, who then goes from one to the other', async () => {
    const email = 'nadia@example.org'
    const add = { email, name: 'Nadia', password, role: 'supervisor' }
    expect((await post('/tenants/hall/users/', add, server.as(hall.admin))).body).toMatchObject({
      code: 'invitation_needed',
    })
    expect(
      (await post('/tenants/hall/invitations/', { email, role: 'supervisor' }, server.as(hall.admin))).status,
    ).toBe(201)
    const token = linkIn(await mailTo(email, 2))
    expect((await post('/auth/invitations/view/', { token })).body).toMatchObject({ needs_password: false })
    expect((await post('/auth/invitations/accept/', { token })).status).toBe(201)
    const me = await open(email, 'huit petits chats', { tenant: 'bank' })
    const { body, cookie, status } = await post('/auth/session/switch/', { tenant: 'hall' }, me)
    expect([status, body['tenant'].slug, body['role']]).toEqual([200, 'hall', 'supervisor'])
    expect((await call('GET', '/auth/session/', undefined, me)).status).toBe(401)
    const there = { cookie, origin: ORIGIN, 'x-csrf-token': body['csrf_token'] }
    expect((await call('GET', '/tenants/hall/users/', undefined, there)).status).toBe(200)
    expect((await call('GET', '/tenants/bank/users/', undefined, there)).status).toBe(404)
    // Closing one door leaves the other open, and the sessions of the closed one end at once.
    const id = body['user'].id as number
    const closed = await call('PATCH', `/tenants/hall/users/${id}/`, { is_active: false }, server.as(hall.admin))
    expect(closed.status).toBe(200)
    expect((await call('GET', '/auth/session/', undefined, there)).status).toBe(401)
    expect((await signIn(email, 'huit petits chats')).body).toMatchObject({ tenant: { slug: 'bank' } })
  })

  test('takes an account from whoever made it under somebody else’s e-mail', async () => {
    const email = 'victim@example.org'
    // The bank's administrator makes an account with a password they know, and stays signed in.
    await post('/tenants/bank/users/', { email, name: 'Victim', password, role: 'agent' }, server.as(bank.admin))
    const attacker = (await signIn(email)).body as { access: string }
    const secret = (await post('/auth/app/', {}, bearer(attacker.access))).status
    expect(secret).toBe(201)
    await post('/tenants/hall/invitations/', { email, role: 'admin' }, server.as(hall.admin))
    const token = linkIn(await mailTo(email))
    expect((await post('/auth/invitations/view/', { token })).body).toMatchObject({ needs_password: true })
    expect((await post('/auth/invitations/accept/', { token })).status).toBe(400)
    expect((await post('/auth/invitations/accept/', { token, password: 'neuf petits chats' })).status).toBe(201)
    expect((await call('GET', '/auth/session/', undefined, bearer(attacker.access))).status).toBe(401)
    expect((await signIn(email)).status).toBe(401)
    expect((await signIn(email, password, { tenant: 'hall' })).status).toBe(401)
    expect(await server.owner('select from code_generators')).toEqual([])
    expect((await signIn(email, 'neuf petits chats', { tenant: 'hall' })).body).toMatchObject({ role: 'admin' })
  })

  test('is withdrawn, replaced and another tenant’s', async () => {
    const email = 'later@example.org'
    const first = (await invite(email)).body as { id: number }
    const old = linkIn(await mailTo(email))
    await invite(email, { role: 'supervisor' })
    const link = linkIn(await mailTo(email, 2))
    expect((await post('/auth/invitations/view/', { token: old })).status).toBe(401)
    expect((await post('/auth/invitations/view/', { token: link })).body).toMatchObject({ role: 'supervisor' })
    const { results } = (await call('GET', '/tenants/bank/invitations/', undefined, admin())).body as {
      results: Json[]
    }
    expect(results.map((each) => each['email'])).toEqual([email])
    expect((await call('GET', '/tenants/hall/invitations/', undefined, server.as(hall.admin))).body['results']).toEqual(
      [],
    )
    const remove = (headers: Json, tenant: string) =>
      call('DELETE', `/tenants/${tenant}/invitations/${first.id}/`, undefined, headers)
    expect((await remove(server.as(hall.admin), 'hall')).status).toBe(404)
    expect((await remove(admin(), 'bank')).status).toBe(204)
    expect(
      (await post('/auth/invitations/accept/', { token: link, name: 'L', password: 'dix petits chats' })).status,
    ).toBe(401)
  })
})

describe('the operator of the platform', () => {
  const root = () => open(operator.email, operator.password)
  const reason = 'Ticket 4711: the board stays empty'

  test('acts as a user with a reason, for a while, on record under both names', async () => {
    const headers = await root()
    const userId = bank.agents[1]!.user_id
    const path = `/tenants/bank/users/${userId}/impersonate/`
    for (const wrong of [{ minutes: 15 }, { reason: 'because', minutes: 15 }, { reason, minutes: 600 }])
      expect((await post(path, wrong, headers)).status).toBe(400)
    expect((await post(path, { reason, minutes: 15 }, server.as(bank.admin))).status).toBe(403)
    await stale(operator.email)
    expect((await post(path, { reason, minutes: 15 }, headers)).body).toMatchObject({ code: 'proof_required' })
    await post('/auth/proof/', { password: operator.password }, headers)
    const { status, body, cookie } = await post(path, { reason, minutes: 15 }, headers)
    expect([status, body['user'].id, body['role']]).toEqual([200, userId, 'agent'])
    const acting = { cookie, origin: ORIGIN, 'x-csrf-token': body['csrf_token'] as string }
    const session = (await call('GET', '/auth/session/', undefined, acting)).body
    expect(session['impersonation']).toMatchObject({ operator: operator.name, reason })

    const agent = bank.agents[1]!.id
    const set = await post(`/tenants/bank/agents/${agent}/set-status/`, { status: 'break' }, acting)
    expect(set.status).toBe(200)
    const [operatorId] = await server.owner<{ id: number }>('select id from users where email = $1', [operator.email])
    const trail = await server.owner<Json>(
      `select operation, principal, details from audit_entries where tenant_id = $1 order by seq desc limit 2`,
      [bank.tenant.id],
    )
    expect(trail[0]).toMatchObject({
      operation: 'agents.setStatus',
      principal: `user:${userId}+operator:${operatorId!.id}`,
    })
    expect(trail[1]).toMatchObject({
      operation: 'users.impersonate',
      principal: `user:${operatorId!.id}`,
      details: { changes: { reason: [null, reason], minutes: [null, 15] } },
    })
    const events = await server.owner<Json>(`select actor from events where tenant_id = $1 order by "offset" desc`, [
      bank.tenant.id,
    ])
    expect(events.map(({ actor }) => actor as string)).toContain(`user:${userId}+operator:${operatorId!.id}`)

    // Nothing that is the person's own: no password, passkey or e-mail, and no proof in their name.
    for (const [own, payload] of [
      ['/auth/password/', { password: 'onze petits chats' }],
      ['/auth/email/', { email: 'x@example.org' }],
      ['/auth/passkeys/registration-options/', {}],
      ['/auth/app/', {}],
    ] as const)
      expect((await post(own, payload, acting)).body).toMatchObject({ code: 'proof_required' })
    expect((await post('/auth/proof/', { password: operator.password }, acting)).status).toBe(403)
    expect((await post('/auth/proof/', { password }, acting)).status).toBe(403)
    expect((await post('/auth/session/switch/', { tenant: 'bank' }, acting)).status).toBe(403)
    // Its time is up.
    const stored = await server.owner<{ minutes: number }>(
      `select extract(epoch from ends_at - created_at)::int / 60 as minutes from sessions where method = 'impersonation'`,
    )
    expect(stored).toEqual([{ minutes: 15 }])
    await server.owner(`update sessions set expires_at = now() where method = 'impersonation'`)
    await expect.poll(async () => (await call('GET', '/auth/session/', undefined, acting)).status).toBe(401)
  })

  test('cannot act as another operator, nor as somebody of another organisation', async () => {
    const headers = await root()
    const input = { reason, minutes: 5 }
    expect((await post(`/tenants/hall/users/${bank.agents[0]!.user_id}/impersonate/`, input, headers)).status).toBe(404)
    await server.owner('update users set is_operator = true where id = $1', [hall.admin.userId])
    expect((await post(`/tenants/hall/users/${hall.admin.userId}/impersonate/`, input, headers)).body).toMatchObject({
      code: 'user_is_operator',
    })
    await server.owner('update users set is_operator = false where id = $1', [hall.admin.userId])
  })

  test('closes an account everywhere at once', async () => {
    const headers = await root()
    const email = 'agent1@hall.example'
    const victim = await open(email)
    const found = (await call('GET', `/platform/people/?q=${email}`, undefined, headers)).body['results'] as Json[]
    expect(found).toMatchObject([{ email, is_active: true, tenants: ['hall'] }])
    const id = found[0]!['id'] as number
    expect((await call('PATCH', `/platform/people/${id}/`, { is_active: false }, headers)).status).toBe(200)
    expect((await call('GET', '/auth/session/', undefined, victim)).status).toBe(401)
    expect((await signIn(email)).body).toMatchObject({ code: 'invalid_credentials' })
    expect((await call('PATCH', `/platform/people/${id}/`, { is_active: true }, headers)).status).toBe(200)
    expect((await signIn(email)).status).toBe(200)
    const [self] = await server.owner<{ id: number }>('select id from users where email = $1', [operator.email])
    expect((await call('PATCH', `/platform/people/${self!.id}/`, { is_active: false }, headers)).status).toBe(409)
    expect((await call('GET', '/platform/outbox/', undefined, headers)).body['results'].length).toBeGreaterThan(3)
    expect((await call('GET', '/platform/outbox/', undefined, server.as(bank.admin))).status).toBe(403)
  })
})

test('an invitation that is accepted is an event of the organisation, once', async () => {
  const { access } = (await signIn('admin1@bank.example')).body as { access: string }
  const email = 'joins@example.org'
  const invited = await post('/tenants/bank/invitations/', { email, role: 'agent' }, bearer(access))
  expect(invited.status).toBe(201)
  const token = linkIn(await mailTo(email))
  const joined = { token, name: 'Joins', password: 'sept petits chats' }
  const { body, status } = await post('/auth/invitations/accept/', joined)
  expect(status).toBe(201)
  expect((await post('/auth/invitations/accept/', joined)).status).toBe(401)
  const created = await server.owner<{ actor: string; data: Json }>(
    `select actor, data from events where tenant_id = $1 and type = 'user.created' and (data #>> '{user,id}')::bigint = $2`,
    [bank.tenant.id, body['user'].id],
  )
  expect(created).toEqual([
    { actor: `user:${body['user'].id}`, data: { user: { id: body['user'].id, role: 'agent' } } },
  ])
})

test('whoever gets another way in is told by e-mail', async () => {
  const email = 'supervisor1@hall.example'
  const { access } = (await signIn(email)).body as { access: string }
  const { secret } = (await post('/auth/app/', {}, bearer(access))).body as { secret: string }
  const before = await server.owner('select from outbox_messages where recipient = $1', [email])
  expect(before).toEqual([])
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate()
  expect((await post('/auth/app/confirm/', { code }, bearer(access))).status).toBe(200)
  expect((await mailTo(email)).subject).toBe('Une application d’authentification protège votre compte')
})
