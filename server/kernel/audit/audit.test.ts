import { beforeAll, describe, expect, test } from 'vitest'
import { operations } from '../../modules/index.ts'
import { aTenant, anonymousActor, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import type { Actor, Role } from '../access.ts'
import { now } from '../clock.ts'
import { AppError } from '../errors.ts'
import type { Operation } from '../operation.ts'
import { canonicalJson } from './canonical.ts'
import { addressPrefix, userAgentFamily, verifyAudit } from './index.ts'
import { quickHash } from '../../test/password.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const run = caller(runtime, operations)
let bank: TenantFixture

interface Row {
  seq: number
  principal: string
  operation: string
  subject: string
  details: Record<string, any>
  address: string | null
  user_agent: string | null
  request_id: string | null
}
const rowsOf = (tenantId: number) =>
  owner<Row>('select * from audit_entries where tenant_id = $1 order by seq', [tenantId])
const lastOf = async (tenantId: number) => (await rowsOf(tenantId)).at(-1)!
const verify = (tenantId: number, ...anchors: { seq: number; link: string }[]) =>
  verifyAudit(owner, tenantId, ...anchors)

beforeAll(async () => {
  bank = await aTenant(owner, { queues: 2, agents: 2 })
})

describe('every mutation', () => {
  const actors: Partial<Record<Role, (tenant: TenantFixture) => Actor>> = {
    operator: () => ({ ...anonymousActor, role: 'operator', principal: 'user:999', scopes: new Set(['admin:tenant']) }),
    admin: ({ admin }) => ({ ...admin, provenAt: Math.floor(now() / 1000) }),
    supervisor: ({ supervisor }) => supervisor,
    agent: ({ agentActors }) => agentActors[0]!,
    kiosk: ({ kiosk }) => kiosk,
    display: ({ display }) => display,
    visitor: ({ tenant }) => ({
      ...anonymousActor,
      role: 'visitor',
      principal: 'visitor:1',
      tenantId: tenant.id,
      ticketId: 1,
    }),
    anonymous: () => anonymousActor,
    system: ({ system }) => system,
  }
  const mutations = operations.filter((op) => op.kind === 'mutation')

  /** Declared as in the registry, but succeeding at once: the trail is the kernel's work, not the operation's. */
  async function runStub(op: Operation, tenant: TenantFixture): Promise<void> {
    const role = op.roles.find((each) => actors[each])!
    const isOutside = op.http.base === 'root' && !op.http.path.startsWith('/t/{token}/')
    const stub: Operation = {
      ...op,
      run: async (ctx) => {
        if (!isOutside) ctx.emit({ type: 'test.done', site_id: 0, data: {} })
        return {}
      },
      output: { type: 'object', properties: {} },
    }
    if (op.runMany)
      stub.runMany = async (ctx, calls) => {
        ctx.emit({ type: 'test.done', site_id: 0, data: {} })
        return calls.map(() => ({}))
      }
    await runtime.execute(stub, {
      actor: actors[role]!(tenant),
      tenant: isOutside ? null : tenant.tenant,
      locale: 'en',
      input: op.example.input,
      requestId: `request-${op.id}`,
      origin: { address: '203.0.113.77', userAgent: 'curl/8.1' },
    })
  }

  test.each(mutations.map((op) => [op.id, op] as const))(
    '%s leaves exactly one row, or says why not',
    async (id, op) => {
      await runStub(op, bank)
      const rows = await owner<Row>('select * from audit_entries where request_id = $1', [`request-${id}`])
      if (op.unaudited !== undefined) return expect(rows).toEqual([])
      expect(rows).toHaveLength(1)
      expect(rows[0]).toMatchObject({ operation: id, address: '203.0.113.0/24', user_agent: 'curl' })
      const free = JSON.stringify(rows[0])
      for (const [name, value] of Object.entries(op.example.input as Record<string, unknown>))
        if (/^(email|password|name|phone|note|refresh|customer|comment|reason)$/.test(name))
          expect(free).not.toContain(JSON.stringify(value).slice(1, -1))
    },
  )

  test('mutations without a row are few and each has a reason', () => {
    const silent = mutations.filter((op) => op.unaudited !== undefined)
    expect(silent.length).toBeLessThan(20)
    for (const op of silent) expect(op.unaudited!.length).toBeGreaterThan(20)
  })

  test('reads leave none, refusals leave none, and a rolled back change leaves none', async () => {
    const before = await rowsOf(bank.tenant.id)
    const admin = run(bank.admin, bank.tenant)
    await admin('queues.list')
    await expect(admin('queues.update', { id: 999_999, name: 'x' })).rejects.toThrow(AppError)
    await expect(run(bank.agentActors[0]!, bank.tenant)('sites.delete', { id: 1 })).rejects.toThrow(AppError)
    await expect(admin('tickets.take', { queue_id: 999_999, channel: 'web' })).rejects.toThrow(AppError)
    expect(await rowsOf(bank.tenant.id)).toEqual(before)
  })

  test('a repeated key leaves one', async () => {
    const before = await rowsOf(bank.tenant.id)
    const take = () =>
      run(bank.kiosk, bank.tenant)('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'kiosk' }, { key: 'once' })
    await take()
    await take()
    expect((await rowsOf(bank.tenant.id)).length).toBe(before.length + 1)
  })
})

describe('a row says', () => {
  test('what was before and after of a configuration', async () => {
    const queue = bank.queues[0]!
    await run(bank.admin, bank.tenant)('queues.update', { id: queue.id, max_capacity: 50, name: 'Prêts' })
    expect(await lastOf(bank.tenant.id)).toMatchObject({
      principal: bank.admin.principal,
      subject: `queue:${queue.id}`,
      details: { changes: { max_capacity: [null, 50], name: ['Service 1', 'Prêts'] } },
    })
  })

  test('of a person only which fields changed', async () => {
    const admin = run(bank.admin, bank.tenant)
    const customer = await admin('customers.create', { name: 'Zoé Canari', phone: '+33612345678', locale: 'fr' })
    await admin('customers.update', { id: customer.id, phone: '+33687654321', note: 'canari aussi' })
    const trail = JSON.stringify(await rowsOf(bank.tenant.id))
    expect(trail).not.toMatch(/canari|336\d{8}/i)
    const { details, subject } = await lastOf(bank.tenant.id)
    expect(subject).toBe(`customer:${customer.id}`)
    expect(details['withheld'].toSorted()).toEqual(['note', 'phone'])
  })

  test('which ticket a call moved, from where to where, in a batch too', async () => {
    const [first, second] = bank.agents
    const takes = [1, 2].map(() =>
      run(bank.kiosk, bank.tenant)('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'kiosk' }),
    )
    await Promise.all(takes)
    const calls = [first!, second!].map((agent) => run(bank.admin, bank.tenant)('tickets.callNext', { id: agent.id }))
    const called = await Promise.all(calls)
    const rows = (await rowsOf(bank.tenant.id)).filter(({ operation }) => operation === 'tickets.callNext').slice(-2)
    expect(rows.map(({ subject }) => subject)).toEqual(called.map(({ ticket }) => `ticket:${ticket.id}`))
    for (const row of rows) expect(row.details['status']).toEqual(['en_attente', 'appelé'])
    expect(rows.map(({ details }) => details['given'].agent_id)).toEqual([first!.id, second!.id])
  })

  test('who signed in, in the log of the tenant they entered', async () => {
    const [user] = await owner<{ id: number; email: string }>(
      'update users set password_hash = $1 where id = $2 returning id, email',
      [quickHash('trois petits chats'), bank.admin.userId],
    )
    await run(anonymousActor, null)('auth.token', { email: user!.email, password: 'trois petits chats' })
    const row = await lastOf(bank.tenant.id)
    expect(row).toMatchObject({ operation: 'auth.token', subject: `user:${user!.id}` })
    expect(row.details).toEqual({ withheld: ['email', 'password'] })
  })

  test('a new organisation in its own log', async () => {
    const operator: Actor = {
      ...anonymousActor,
      role: 'operator',
      principal: 'user:7',
      scopes: new Set(['admin:tenant']),
    }
    const created = await run(operator, null)('tenants.create', { name: 'Neuf', slug: 'neuf' })
    expect(await lastOf(created.id)).toMatchObject({
      seq: 1,
      operation: 'tenants.create',
      subject: `tenant:${created.id}`,
    })
  })
})

test('the list filters and pages, the export gives every line, and agents see neither', async () => {
  const admin = run(bank.admin, bank.tenant)
  const all = await rowsOf(bank.tenant.id)
  const page = await admin('audit.list', { limit: 3 })
  expect(page.results.map(({ seq }: Row) => seq)).toEqual(
    all
      .slice(-3)
      .map(({ seq }) => seq)
      .toReversed(),
  )
  const next = await admin('audit.list', { limit: 3, cursor: page.next })
  expect(next.results[0].seq).toBe(page.results.at(-1).seq - 1)
  const queue = await admin('audit.list', { subject: `queue:${bank.queues[0]!.id}`, operation: 'queues.update' })
  expect(queue.results.length).toBeGreaterThan(0)
  expect(queue.results.every(({ operation }: Row) => operation === 'queues.update')).toBe(true)
  const lines = (await admin<string>('audit.export', { after: 2 })).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).seq)).toEqual(all.slice(2).map(({ seq }) => seq))
  await expect(run(bank.agentActors[0]!, bank.tenant)('audit.list')).rejects.toMatchObject({ code: 'forbidden' })
})

describe('append-only', () => {
  test.each([
    `insert into audit_entries (seq, at, principal, role, operation, subject, details) values (9, now(), 'x', 'x', 'x', 'x', '{}')`,
    'update audit_entries set principal = $$x$$',
    'delete from audit_entries',
    'update audit_heads set seq = 0',
    'delete from audit_heads',
    `truncate audit_entries`,
  ])('the application cannot: %s', async (sql) => {
    await expect(db.tenant(bank.tenant.id, (tx) => tx.query(sql))).rejects.toMatchObject({ code: '42501' })
  })

  test('nor append to another tenant’s log', async () => {
    const other = await aTenant(owner)
    const append = db.tenant(bank.tenant.id, (tx) =>
      tx.query('select app.append_audit($1, $2::jsonb, $3)', [other.tenant.id, '[]', Buffer.alloc(32)]),
    )
    await expect(append).rejects.toThrow('log of another tenant')
  })
})

describe('the chain', () => {
  let victim: TenantFixture
  let entries: number
  beforeAll(async () => {
    victim = await aTenant(owner, { agents: 2, queues: 2 })
    const kiosk = run(victim.kiosk, victim.tenant)
    const admin = run(victim.admin, victim.tenant)
    for (let i = 0; i < 6; i++) {
      await Promise.all(victim.queues.map(({ id }) => kiosk('tickets.take', { queue_id: id, channel: 'kiosk' })))
      await admin('queues.update', { id: victim.queues[0]!.id, max_capacity: 100 + i })
      const { ticket } = await admin('tickets.callNext', { id: victim.agents[0]!.id })
      await admin('tickets.start', { id: ticket.id })
      await admin('tickets.complete', { id: ticket.id })
      await admin('agents.setStatus', { id: victim.agents[0]!.id, status: 'available' })
    }
    entries = (await rowsOf(victim.tenant.id)).length
  })

  test('holds, and several rows of one transaction share a link', async () => {
    const verdict = await verify(victim.tenant.id)
    expect(verdict).toMatchObject({ entries, problems: [], head: { seq: entries } })
    const { links } = (
      await owner<{ links: number }>('select count(link)::int as links from audit_entries where tenant_id = $1', [
        victim.tenant.id,
      ])
    )[0]!
    expect(links).toBeLessThan(entries)
    expect(links).toBeGreaterThan(entries / 3)
  })

  test('forty writers at once leave an unbroken chain', async () => {
    const site = await aTenant(owner, { queues: 4, sites: 2 })
    const kiosk = run(site.kiosk, site.tenant)
    const admin = run(site.admin, site.tenant)
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        i % 4 === 0
          ? admin('queues.update', { id: site.queues[i % 8]!.id, max_capacity: 500 + i })
          : kiosk('tickets.take', { queue_id: site.queues[i % 8]!.id, channel: 'kiosk' }),
      ),
    )
    expect(await verify(site.tenant.id)).toMatchObject({ entries: 40, problems: [] })
  })

  test('an anchor taken earlier proves that the log was not written anew', async () => {
    const fresh = await aTenant(owner)
    const kiosk = run(fresh.kiosk, fresh.tenant)
    const take = () => kiosk('tickets.take', { queue_id: fresh.queues[0]!.id, channel: 'kiosk' })
    await take()
    const { head } = await verify(fresh.tenant.id)
    await take()
    expect((await verify(fresh.tenant.id, head!)).problems).toEqual([])
    // Whoever owns the database can begin a new chain: it holds in itself.
    await owner(`delete from audit_entries where tenant_id = ${fresh.tenant.id}`)
    await owner(`delete from audit_heads where tenant_id = ${fresh.tenant.id}`)
    await take()
    await take()
    expect((await verify(fresh.tenant.id)).problems).toEqual([])
    expect((await verify(fresh.tenant.id, head!)).problems).toEqual([{ seq: 1, problem: 'anchor' }])
  })

  /** Deterministic, so that a failure can be repeated. */
  const random = (seed: number) => () => {
    seed = (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
    return ((seed ^ (seed >>> 13)) >>> 0) / 2 ** 32
  }
  type Tamper = (next: (limit: number) => number) => string
  const t = () => `tenant_id = ${victim.tenant.id}`
  const EDITS = [
    `principal = principal || 'x'`,
    `role = 'visitor'`,
    `operation = operation || '.x'`,
    `subject = subject || '0'`,
    `details = details || '{"given": {"priority": 9}}'`,
    `request_id = coalesce(request_id, '') || 'x'`,
    `address = '198.51.100.0/24'`,
    `user_agent = 'Lynx'`,
    `at = at + interval '1 microsecond'`,
    `link = case when link is null then sha256('x') else null end`,
  ]
  const KINDS: Record<string, Tamper> = {
    edit: (next) => `update audit_entries set ${EDITS[next(EDITS.length)]} where ${t()} and seq = ${1 + next(entries)}`,
    delete: (next) => `delete from audit_entries where ${t()} and seq = ${1 + next(entries)}`,
    // A copy of a row pushed in, with all behind it moved up by one and the head too.
    insert: (next) => {
      const at = 1 + next(entries)
      return `
        update audit_entries set seq = -seq - 1 where ${t()} and seq > ${at};
        update audit_entries set seq = -seq where ${t()} and seq < 0;
        insert into audit_entries select tenant_id, seq + 1, at, principal, role, operation, subject, details, request_id,
          address, user_agent, null from audit_entries where ${t()} and seq = ${at};
        update audit_heads set seq = seq + 1 where ${t()}`
    },
    swap: (next) => {
      const a = 1 + next(entries - 1)
      return `
        update audit_entries set seq = -1 where ${t()} and seq = ${a};
        update audit_entries set seq = ${a} where ${t()} and seq = ${a + 1};
        update audit_entries set seq = ${a + 1} where ${t()} and seq = -1`
    },
    'tail cut': (next) => `delete from audit_entries where ${t()} and seq > ${next(entries)}`,
    // The head is moved along, as a careful forger would.
    'tail cut with its head': (next) => {
      const keep = 1 + next(entries - 1)
      return `delete from audit_entries where ${t()} and seq > ${keep}; update audit_heads set seq = ${keep} where ${t()}`
    },
  }

  test('200 random tamperings are all found', async () => {
    const value = random(20_261_122)
    const next = (limit: number) => Math.floor(value() * limit)
    const kinds = Object.keys(KINDS)
    const missed: string[] = []
    const tried: Record<string, number> = {}
    for (let i = 0; i < 200; i++) {
      const kind = kinds[i % kinds.length]!
      const sql = KINDS[kind]!(next)
      await owner('begin')
      try {
        await owner(sql)
        const verdict = await verifyAudit(owner, victim.tenant.id)
        if (verdict.problems.length === 0) missed.push(`${kind}: ${sql}`)
        tried[kind] = (tried[kind] ?? 0) + 1
      } finally {
        await owner('rollback')
      }
    }
    expect(missed).toEqual([])
    expect(Object.keys(tried)).toEqual(kinds)
    expect(Object.values(tried).reduce((a, b) => a + b)).toBe(200)
    expect((await verify(victim.tenant.id)).problems).toEqual([])
  })

  test('control: counting rows finds no edit', async () => {
    await owner('begin')
    await owner(`update audit_entries set principal = 'user:1' where ${t()} and seq = 3`)
    const [count] = await owner<{ n: number }>(`select count(*)::int as n from audit_entries where ${t()}`)
    const isFound = (await verifyAudit(owner, victim.tenant.id)).problems.length > 0
    await owner('rollback')
    expect(count!.n).toBe(entries)
    expect(isFound).toBe(true)
  })
})

test('canonical JSON has one spelling, also after a journey through jsonb', async () => {
  const value = { b: [1, { z: null, a: 1e21 }], a: 'é\n"', aa: 0.1, c: -0, ü: true }
  expect(canonicalJson({ y: 1, x: { d: 2, c: [] } })).toBe('{"x":{"c":[],"d":2},"y":1}')
  const [row] = await owner<{ value: unknown }>('select $1::jsonb as value', [JSON.stringify(value)])
  expect(canonicalJson(row!.value)).toBe(canonicalJson(value))
})

test.each([
  ['203.0.113.77', '203.0.113.0/24'],
  ['::ffff:203.0.113.77', '203.0.113.0/24'],
  ['2001:db8:1234:5678::1', '2001:db8:1234:5600::/56'],
  ['2001:db8::1', '2001:db8:0:0::/56'],
  ['::1', '0:0:0:0::/56'],
  ['fe80::1%eth0', 'fe80:0:0:0::/56'],
  ['a pipe', 'unknown'],
])('address %s is kept as %s', (address, prefix) => expect(addressPrefix(address)).toBe(prefix))

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox'],
  ['Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15', 'Safari'],
  ['Mozilla/5.0 (Windows) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0', 'Edge'],
  ['Mozilla/5.0 (Linux; Android) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36', 'Chrome'],
  ['curl/8.5.0', 'curl'],
  ['<script>', 'other'],
  [undefined, null],
])('user agent %s is of the family %s', (text, family) => expect(userAgentFamily(text)).toBe(family))
