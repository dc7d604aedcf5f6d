import asyncapiSpecs from '@asyncapi/specs'
import { Ajv } from 'ajv'
import * as formats from 'ajv-formats'
import { expect, test } from 'vitest'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { asyncApiDocument } from '../../transports/asyncapi.ts'
import { feeds, operations } from '../index.ts'

type Json = Record<string, any>
const document = asyncApiDocument({ operations, feeds, version: '0.0.0' }) as Json
const addFormats = formats.default as unknown as (ajv: Ajv) => void
function ajv(options: object = {}): Ajv {
  const made = new Ajv({ strict: false, ...options })
  addFormats(made)
  return made
}
const schema = asyncapiSpecs.schemas['3.0.0'] as Json

test('the AsyncAPI document is valid, and every reference leads somewhere', () => {
  // The schema brings its own of draft 07.
  const validate = ajv({ meta: false, validateSchema: false }).compile(schema)
  expect(validate(document), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true)
  const pointers = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, pointer]) => pointer!)
  expect(pointers.length).toBeGreaterThan(200)
  for (const pointer of pointers) {
    const target = pointer.split('/').reduce<unknown>((at, key) => (at as Json | undefined)?.[key], document)
    expect(target, pointer).toBeDefined()
  }
  // Controls: an operation without a channel, a version that does not exist.
  for (const broken of [
    { ...document, operations: { x: { action: 'send' } } },
    { ...document, asyncapi: '3.9.9' },
  ])
    expect(validate(broken)).toBe(false)
})

test('what a day writes is what the catalogue says', async () => {
  const { db, owner } = await testDatabase()
  const as = caller(testRuntime(db), operations)
  const t = await aTenant(owner, { queues: 2, agents: 2 })
  const run = as(t.admin, t.tenant)
  const agent = as(t.agentActors[0]!, t.tenant)
  const agentId = t.agents[0]!.id
  const [queue, other] = t.queues.map(({ id }) => id) as [number, number]
  const call = async () => {
    await run('tickets.take', { queue_id: queue, channel: 'api' })
    return (await agent('tickets.callNext', { id: agentId })).ticket.id as number
  }
  const first = await call()
  await agent('tickets.recall', { id: first }).catch(() => {})
  await agent('tickets.start', { id: first })
  await agent('tickets.hold', { id: first })
  await agent('tickets.resume', { id: first })
  await agent('tickets.complete', { id: first })
  await agent('agents.setStatus', { id: agentId, status: 'available' })
  const second = await call()
  await agent('tickets.noShow', { id: second })
  await agent('agents.setStatus', { id: agentId, status: 'available' }).catch(() => {})
  const third = await call()
  await agent('tickets.transfer', { id: third, queue_id: other })
  const fourth = await run('tickets.take', { queue_id: queue, channel: 'kiosk' })
  await run('tickets.update', { id: fourth.id, note: 'with a pram' })
  await run('tickets.cancel', { id: fourth.id })
  await run('counters.create', { site_id: t.sites[0]!.id, name: 'Window' })
  await run('queues.update', { id: queue, name: 'Passports' })
  await run('customers.create', { name: 'Amal', phone: '+33612345678' })
  await run('services.create', { name: 'Parking', code: 'P' })
  await run('agents.update', { id: agentId, name: 'Samira' })
  const { id } = await run('webhooks.create', { url: 'https://example.org/' })
  await run('webhooks.ping', { id })

  const rows = await owner<{
    type: string
    data: Json
    site_id: number
    epoch: string
    offset: number
    at: string
    actor: string
  }>(
    'select e.*, s.epoch from events e join streams s using (tenant_id, site_id) where e.tenant_id = $1 order by site_id, "offset"',
    [t.tenant.id],
  )
  const types = new Set(rows.map(({ type }) => type))
  expect(types.size).toBeGreaterThanOrEqual(16)
  const check = ajv()
  check.addSchema({ $id: 'asyncapi', ...document })
  const verdict = (type: string, data: Json) => {
    const name = type.replace(/[._](\w)/g, (_, letter: string) => letter.toUpperCase())
    const found = check.getSchema(`asyncapi#/components/messages/${name}/payload`)!
    const event = {
      id: 'evt_1_a_1',
      type,
      timestamp: '2026-11-22T09:00:00Z',
      tenant: 'bank',
      site_id: 1,
      epoch: 'a',
      offset: 1,
      actor: 'system',
      data,
    }
    return found(event) ? '' : `${type}: ${JSON.stringify(found.errors?.[0])}`
  }
  expect(rows.map(({ type, data }) => verdict(type, data)).filter(Boolean)).toEqual([])
  // Control: a ticket whose state is no state.
  const created = rows.find(({ type }) => type === 'ticket.created')!
  expect(
    verdict('ticket.created', { ...created.data, ticket: { ...created.data['ticket'], status: 'waiting' } }),
  ).not.toBe('')
})
