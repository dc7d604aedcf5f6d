import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { feeds, operations } from '../modules/index.ts'
import { startApp } from '../test/app.ts'
import { anonymousActor, type TenantFixture } from '../test/factories.ts'
import { ROLE_SCOPES, ROLES, type Actor, type Role } from './access.ts'
import { matrixFaults } from './matrix.ts'
import type { Operation } from './operation.ts'

const server = await startApp()
let bank: TenantFixture
let actors: Record<Role, Actor>
beforeAll(async () => {
  bank = await server.aTenant({ queues: 1 })
  const { admin, supervisor, agentActors, kiosk, display, apiKey, anonymous, system, tenant } = bank
  actors = {
    operator: {
      ...anonymousActor,
      role: 'operator',
      principal: 'user:9999',
      userId: 9999,
      scopes: new Set(ROLE_SCOPES.operator),
    },
    admin,
    supervisor,
    agent: agentActors[0]!,
    kiosk,
    display,
    api_key: apiKey,
    visitor: { ...anonymousActor, role: 'visitor', principal: 'visitor:1', tenantId: tenant.id, ticketId: 1 },
    anonymous,
    system,
  }
})

/** The reviewed table, not the declarations it was made from: a change of either shows here. */
const documented = new Map(
  readFileSync(new URL('../../docs/roles.md', import.meta.url), 'utf8')
    .split('## Live feeds')[0]!
    .matchAll(/^\| `([\w.-]+)` \| (?:`([a-z:]+)`)? ?\|(.*)\|$/gm)
    .map(([, id, scope, cells]) => {
      const ticks = cells!.split('|').map((cell) => cell.trim() === '✓')
      return [id!, { scope: scope ?? null, roles: new Set(ROLES.filter((_, i) => ticks[i])) }] as const
    }),
)

test('every operation has its row and every row its operation', () => {
  expect([...documented.keys()].toSorted()).toEqual(operations.map((op) => op.id).toSorted())
  for (const op of operations) expect(documented.get(op.id)!.scope, op.id).toBe(op.scope)
})

const isVisitors = (op: Operation) => op.http.path.startsWith('/t/{token}/')
const isOutside = (op: Operation) => op.http.base === 'root' && !isVisitors(op)
interface Probe {
  op: Operation
  ran: boolean
}
const REACHED = 'reached'
/** As declared, but telling that it ran instead of doing anything; once each, because its schemas are compiled. */
const probes = new Map(
  operations.map((declared) => {
    const { runMany: _, ...single } = declared
    const run = () => {
      probe.ran = true
      throw new Error(REACHED)
    }
    const probe: Probe = { op: { ...single, unaudited: 'nothing happens', run }, ran: false }
    return [declared, probe] as const
  }),
)

/** Did the operation run for this actor, and if not, with which code was it refused? */
async function attempt(op: Operation, actor: Actor): Promise<string> {
  const probe = probes.get(op)!
  probe.ran = false
  try {
    await server.runtime.execute(probe.op, {
      actor,
      tenant: isOutside(op) ? null : bank.tenant,
      locale: 'en',
      input: op.example.input,
    })
  } catch (error) {
    return probe.ran ? REACHED : (error as { code: string }).code
  }
  return 'answered'
}

describe.each(ROLES)('the whole matrix, both ways: %s', (role) => {
  test.each(operations.map((op) => [op.id, op] as const))('%s', async (id, op) => {
    const isAllowed = documented.get(id)!.roles.has(role)
    const actor = { ...actors[role], ...(op.needsProof && { provenAt: Number.MAX_SAFE_INTEGER }) }
    const outcome = await attempt(op, actor)
    if (isAllowed) expect(outcome).toBe(REACHED)
    else expect(outcome).toBe(role === 'anonymous' ? 'unauthorized' : 'forbidden')
    // The same role without the operation's scope is refused as well.
    if (isAllowed && op.scope && role !== 'anonymous' && role !== 'visitor')
      expect(
        await attempt(op, { ...actor, scopes: new Set([...actor.scopes].filter((scope) => scope !== op.scope)) }),
      ).toBe('forbidden')
  })
})

test('over HTTP too: every refused cell answers 401 or 403 and writes nothing', async () => {
  const counts = () =>
    server.owner<{ n: number }>(
      'select (select count(*) from events)::int + (select count(*) from audit_entries)::int + (select count(*) from idempotency_keys)::int as n',
    )
  const before = await counts()
  const wrong: string[] = []
  let tried = 0
  for (const op of operations) {
    if (isVisitors(op)) continue
    for (const role of ROLES) {
      if (role === 'visitor' || role === 'system' || documented.get(op.id)!.roles.has(role)) continue
      tried++
      const { statusCode } = await server.app.inject({
        method: op.http.method,
        url: `/api/v1${op.http.base === 'root' ? '' : `/tenants/${bank.tenant.slug}`}${op.http.path.replace(/\{\w+\}/g, '1')}`,
        headers: role === 'anonymous' ? {} : server.as(actors[role]),
      })
      if (statusCode !== (role === 'anonymous' ? 401 : 403)) wrong.push(`${op.id} as ${role}: ${statusCode}`)
    }
  }
  expect(wrong).toEqual([])
  expect(tried).toBeGreaterThan(150)
  expect(await counts()).toEqual(before)
})

describe('the program does not start with', () => {
  const good = operations.find((op) => op.id === 'queues.update')!
  test.each<[string, Partial<Record<keyof Operation, unknown>>, string]>([
    ['an operation that nobody gave a role', { roles: [] }, 'queues.update: no role'],
    ['a role that does not exist', { roles: ['janitor'] }, 'queues.update: unknown role janitor'],
    ['a scope that does not exist', { scope: 'write:everything' }, 'queues.update: unknown scope write:everything'],
    ['no word about the scope', { scope: undefined }, 'queues.update: unknown scope undefined'],
    ['a tenant’s operation without a scope', { scope: null }, 'queues.update: needs a scope'],
    ['a tick that the role’s scopes refuse', { roles: ['display'] }, 'queues.update: display never has write:queue'],
  ])('%s', (_, change, fault) => {
    expect(matrixFaults([{ ...good, ...change } as Operation])).toContain(fault)
  })
  test('two operations of one name', () =>
    expect(matrixFaults([good, good])).toContain('queues.update: declared twice'))
  test('and starts with ours', () => expect(matrixFaults(operations, feeds)).toEqual([]))
})
