import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../config.ts'
import type { Runtime } from '../../kernel/execute.ts'
import { registry } from '../../kernel/metrics.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { reindex } from '../../transports/cli/search.ts'
import { operations } from '../index.ts'
import type { Document } from './document.ts'
import { jobs } from './feed/jobs.ts'
import { takeInAll } from './feed/take-in.ts'
import { onSearchDown, searchServer, useSearch } from './server.ts'
import { LoopbackSearchServer } from '../../test/opensearch.ts'

const server = new LoopbackSearchServer()
let base: TestDatabase
let runtime: Runtime
let bank: TenantFixture
let url: string
let admin: ReturnType<ReturnType<typeof caller>>
const errors: unknown[] = []

const catchUp = async () => {
  await takeInAll(base.db, searchServer()!, [bank.tenant], (error) => errors.push(error))
  await searchServer()!.refresh()
}
const search = (q: string) => admin('search.query', { q })
const titles = async (q: string) => (await search(q)).results.map(({ title }: { title: string }) => title)

beforeAll(async () => {
  base = await testDatabase()
  runtime = testRuntime(base.db)
  bank = await aTenant(base.owner)
  admin = caller(runtime, operations)(bank.admin, bank.tenant)
  url = await server.listen()
  await admin('customers.create', { name: 'Avant Tout' })
  await useSearch(url)
})
afterAll(async () => {
  await useSearch(undefined)
  await server.close()
})

test('what was there before is told at first, what changes by whatever hand afterwards', async () => {
  await catchUp()
  expect(await titles('avant')).toEqual(['Avant Tout'])
  // No operation and no event: imports and the nightly forgetting write like this.
  await base.owner(`insert into customers (tenant_id, name) values ($1, 'Sans Evénement')`, [bank.tenant.id])
  await catchUp()
  expect(await search('evenement')).toMatchObject({ engine: 'opensearch', results: [{ title: 'Sans Evénement' }] })
  await base.owner(`delete from customers where tenant_id = $1 and name = 'Sans Evénement'`, [bank.tenant.id])
  await catchUp()
  expect(server.dump()).not.toContain('evenement')
  expect(errors).toEqual([])
})

test('a server that takes half of what it is told is told the rest, and nothing is lost or doubled', async () => {
  for (let n = 0; n < 12; n++) await admin('customers.create', { name: `Demi Portion${n}` })
  const before = server.size
  server.failsAfter = 5
  await catchUp()
  expect(errors).toHaveLength(1)
  server.failsAfter = Infinity
  await catchUp()
  await catchUp()
  expect(server.size).toBe(before + 12)
  expect(await titles('demi portion')).toHaveLength(12)
  const [{ n } = { n: -1 }] = await base.owner<{ n: number }>('select count(*)::int as n from search_changes')
  expect(n).toBe(0)
  errors.length = 0
})

test('an older telling that comes late changes nothing', async () => {
  const { id } = await admin('customers.create', { name: 'Premier Nom' })
  await catchUp()
  await admin('customers.update', { id, name: 'Second Nom' })
  await catchUp()
  await searchServer()!.write(bank.tenant.id, 'customer', 1, [{ id, document: null }])
  await searchServer()!.refresh()
  expect(await titles('second nom')).toEqual(['Second Nom'])
})

test('a server that is down: the database answers, one line says so, a metric counts, and nothing is lost', async () => {
  const told: unknown[] = []
  onSearchDown((error) => told.push(error))
  server.isDown = true
  await admin('customers.create', { name: 'Pendant Panne' })
  expect(await search('pendant')).toMatchObject({ engine: 'postgresql', results: [{ title: 'Pendant Panne' }] })
  // It rests: the next search does not wait for it again.
  const asked = server.asked.length
  expect((await search('pendant')).engine).toBe('postgresql')
  expect([server.asked.length, told.length]).toEqual([asked, 1])
  const metrics = await registry.metrics()
  expect(metrics).toMatch(/search_requests_total\{engine="postgresql",outcome="stood_in"\} 2/)
  expect(metrics).toMatch(/search_requests_total\{engine="opensearch",outcome="failed"\} 1/)
  await takeInAll(base.db, searchServer()!, [bank.tenant], () => {})
  server.isDown = false
  await useSearch(url)
  await catchUp()
  expect(await search('pendant')).toMatchObject({ engine: 'opensearch', results: [{ title: 'Pendant Panne' }] })
  // A server that nobody listens at is no other case.
  await useSearch('http://127.0.0.1:9')
  expect((await search('pendant')).results).toHaveLength(1)
  await useSearch(url)
})

test('who is erased is gone from the server: no word of theirs is left in it', async () => {
  const { id } = await admin('customers.create', {
    name: 'Canari Jaune',
    phone: '0699887766',
    email: 'canari@example.org',
  })
  const ticket = await admin('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'reception', customer_id: id })
  await admin('tickets.update', { id: ticket.id, note: 'plumage' })
  await admin('tickets.cancel', { id: ticket.id })
  await catchUp()
  for (const word of ['canari', 'plumage', '699887766']) expect(server.dump()).toContain(word)
  await admin('privacy.erase', { id })
  // Before the server knows, nothing of it is shown either.
  expect(await titles('canari')).toEqual([])
  await catchUp()
  for (const word of ['canari', 'plumage', '699887766']) expect(server.dump()).not.toContain(word)
})

test('`search reindex` tells everything again with its progress, and lets go what has no row any more', async () => {
  await searchServer()!.write(bank.tenant.id, 'customer', 5, [
    { id: 999_999, document: { ...stale, tenant_id: bank.tenant.id } },
  ])
  await searchServer()!.refresh()
  expect(server.dump()).toContain('fantome')
  const config = loadConfig(
    { DATABASE_URL: base.url, DATABASE_DIRECT_URL: base.directUrl, OPENSEARCH_URL: url, METRICS_PORT: '0' },
    '/tmp',
  )
  const lines: string[] = []
  await reindex(config, { tenant: bank.tenant.slug }, (line) => lines.push(line))
  expect(lines.at(-1)).toMatch(/^tenant-\d+: \d+ documents in \d+\.\d s, 1 removed$/)
  expect(server.dump()).not.toContain('fantome')
  await expect(reindex(config, { tenant: 'nobody' }, () => {})).rejects.toMatchObject({ code: 'not_found' })
  await useSearch(url)
})
const stale = {
  kind: 'customer' as const,
  id: 999_999,
  words: ['fantome'],
  names: ['fantome'],
  digits: '',
  number: '',
  tail: '',
  code: '',
  day: null,
  sites: [],
  queues: [],
  is_nowhere: true,
} satisfies Omit<Document, 'tenant_id'>

test('without a server the night notes nothing any more', async () => {
  await useSearch(undefined)
  const sweep = jobs.find(({ name }) => name === 'search.sweep')!
  const context = { runtime, tenants: async () => [bank.tenant] }
  await sweep.run(context, { tenant_id: bank.tenant.id })
  await admin('customers.create', { name: 'Personne Ne Note' })
  const [{ n } = { n: -1 }] = await base.owner<{ n: number }>(
    'select (select count(*) from search_changes) + (select count(*) from search_cursors) as n',
  )
  expect(Number(n)).toBe(0)
})
