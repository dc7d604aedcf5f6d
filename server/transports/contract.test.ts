import { expect, test } from 'vitest'
import { Compile } from 'typebox/compile'
import { ROLE_SCOPES, type Actor, type Role } from '../kernel/access.ts'
import type { Operation } from '../kernel/operation.ts'
import { operations } from '../modules/index.ts'
import { startApp } from '../test/app.ts'
import { routesOf, type Route } from './routes.ts'

const { app, owner, aTenant, as } = await startApp()
const t = await aTenant({ slug: 'own', queues: 2, agents: 2 })
const other = await aTenant({ slug: 'foreign' })
const GHOST = 987_654_321

const take = async (slug: string, queueId: number) =>
  (
    await app.inject({
      method: 'POST',
      url: `/api/v1/public/${slug}/tickets/`,
      payload: { queue_id: queueId, channel: 'web' },
    })
  ).json<{ id: number; public_token: string }>()
const ownTicket = await take('own', t.queues[0]!.id)
const foreignTicket = await take('foreign', other.queues[0]!.id)

const insert = async (table: string, columns: string) =>
  (await owner<{ id: number }>(`insert into ${table} ${columns} returning id`))[0]!.id
const foreign: Record<string, number> = {
  site: other.sites[0]!.id,
  service: other.services[0]!.id,
  queue: other.queues[0]!.id,
  counter: other.counters[0]!.id,
  agent: other.agents[0]!.id,
  user: other.agents[0]!.user_id,
  ticket: foreignTicket.id,
  customer: await insert('customers', `(tenant_id, name) values (${other.tenant.id}, 'Canary')`),
  display: await insert(
    'displays',
    `(tenant_id, site_id, name) values (${other.tenant.id}, ${other.sites[0]!.id}, 'Canary')`,
  ),
  'queue-rule': await insert(
    'queue_rules',
    `(tenant_id, queue_id, name, condition, effect) values (${other.tenant.id}, ${other.queues[0]!.id}, 'Canary', '{}', '{}')`,
  ),
  'booking-setting': await insert(
    'booking_settings',
    `(tenant_id, queue_id) values (${other.tenant.id}, ${other.queues[0]!.id})`,
  ),
  appointment: await insert(
    'appointments',
    `(tenant_id, site_id, queue_id, service_id, status, start_at, end_at, busy_from, busy_until, day, channel, code)
     select ${other.tenant.id}, ${other.sites[0]!.id}, ${other.queues[0]!.id}, ${other.services[0]!.id}, 'booked', at, at + interval '15 min',
       at, at + interval '15 min', at::date, 'web', '123456' from (select now() + interval '1 day' as at) clock`,
  ),
}
/** What an operation calls `id` is one of the noun that begins its path. */
const nounOf = (op: Operation) => op.http.path.split('/')[1]!.replace(/s$/, '')

const actorOf = (role: Role): Actor =>
  role === 'agent'
    ? t.agentActors[0]!
    : { ...t.admin, role, principal: `${role}:1`, scopes: new Set(ROLE_SCOPES[role]) }
const REACHABLE = ['admin', 'agent', 'api_key', 'operator', 'kiosk', 'display'] as const
/** Somebody who may run it. */
const callerOf = (op: Operation): Actor => actorOf(REACHABLE.find((role) => op.roles.includes(role)) ?? 'admin')
/** The program's own sweeps are refused to everybody. */
const isSystems = (op: Operation) => op.roles.every((role) => role === 'system')

function request(
  op: Operation,
  input: Record<string, unknown>,
  headers: Record<string, string>,
  route: Route = routesOf(op)[0]!,
) {
  const rest = { ...input }
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'tenant') return 'own'
    if (name === 'token') return ownTicket.public_token
    const value = String(rest[name] ?? 1)
    delete rest[name]
    return encodeURIComponent(value)
  })
  const hasBody = route.method !== 'GET' && route.method !== 'DELETE'
  const query = new URLSearchParams()
  if (!hasBody)
    for (const [name, value] of Object.entries(rest))
      for (const each of [value].flat()) query.append(name, String(each))
  return app.inject({
    method: route.method,
    url: query.size ? `${path}?${query}` : path,
    headers: { ...headers, 'accept-language': 'en' },
    ...(hasBody && { payload: rest }),
  })
}
const isVisitors = (op: Operation) => routesOf(op)[0]!.entrance === 'visitor'
const isOpen = (op: Operation) => op.roles.includes('anonymous') || isVisitors(op)
const exampleOf = (op: Operation) => op.example.input as Record<string, unknown>
const anonymized = (body: string) => body.replace(/"request_id":"[^"]*"/, '')

const each = (list: readonly Operation[]) => list.map((op) => [op.id, op] as const)

test('every operation has a name, a summary, a scope or a reason to have none, and roles', () => {
  expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length)
  for (const op of operations) {
    expect(op.id).toMatch(/^[a-z][a-z-]*\.[a-z][A-Za-z]*$/)
    expect(op.summary).not.toMatch(/\.$/)
    expect(op.roles.length, op.id).toBeGreaterThan(0)
    if (op.scope === null) expect(isOpen(op) || op.http.base === 'root', `${op.id} needs a scope`).toBe(true)
  }
})

test.each(each(operations))('%s: its example is a valid input', (_, op) => {
  const check = Compile(op.input)
  expect([...check.Errors(op.example.input)]).toEqual([])
  expect((op.input as { additionalProperties?: boolean }).additionalProperties).toBe(false)
})

test.each(each(operations.filter((op) => !isOpen(op))))(
  '%s: without a credential 401, with a bad one too',
  async (_, op) => {
    for (const route of routesOf(op)) {
      const bare = await request(op, exampleOf(op), {}, route)
      expect(bare.statusCode, route.path).toBe(401)
      expect(bare.headers['content-type']).toContain('application/problem+json')
      expect(bare.headers['www-authenticate']).toBe('Bearer')
      const bad = await request(op, exampleOf(op), { authorization: 'Bearer nonsense' }, route)
      expect(bad.statusCode).toBe(401)
    }
  },
)

test.each(each(operations.filter((op) => !isVisitors(op))))(
  '%s: another role 403, a token without the scope 403',
  async (_, op) => {
    const roles: Role[] = ['operator', 'admin', 'supervisor', 'agent', 'kiosk', 'display', 'api_key']
    for (const role of roles.filter((each) => !op.roles.includes(each))) {
      const answer = await request(op, exampleOf(op), as(actorOf(role)))
      expect([answer.statusCode, answer.json<{ code: string }>().code], role).toEqual([403, 'forbidden'])
    }
    if (op.scope === null) return
    const caller = callerOf(op)
    const answer = await request(op, exampleOf(op), as({ ...caller, scopes: new Set() }))
    expect(answer.statusCode).toBe(403)
  },
)

test.each(each(operations.filter((op) => !isSystems(op))))('%s: nonsense 400, naming the field', async (_, op) => {
  const answer = await request(op, { ...exampleOf(op), nonsense: 'x' }, isVisitors(op) ? {} : as(callerOf(op)))
  expect(answer.statusCode).toBe(400)
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  const problem = answer.json<{ code: string; errors: { path: string; code: string; detail: string }[] }>()
  expect(problem.code).toBe('invalid_input')
  expect(problem.errors).toContainEqual({ path: '/nonsense', code: 'unknown', detail: 'This field is not known.' })
})

/** References of an input: `id` itself, and whatever ends in `_id`. */
const references = operations.flatMap((op) =>
  Object.keys(op.input.properties as object)
    .filter((name) => name === 'id' || name.endsWith('_id'))
    .map((name) => ({ op, name, noun: name === 'id' ? nounOf(op) : name.slice(0, -'_id'.length) }))
    .filter(({ noun }) => noun in foreign),
)
test('the references below are all there are', () => {
  expect(references.length).toBeGreaterThan(40)
  const nouns = new Set(references.map(({ noun }) => noun))
  for (const noun of Object.keys(foreign)) expect(nouns, noun).toContain(noun)
})
test.each(references.map(({ op, name, noun }) => [op.id, name, op, noun] as const))(
  '%s: a foreign %s is refused exactly like one that does not exist',
  async (_, name, op, noun) => {
    const headers = isVisitors(op) ? {} : as(callerOf(op))
    const input = { ...exampleOf(op), ...(name !== 'id' && 'id' in op.input.properties && { id: GHOST }) }
    const [ghost, hit] = [
      await request(op, { ...input, [name]: GHOST }, headers),
      await request(op, { ...input, [name]: foreign[noun] }, headers),
    ]
    expect([hit.statusCode, anonymized(hit.body)]).toEqual([ghost.statusCode, anonymized(ghost.body)])
    if (name === 'id') expect(ghost.statusCode).toBe(404)
  },
)

test('a foreign organisation is refused like one that does not exist', async () => {
  const headers = as(t.admin)
  const bodies = await Promise.all(
    ['foreign', 'nowhere'].map(async (slug) => {
      const byPath = await app.inject({ url: `/api/v1/tenants/${slug}/tickets/`, headers })
      const byHeader = await app.inject({ url: '/api/v1/tickets/', headers: { ...headers, 'x-tenant': slug } })
      expect([byPath.statusCode, byHeader.statusCode]).toEqual([404, 404])
      return [anonymized(byPath.body), anonymized(byHeader.body)]
    }),
  )
  expect(bodies[0]).toEqual(bodies[1])
})
