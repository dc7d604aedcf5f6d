import { beforeAll, describe, expect, test } from 'vitest'
import { operations as siteOperations } from '../sites/index.ts'
import { operations } from './index.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, [...operations, ...siteOperations])

let bank: TenantFixture
let clinic: TenantFixture
let admin: ReturnType<typeof as>
beforeAll(async () => {
  bank = await aTenant(owner, { sites: 2, queues: 2 })
  clinic = await aTenant(owner)
  admin = as(bank.admin, bank.tenant)
})
const code = (error: string) => expect.objectContaining({ code: error })

describe('queues', () => {
  test('a new queue takes the letter of its service and says its state', async () => {
    const service = await admin('services.create', { name: 'Passeports', code: 'P' })
    const queue = await admin('queues.create', {
      site_id: bank.sites[0]!.id,
      service_id: service.id,
      name: 'Passeports',
    })
    expect(queue).toMatchObject({
      algorithm: 'fifo',
      number_prefix: 'P',
      max_capacity: null,
      is_active: true,
      status: 'open',
    })
    expect(await admin('queues.get', { id: queue.id })).toEqual(queue)
    const { results } = await admin('queues.list', { service: service.id })
    expect(results).toEqual([queue])
    expect(await admin('queues.update', { id: queue.id, is_active: false })).toMatchObject({ status: 'paused' })
    const [state] = await owner<{ status: string }>('select status from queue_states where queue_id = $1', [queue.id])
    expect(state!.status).toBe('paused')
  })

  test('the line of one service at one site exists once', async () => {
    const { site_id, service_id } = bank.queues[0]!
    await expect(admin('queues.create', { site_id, service_id, name: 'Again' })).rejects.toEqual(code('queue_exists'))
  })

  test('an algorithm nobody wrote and a series without numbers are refused', async () => {
    const { id } = bank.queues[0]!
    await expect(admin('queues.update', { id, algorithm: 'lottery' })).rejects.toMatchObject({
      fields: [{ path: '/algorithm', code: 'unknown_algorithm' }],
    })
    await expect(admin('queues.update', { id, number_first: 5, number_last: 5 })).rejects.toMatchObject({
      fields: [{ path: '/number_last' }],
    })
  })

  test('hours and capacity show in the state', async () => {
    const queue = bank.queues[2]!
    await admin('sites.update', { id: queue.site_id, opening_hours: { weekly: {} } })
    expect(await admin('queues.get', { id: queue.id })).toMatchObject({ status: 'closed' })
    await admin('sites.update', { id: queue.site_id, opening_hours: null })
    await admin('queues.update', { id: queue.id, max_capacity: 1 })
    expect(await admin('queues.get', { id: queue.id })).toMatchObject({ status: 'open' })
    await owner(
      `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank,
         entered_at, created_at)
       values ($1, $2, $3, $4, current_date, $3, current_date, 1, 'A001', 'kiosk', 1, now(), now())`,
      [bank.tenant.id, queue.site_id, queue.id, queue.service_id],
    )
    expect(await admin('queues.get', { id: queue.id })).toMatchObject({ status: 'full' })
  })

  test('a validator taken from the answer lets a write through once', async () => {
    const { etagOf } = await import('../../kernel/etag.ts')
    const { id } = bank.queues[1]!
    const get = operations.find((op) => op.id === 'queues.get')!
    const read = async () =>
      (await runtime.execute(get, { actor: bank.admin, tenant: bank.tenant, locale: 'fr', input: { id } })).body
    const ifMatch = etagOf(await read())
    await admin('queues.update', { id, grace_seconds: 30 }, { ifMatch })
    await expect(admin('queues.update', { id, grace_seconds: 60 }, { ifMatch })).rejects.toEqual(code('etag_mismatch'))
    await admin('queues.update', { id, grace_seconds: 60 }, { ifMatch: etagOf(await read()) })
  })

  test('a foreign queue is a missing queue', async () => {
    const foreign = clinic.queues[0]!.id
    for (const id of [foreign, 999_999_999]) {
      await expect(admin('queues.get', { id })).rejects.toEqual(code('not_found'))
      await expect(admin('queues.update', { id, name: 'x' })).rejects.toEqual(code('not_found'))
      await expect(admin('queues.delete', { id })).rejects.toEqual(code('not_found'))
    }
    await expect(as(clinic.admin, bank.tenant)('queues.get', { id: foreign })).rejects.toEqual(code('not_found'))
  })

  test('supervisors steer queues, agents only read them, visitors neither', async () => {
    const { id } = bank.queues[0]!
    await as(bank.supervisor, bank.tenant)('queues.update', { id, is_active: true })
    const agent = as(bank.agentActors[0]!, bank.tenant)
    expect(await agent('queues.get', { id })).toMatchObject({ id })
    await expect(agent('queues.update', { id, is_active: false })).rejects.toEqual(code('forbidden'))
    await expect(as(bank.anonymous, bank.tenant)('queues.list')).rejects.toEqual(code('unauthorized'))
  })

  test('every write is an event of the queue on its site’s stream', async () => {
    const { id, site_id } = bank.queues[0]!
    await admin('queues.update', { id, name: 'Caisse', is_active: true })
    const [event] = await owner<{ type: string; queue_id: number; data: { queue: object } }>(
      'select type, queue_id, data from events where tenant_id = $1 and site_id = $2 order by "offset" desc limit 1',
      [bank.tenant.id, site_id],
    )
    expect(event).toMatchObject({
      type: 'queue.updated',
      queue_id: id,
      data: { queue: { id, name: 'Caisse', status: 'open' } },
    })
  })
})

describe('queue rules', () => {
  const rule = { name: 'Not after five', condition: { hours: { from: '17:00', to: '23:59', weekdays: [1, 5] } } }

  test.each<[string, object]>([
    ['refuse with a reason', { refuse: { reason: { fr: 'Revenez demain.', en: 'Come back tomorrow.' } } }],
    ['a class', { priority: 3 }],
    ['a skill', { required_skill: 'langue des signes' }],
    ['tell somebody', { notify: { role: 'supervisor', message: 'Long line' } }],
  ])('%s', async (_, effect) => {
    const created = await admin('queue-rules.create', { ...rule, queue_id: bank.queues[0]!.id, effect })
    expect(created).toMatchObject({ ...rule, effect, position: 0, is_active: true })
    expect(await admin('queue-rules.get', { id: created.id })).toEqual(created)
  })

  test.each<[string, object]>([
    ['no effect', { effect: {} }],
    ['two effects', { effect: { priority: 1, required_skill: 'x' } }],
    ['a refusal without words', { effect: { refuse: {} } }],
    ['an unknown condition', { condition: { moon: 'full' }, effect: { priority: 1 } }],
    [
      'a day that does not exist',
      { condition: { hours: { from: '08:00', to: '09:00', weekdays: [8] } }, effect: { priority: 1 } },
    ],
  ])('%s is refused', async (_, wrong) => {
    await expect(admin('queue-rules.create', { ...rule, queue_id: bank.queues[0]!.id, ...wrong })).rejects.toEqual(
      code('invalid_input'),
    )
  })

  test('sends people only to another queue of the same site', async () => {
    const [first, second, elsewhere] = bank.queues
    const create = (queue_id: number) =>
      admin('queue-rules.create', { ...rule, queue_id: first!.id, effect: { queue_id } })
    expect(await create(second!.id)).toMatchObject({ effect: { queue_id: second!.id } })
    for (const id of [first!.id, elsewhere!.id, clinic.queues[0]!.id]) {
      await expect(create(id)).rejects.toMatchObject({ fields: [{ path: '/effect/queue_id' }] })
    }
  })
})
