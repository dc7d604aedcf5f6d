import { Ajv2020 } from 'ajv/dist/2020.js'
import * as formats from 'ajv-formats'
import { expect, test } from 'vitest'
import { Compile } from 'typebox/compile'
import { ROLE_SCOPES, type Actor, type Role } from '../kernel/access.ts'
import type { Operation } from '../kernel/operation.ts'
import { operations } from '../modules/index.ts'
import { startApp } from '../test/app.ts'
import { systemActor } from '../kernel/access.ts'
import { openApiDocument } from './openapi.ts'
import { routesOf, type Route } from './routes.ts'

const { app, owner, aTenant, as, runtime } = await startApp()
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
  'P5 %s: a foreign %s is refused exactly like one that does not exist',
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

test('P5 a foreign organisation is refused like one that does not exist', async () => {
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

test('I5 each change of a stay, by a person, a machine, a program, a visitor or a timer, is told exactly once', async () => {
  const b = await aTenant({ slug: 'told', queues: 1, agents: 1 })
  const send = async (actor: Actor | null, path: string, payload: object = {}, base = '/api/v1/tenants/told') => {
    const answer = await app.inject({ method: 'POST', url: base + path, payload, ...(actor && { headers: as(actor) }) })
    expect([path, answer.statusCode < 300 || answer.body]).toEqual([path, true])
    return answer.json<Record<string, any>>()
  }
  const system = (id: string, input: object = {}) =>
    runtime.execute(
      operations.find((op) => op.id === id)!,
      {
        actor: systemActor(b.tenant.id),
        tenant: b.tenant,
        locale: 'fr',
        input,
      },
    )
  const wanted = (channel: string) => ({ queue_id: b.queues[0]!.id, channel })
  const agent = b.agentActors[0]!
  const told: [number, string][] = []
  const by = async (actor: Actor | null, channel: string, base?: string) => {
    const ticket = await send(actor, '/tickets/', wanted(channel), base)
    told.push([ticket['id'], 'ticket.created'])
    return ticket
  }
  const first = await by(b.admin, 'reception')
  await by(b.kiosk, 'kiosk')
  const third = await by(b.apiKey, 'api')
  const fourth = await by(null, 'web', '/api/v1/public/told')
  for (const [verb, event] of [
    ['call', 'called'],
    ['start', 'started'],
    ['complete', 'completed'],
  ] as const) {
    await send(agent, `/tickets/${first['id']}/${verb}/`, verb === 'call' ? { agent_id: b.agents[0]!.id } : {})
    told.push([first['id'], `ticket.${event}`])
  }
  await send(null, `/t/${fourth['public_token']}/cancel/`, {}, '/api/v1')
  told.push([fourth['id'], 'ticket.cancelled'])
  await owner('update queues set no_show_after_seconds = 60 where tenant_id = $1', [b.tenant.id])
  await owner(`update agents set status = 'available' where tenant_id = $1`, [b.tenant.id])
  await send(b.apiKey, `/tickets/${third['id']}/call/`, { agent_id: b.agents[0]!.id })
  told.push([third['id'], 'ticket.called'])
  await owner(`update tickets set last_called_at = now() - interval '2 minutes' where tenant_id = $1 and id = $2`, [
    b.tenant.id,
    third['id'],
  ])
  for (let round = 0; round < 2; round++) await system('tickets.sweepTimers')
  told.push([third['id'], 'ticket.no_show'])
  for (let round = 0; round < 2; round++) await system('tickets.closeDay', { today: true })
  told.push([told[1]![0], 'ticket.expired'])
  const rows = await owner<{ ticket_id: number; type: string }>(
    `select ticket_id, type from events where tenant_id = $1 and type like 'ticket.%'`,
    [b.tenant.id],
  )
  const ordered = (list: [number, string][]) => list.map(([id, type]) => `${id} ${type}`).toSorted()
  expect(ordered(rows.map(({ ticket_id, type }) => [ticket_id, type]))).toEqual(ordered(told))
})

/** What an example means here: the things that its numbers stand for. */
const mine: Record<string, number> = {
  site: t.sites[0]!.id,
  service: t.services[0]!.id,
  queue: t.queues[0]!.id,
  counter: t.counters[0]!.id,
  agent: t.agents[0]!.id,
  user: t.agents[1]!.user_id,
  ticket: ownTicket.id,
}
function meant(op: Operation): Record<string, unknown> {
  const input = { ...exampleOf(op) }
  for (const name of Object.keys(input)) {
    const noun = name === 'id' ? nounOf(op) : name.endsWith('_id') ? name.slice(0, -'_id'.length) : ''
    if (mine[noun] !== undefined) input[name] = mine[noun]
  }
  return input
}
/** They end sessions, and close what the others work in. */
const ENDS = /^(auth|passkeys|tenants|switches|users|sandbox|privacy)\./

test('I2 what every example is answered is what the OpenAPI document says', async () => {
  const ajv = new Ajv2020({ strict: false })
  ;(formats.default as unknown as (ajv: Ajv2020) => void)(ajv)
  const document = openApiDocument(operations, { version: '0.0.0' }) as {
    paths: Record<string, Record<string, { responses: Record<string, { $ref?: string; content?: Described }> }>>
    components: { responses: Record<string, { content?: Described }> }
  }
  type Described = Record<string, { schema: object }>
  ajv.addSchema({ $id: 'openapi', ...document })
  const checks = new Map<string, ReturnType<typeof ajv.compile>>()
  const faultOf = (schema: object, value: unknown): string => {
    const text = JSON.stringify(schema).replaceAll('"#/', '"openapi#/')
    if (!checks.has(text)) checks.set(text, ajv.compile(JSON.parse(text) as object))
    const check = checks.get(text)!
    return check(value) ? '' : JSON.stringify(check.errors?.[0])
  }
  const asked = operations.filter((op) => !isSystems(op) && op.http.maxBodyBytes === undefined)
  const rank = (op: Operation) => (op.kind === 'query' ? 0 : ENDS.test(op.id) ? 2 : 1)
  const faults: string[] = []
  const succeeded: string[] = []
  for (const op of asked.toSorted((a, b) => rank(a) - rank(b))) {
    const [route] = routesOf(op)
    // Operators belong to no organisation.
    const caller = callerOf(op).role === 'operator' ? { ...callerOf(op), tenantId: null } : callerOf(op)
    const answer = await request(op, meant(op), isOpen(op) ? {} : as(caller))
    const described = document.paths[route!.path]![route!.method.toLowerCase()]!.responses[String(answer.statusCode)]
    if (!described || answer.statusCode >= 500) {
      faults.push(`${op.id}: ${answer.statusCode} ${answer.body.slice(0, 200)}`)
      continue
    }
    if (answer.statusCode < 300) succeeded.push(op.id)
    const { content } = described.$ref ? document.components.responses[described.$ref.split('/').at(-1)!]! : described
    const [type, media] = Object.entries(content ?? {})[0] ?? []
    if (!type?.includes('json') || type.includes('ndjson')) continue
    expect(answer.headers['content-type'], op.id).toContain(type)
    const fault = faultOf(media!.schema, answer.json())
    if (fault) faults.push(`${op.id}: ${answer.statusCode} ${fault}`)
  }
  expect(faults).toEqual([])
  expect(succeeded.length).toBeGreaterThan(150)
  expect(succeeded).toEqual(expect.arrayContaining(['tickets.list', 'queues.board', 'webhooks.create', 'tickets.get']))
})
