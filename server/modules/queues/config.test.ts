import { beforeEach, expect, test } from 'vitest'
import type { Tx } from '../../kernel/db/types.ts'
import type { Hub } from '../../kernel/events/index.ts'
import { operations as siteOperations } from '../sites/index.ts'
import { openState, queueConfig, queueConfigs } from './config.ts'
import { operations } from './index.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, [...operations, ...siteOperations])

let bank: TenantFixture
let reads = 0
const contextOf = ({ tenant }: TenantFixture, hub: Hub = runtime.hub) => {
  const reader = db.reader(tenant.id)
  const tx: Tx = { ...reader, query: (text, values) => (reads++, reader.query(text, values)) }
  return { tx, tenant, hub }
}
/** Configuration is kept once both streams are followed. */
async function warm(fixture: TenantFixture) {
  const { hub } = runtime
  await queueConfig(contextOf(fixture), fixture.queues[0]!.id)
  await Promise.all([0, fixture.queues[0]!.site_id].map((siteId) => hub.tail(fixture.tenant.id, siteId)))
  await new Promise(setImmediate)
  await queueConfig(contextOf(fixture), fixture.queues[0]!.id)
  reads = 0
}
beforeEach(async () => {
  bank = await aTenant(owner, { queues: 2 })
  await warm(bank)
})

test('is read once a second at most', async () => {
  const first = await queueConfig(contextOf(bank), bank.queues[0]!.id)
  expect(await queueConfig(contextOf(bank), bank.queues[0]!.id)).toBe(first)
  expect(reads).toBe(0)
  expect(first).toMatchObject({
    id: bank.queues[0]!.id,
    timezone: 'Europe/Paris',
    opening_hours: null,
    service: { code: 'A', required_fields: [], expected_duration_seconds: 300 },
  })
})

test('several queues are one statement, and those that do not exist are absent', async () => {
  const other = bank.queues[1]!.id
  const found = await queueConfigs(contextOf(bank), [bank.queues[0]!.id, other, other, 999_999_999])
  expect([...found.keys()]).toEqual([bank.queues[0]!.id, other])
  expect(reads).toBe(1)
})

test.each<[string, (b: TenantFixture) => [string, Record<string, unknown>], object]>([
  ['the queue', (b) => ['queues.update', { id: b.queues[0]!.id, is_active: false }], { is_active: false }],
  [
    'the site',
    (b) => ['sites.update', { id: b.sites[0]!.id, opening_hours: { weekly: {} } }],
    { opening_hours: { weekly: {} } },
  ],
  ['the service', (b) => ['services.update', { id: b.services[0]!.id, code: 'Z' }], { service: { code: 'Z' } }],
])('a change of %s is seen at once', async (_, change, expected) => {
  const before = await queueConfig(contextOf(bank), bank.queues[0]!.id)
  expect(before).not.toMatchObject(expected)
  const [operation, input] = change(bank)
  await as(bank.admin, bank.tenant)(operation, input)
  expect(await queueConfig(contextOf(bank), bank.queues[0]!.id)).toMatchObject(expected)
})

test('what was read before a change is not kept after it', async () => {
  const { id } = bank.queues[1]!
  const context = contextOf(bank)
  const slow: Tx = {
    ...context.tx,
    async query<Row>(text: string, values?: readonly unknown[]) {
      const rows = await context.tx.query<Row>(text, values)
      await as(bank.admin, bank.tenant)('queues.update', { id, max_recalls: 9 })
      return rows
    },
  }
  expect(await queueConfig({ ...context, tx: slow }, id)).toMatchObject({ max_recalls: 3 })
  expect(await queueConfig(context, id)).toMatchObject({ max_recalls: 9 })
})

test('nobody is given another tenant’s queue, even when it is in memory', async () => {
  const clinic = await aTenant(owner)
  await warm(clinic)
  await expect(queueConfig(contextOf(clinic), bank.queues[0]!.id)).rejects.toMatchObject({ code: 'not_found' })
  await expect(queueConfig(contextOf(bank), clinic.queues[0]!.id)).rejects.toMatchObject({ code: 'not_found' })
  expect(await queueConfig(contextOf(clinic), clinic.queues[0]!.id)).toMatchObject({ id: clinic.queues[0]!.id })
})

test('a closed site or service closes the queue; the switch only pauses it', () => {
  const config = { is_active: true, site_is_active: true, timezone: 'Europe/Paris', opening_hours: null }
  const at = '2026-11-23T10:00:00.000001Z'
  expect(openState(config, at)).toEqual({ is_open: true, is_paused: false, closes_at: null, opens_at: null })
  expect(openState({ ...config, is_active: false }, at)).toMatchObject({ is_open: true, is_paused: true })
  expect(openState({ ...config, site_is_active: false }, at)).toMatchObject({ is_open: false, opens_at: null })
  expect(openState({ ...config, service: { is_active: false } }, at)).toMatchObject({ is_open: false })
  const hours = { weekly: { 1: [['09:00', '12:00'] as [string, string]] } }
  const open = openState({ ...config, opening_hours: hours }, at)
  expect(open.is_open).toBe(true)
  expect(open.closes_at?.toString()).toBe('2026-11-23T11:00:00Z')
  const closed = openState({ ...config, opening_hours: hours }, '2026-11-23T11:00:00Z')
  expect(closed.opens_at?.toString()).toBe('2026-11-30T08:00:00Z')
})
