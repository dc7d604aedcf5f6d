import { beforeAll, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations as everything } from '../index.ts'
import { AGENT_SILENCE_SECONDS, DEVICE_SILENCE_SECONDS, sweepSilent } from './presence.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, everything)
let bank: TenantFixture
let other: TenantFixture
let run: ReturnType<typeof as>
let system: ReturnType<typeof as>
let device: number
beforeAll(async () => {
  bank = await aTenant(owner, { slug: 'bank', agents: 3, counters: 3 })
  other = await aTenant(owner, { slug: 'other' })
  run = as(bank.admin, bank.tenant)
  system = as(bank.system, bank.tenant)
  const [row] = await owner<{ id: number }>(
    `insert into devices (tenant_id, kind, site_id, name) values ($1, 'display', $2, 'Hall') returning id`,
    [bank.tenant.id, bank.sites[0]!.id],
  )
  device = row!.id
})

const tenantById = async (id: number) => [bank, other].find(({ tenant }) => tenant.id === id)?.tenant
const sweep = () => sweepSilent(runtime, tenantById)
const fallSilent = (seconds: number, tenant = bank.tenant) =>
  owner(`update presences set last_seen_at = now() - make_interval(secs => $2) where tenant_id = $1`, [
    tenant.id,
    seconds,
  ])
const agentRow = (n: number) => run('agents.get', { id: bank.agents[n]!.id })
const changes = async () =>
  (
    await owner<{ type: string; data: { presence?: { kind: string; id: number; is_online: boolean } } }>(
      `select type, data from events where tenant_id = $1 and type in ('presence.changed', 'agent.status_changed') order by "offset"`,
      [bank.tenant.id],
    )
  ).map(({ type, data: { presence } }) => (presence ? `${presence.kind} ${presence.is_online}` : type))

test('who is heard of is there, once; who is not for a while is gone, once, however many look', async () => {
  const report = { agent_ids: bank.agents.slice(0, 2).map(({ id }) => id), device_ids: [device] }
  for (let i = 0; i < 3; i++) await system('presence.report', report)
  expect((await changes()).toSorted()).toEqual(['agent true', 'agent true', 'device true'])
  expect(await agentRow(0)).toMatchObject({ is_online: true, last_seen_at: expect.any(String) as string })
  expect(await agentRow(2)).toMatchObject({ is_online: false, last_seen_at: null })

  await fallSilent(AGENT_SILENCE_SECONDS - 2)
  await sweep()
  expect(await changes()).toHaveLength(3)

  await fallSilent(AGENT_SILENCE_SECONDS + 1)
  await Promise.all(Array.from({ length: 8 }, sweep))
  expect((await changes()).slice(3).toSorted()).toEqual([
    'agent false',
    'agent false',
    'agent.status_changed',
    'agent.status_changed',
  ])
  expect(await agentRow(0)).toMatchObject({ is_online: false, status: 'offline', status_reason: 'connection_lost' })
  // Machines speak once a minute only.
  expect(await run('devices.get', { id: device })).toMatchObject({ is_online: true })
  await fallSilent(DEVICE_SILENCE_SECONDS + 1)
  await sweep()
  expect((await changes()).at(-1)).toBe('device false')
})

test('a break is meant and a ticket in hand stays in hand: neither is taken away', async () => {
  const [first, second] = bank.agents
  await run('agents.setStatus', { id: first!.id, status: 'available' })
  await run('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'kiosk' })
  const { ticket } = await run('tickets.callNext', { id: first!.id })
  await run('agents.setStatus', { id: second!.id, status: 'break' })
  await system('presence.report', { agent_ids: [first!.id, second!.id], device_ids: [] })
  await fallSilent(AGENT_SILENCE_SECONDS + 1)
  await sweep()
  expect(await agentRow(0)).toMatchObject({ is_online: false, status: 'calling' })
  expect(await agentRow(1)).toMatchObject({ is_online: false, status: 'break' })
  expect(await run('tickets.get', { id: ticket.id })).toMatchObject({ status: 'appelé', agent_id: first!.id })
})

test('a heartbeat is enough, and only of the agent’s own', async () => {
  const own = as(bank.agentActors[2]!, bank.tenant)
  const id = bank.agents[2]!.id
  expect(await own('agents.heartbeat', { id })).toEqual({ expires_in: AGENT_SILENCE_SECONDS })
  expect(await agentRow(2)).toMatchObject({ is_online: true })
  await expect(own('agents.heartbeat', { id: bank.agents[0]!.id })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(
    as(bank.admin, bank.tenant)('presence.report', { agent_ids: [id], device_ids: [] }),
  ).rejects.toMatchObject({
    code: 'forbidden',
  })
})

test('who never said a word is never sent off, and nobody is noted for another organisation', async () => {
  await as(other.system, other.tenant)('presence.report', { agent_ids: [bank.agents[0]!.id], device_ids: [device] })
  expect(await owner('select from presences where tenant_id = $1', [other.tenant.id])).toEqual([])
  await sweep()
  const [agent] = await owner('select status from agents where id = $1', [other.agents[0]!.id])
  expect(agent).toEqual({ status: 'available' })
})
