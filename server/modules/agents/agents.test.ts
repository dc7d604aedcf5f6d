import { beforeEach, describe, expect, test } from 'vitest'
import { operations } from './index.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'

const { db, owner } = await testDatabase()
const as = caller(testRuntime(db), operations)

let bank: TenantFixture
let admin: ReturnType<typeof as>
beforeEach(async () => {
  bank = await aTenant(owner, { sites: 2, queues: 2, agents: 2, counters: 3, agentStatus: 'offline' })
  admin = as(bank.admin, bank.tenant)
})
const code = (error: string) => expect.objectContaining({ code: error })
const lastEvents = (count: number) =>
  owner<{ type: string; agent_id: number; data: { agent: object } }>(
    `select type, agent_id, data from (select * from events where tenant_id = $1 and site_id = $2 order by "offset" desc limit $3) e
     order by "offset"`,
    [bank.tenant.id, bank.sites[0]!.id, count],
  )
/** A ticket at the agent's counter, as far as the database knows. */
const giveTicket = (agentId: number, status: string) =>
  owner(
    `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank,
       status, agent_id, entered_at, created_at)
     values ($1, $2, $3, $4, current_date, $3, current_date, $5::int, 'A001', 'kiosk', 1, $6, $5::bigint, now(), now())`,
    [bank.tenant.id, bank.sites[0]!.id, bank.queues[0]!.id, bank.services[0]!.id, agentId, status],
  )

describe('agents', () => {
  test('are created with the queues they serve', async () => {
    const [first, second] = bank.queues
    const queues = [{ queue_id: second!.id, weight: 3 }, { queue_id: first!.id }]
    const agent = await admin('agents.create', { site_id: bank.sites[0]!.id, name: 'Samira', queues })
    expect(agent).toMatchObject({
      name: 'Samira',
      status: 'offline',
      counter_id: null,
      counter_name: null,
      queues: [
        { queue_id: first!.id, weight: 1 },
        { queue_id: second!.id, weight: 3 },
      ],
    })
    expect(await admin('agents.get', { id: agent.id })).toEqual(agent)
    const changed = await admin('agents.update', { id: agent.id, queues: [{ queue_id: first!.id, weight: 2 }] })
    expect(changed.queues).toEqual([{ queue_id: first!.id, weight: 2 }])
    const { results } = await admin('agents.list', { queue: second!.id, site: bank.sites[0]!.id })
    expect(results.map(({ id }: { id: number }) => id).sort()).toEqual(bank.agents.slice(0, 2).map(({ id }) => id))
    const events = await lastEvents(2)
    expect(events.map(({ type, agent_id }) => [type, agent_id])).toEqual([
      ['agent.created', agent.id],
      ['agent.updated', agent.id],
    ])
    expect(events[1]!.data.agent).toEqual({
      id: agent.id,
      name: 'Samira',
      site_id: bank.sites[0]!.id,
      status: 'offline',
      counter_id: null,
      counter_name: null,
      queue_ids: [first!.id],
    })
    await admin('agents.delete', { id: agent.id })
    expect((await lastEvents(1))[0]).toMatchObject({
      type: 'agent.deleted',
      data: { agent: { id: agent.id, queue_ids: [] } },
    })
  })

  test('serve only queues of their own site, each once', async () => {
    const clinic = await aTenant(owner)
    const [here, , elsewhere] = bank.queues
    const { id } = bank.agents[0]!
    for (const queue_id of [elsewhere!.id, clinic.queues[0]!.id, 999_999_999]) {
      await expect(
        admin('agents.update', { id, queues: [{ queue_id: here!.id }, { queue_id }] }),
      ).rejects.toMatchObject({
        fields: [{ path: '/queues/1/queue_id', code: 'not_found' }],
      })
    }
    const twice = [{ queue_id: here!.id }, { queue_id: here!.id }]
    await expect(admin('agents.update', { id, queues: twice })).rejects.toMatchObject({
      fields: [{ code: 'duplicate' }],
    })
    expect((await admin('agents.get', { id })).queues).toHaveLength(2)
  })

  test('sit at counters of their own site, one at each', async () => {
    const [first, second] = bank.agents
    const elsewhere = bank.counters[5]!.id
    await expect(admin('agents.update', { id: first!.id, counter_id: second!.counter_id })).rejects.toEqual(
      code('counter_taken'),
    )
    await expect(admin('agents.update', { id: first!.id, counter_id: elsewhere })).rejects.toMatchObject({
      fields: [{ path: '/counter_id', code: 'not_found' }],
    })
  })

  test('who is taken out of service goes offline, but not in the middle of a service', async () => {
    const { id } = bank.agents[0]!
    await admin('agents.setStatus', { id, status: 'available', counter_id: bank.counters[0]!.id })
    await giveTicket(id, 'en_service')
    await expect(admin('agents.update', { id, is_active: false })).rejects.toEqual(code('agent_busy'))
    await owner(`update tickets set status = 'terminé' where agent_id = $1`, [id])
    expect(await admin('agents.update', { id, is_active: false })).toMatchObject({
      status: 'offline',
      counter_id: null,
    })
    await expect(admin('agents.setStatus', { id, status: 'available' })).rejects.toEqual(code('agent_inactive'))
  })
})

describe('set status', () => {
  test('says why and until when, and emits what boards need', async () => {
    const { id, counter_id } = bank.agents[0]!
    const expected_return_at = '2026-11-23T13:00:00Z'
    const answer = await admin('agents.setStatus', { id, status: 'break', reason: 'Déjeuner', expected_return_at })
    expect(answer).toMatchObject({ id, status: 'break', status_reason: 'Déjeuner', expected_return_at, counter_id })
    expect(answer).toEqual(await admin('agents.get', { id }))
    expect(await lastEvents(1)).toEqual([
      {
        type: 'agent.status_changed',
        agent_id: id,
        data: {
          agent: {
            id,
            name: 'Agent 1',
            site_id: bank.sites[0]!.id,
            status: 'break',
            counter_id,
            counter_name: 'Counter 1',
            queue_ids: bank.queues.slice(0, 2).map((queue) => queue.id),
          },
        },
      },
    ])
  })

  test('what changes nothing is no event', async () => {
    const { id } = bank.agents[0]!
    await admin('agents.setStatus', { id, status: 'available' })
    await admin('agents.setStatus', { id, status: 'available' })
    const events = await lastEvents(10)
    expect(events.filter(({ type }) => type === 'agent.status_changed')).toHaveLength(1)
  })

  test.each(['appelé', 'en_service'])('is refused while a ticket is %s', async (status) => {
    const { id } = bank.agents[0]!
    await giveTicket(id, status)
    for (const wanted of ['offline', 'break', 'back_office', 'available', 'wrap_up']) {
      await expect(admin('agents.setStatus', { id, status: wanted })).rejects.toEqual(code('agent_busy'))
    }
    await owner(`update tickets set status = 'en_pause' where agent_id = $1`, [id])
    expect(await admin('agents.setStatus', { id, status: 'break' })).toMatchObject({ status: 'break' })
  })

  test('calling and serving follow from tickets, nobody sets them', async () => {
    const { id } = bank.agents[0]!
    await expect(admin('agents.setStatus', { id, status: 'serving' })).rejects.toEqual(code('invalid_input'))
  })

  test('a counter is taken, left, and taken over', async () => {
    const [first, second] = bank.agents
    const taken = second!.counter_id
    const sit = (more: object = {}) =>
      admin('agents.setStatus', { id: first!.id, status: 'available', counter_id: taken, ...more })
    await expect(sit()).rejects.toEqual(code('counter_taken'))
    await giveTicket(second!.id, 'en_service')
    await expect(sit({ take_over: true })).rejects.toEqual(code('counter_taken'))
    await owner(`update tickets set status = 'terminé' where agent_id = $1`, [second!.id])
    expect(await sit({ take_over: true })).toMatchObject({ counter_id: taken })
    expect(await admin('agents.get', { id: second!.id })).toMatchObject({ counter_id: null, status: 'offline' })
    expect((await lastEvents(2)).map(({ agent_id }) => agent_id)).toEqual([second!.id, first!.id])
    expect(await admin('agents.setStatus', { id: first!.id, status: 'offline' })).toMatchObject({ counter_id: null })
    await expect(
      admin('agents.setStatus', { id: first!.id, status: 'available', counter_id: bank.agents[2]!.counter_id }),
    ).rejects.toMatchObject({ fields: [{ path: '/counter_id' }] })
  })

  test('two who sit down at once: one stands', async () => {
    const free = bank.counters[2]!.id
    const sit = (id: number) => admin('agents.setStatus', { id, status: 'available', counter_id: free })
    const outcomes = await Promise.allSettled(bank.agents.slice(0, 2).map(({ id }) => sit(id)))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'counter_taken' } })
  })

  test('agents act for themselves, supervisors for all', async () => {
    const [first, second] = bank.agents
    const own = as(bank.agentActors[0]!, bank.tenant)
    expect(await own('agents.setStatus', { id: first!.id, status: 'available' })).toMatchObject({ status: 'available' })
    await expect(own('agents.setStatus', { id: second!.id, status: 'break' })).rejects.toEqual(code('forbidden'))
    const supervisor = as(bank.supervisor, bank.tenant)
    expect(await supervisor('agents.setStatus', { id: second!.id, status: 'break' })).toMatchObject({ status: 'break' })
  })

  test('a foreign agent is a missing agent', async () => {
    const clinic = await aTenant(owner)
    for (const id of [clinic.agents[0]!.id, 999_999_999]) {
      await expect(admin('agents.setStatus', { id, status: 'break' })).rejects.toEqual(code('not_found'))
    }
  })
})
