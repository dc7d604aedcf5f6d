import { beforeEach, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations as queueOperations } from '../queues/index.ts'
import { operations as ticketOperations } from '../tickets/index.ts'
import { operations } from './index.ts'

const { db, owner } = await testDatabase()
const as = caller(testRuntime(db), [...operations, ...ticketOperations, ...queueOperations])

let bank: TenantFixture
let run: ReturnType<typeof as>
beforeEach(async () => {
  bank = await aTenant(owner, { sites: 2, queues: 3, agents: 2, counters: 2 })
  run = as(bank.supervisor, bank.tenant)
})
const code = (error: string) => expect.objectContaining({ code: error })
const queue = (i: number) => bank.queues[i]!.id
const agent = (i: number) => bank.agents[i]!.id
const aProfile = (input: Record<string, unknown> = {}) =>
  run('work-profiles.create', {
    site_id: bank.sites[0]!.id,
    name: 'Front desk',
    call_mode: 'ratio',
    max_wait_seconds: 900,
    skills: ['notary'],
    languages: ['fr', 'ar'],
    queues: [{ queue_id: queue(1), weight: 3 }, { queue_id: queue(0) }],
    ...input,
  })
const give = (i: number, work_profile_id: number | null, more: object = {}) =>
  run('agents.update', { id: agent(i), work_profile_id, ...more })
const decided = ({ call_mode, max_wait_seconds, skills, languages, queues }: any) => ({
  call_mode,
  max_wait_seconds,
  skills,
  languages,
  queues,
})

test('many agents work by one profile, and follow it when it changes', async () => {
  const profile = await aProfile()
  expect(profile).toMatchObject({
    agent_count: 0,
    queues: [
      { queue_id: queue(0), weight: 1 },
      { queue_id: queue(1), weight: 3 },
    ],
  })
  for (const i of [0, 1]) expect(decided(await give(i, profile.id))).toEqual(decided(profile))
  const changed = await run('work-profiles.update', {
    id: profile.id,
    call_mode: 'strict',
    max_wait_seconds: null,
    languages: null,
    queues: [{ queue_id: queue(2), weight: 9 }],
  })
  expect(changed.agent_count).toBe(2)
  for (const i of [0, 1]) expect(decided(await run('agents.get', { id: agent(i) }))).toEqual(decided(changed))
  const { results } = await run('agents.list', { work_profile: profile.id })
  expect(results.map(({ id }: { id: number }) => id).toSorted()).toEqual([agent(0), agent(1)].toSorted())
  // Boards are told, once for each agent, what it serves from now on.
  const told = await owner<{ agent_id: number; queues: number[] }>(
    `select agent_id, data #> '{agent,queue_ids}' as queues from events
     where tenant_id = $1 and type = 'agent.updated' order by site_id, "offset" desc limit 2`,
    [bank.tenant.id],
  )
  expect(told.map(({ agent_id, queues }) => [agent_id, queues]).toSorted()).toEqual(
    [agent(0), agent(1)].toSorted().map((id) => [id, [queue(2)]]),
  )
})

test('a call follows the profile: other queue, other order, other people', async () => {
  const profile = await aProfile({ skills: [], languages: null, queues: [{ queue_id: queue(1) }] })
  await give(0, profile.id)
  const take = (i: number) => run('tickets.take', { queue_id: queue(i), channel: 'kiosk' })
  const [here, there] = [await take(0), await take(1)]
  expect((await run('tickets.callNext', { id: agent(0) })).ticket.id).toBe(there.id)
  await run('tickets.cancel', { id: here.id })
  await run('tickets.start', { id: there.id })
  await run('tickets.complete', { id: there.id })
  const [light, heavy] = [await take(0), await take(2)]
  await run('work-profiles.update', {
    id: profile.id,
    call_mode: 'strict',
    queues: [{ queue_id: queue(0) }, { queue_id: queue(2), weight: 50 }],
  })
  expect((await run('tickets.callNext', { id: agent(0) })).ticket.id).toBe(heavy.id)
  // Control: who has no profile goes on by the own settings.
  expect((await run('tickets.callNext', { id: agent(1) })).ticket.id).toBe(light.id)
})

test('what the profile decides is not changed on the agent; without one everything stays and is the own again', async () => {
  const profile = await aProfile()
  await give(0, profile.id)
  for (const change of [{ call_mode: 'weight' }, { skills: [] }, { queues: [] }, { max_wait_seconds: 1 }])
    await expect(run('agents.update', { id: agent(0), ...change })).rejects.toEqual(code('profile_decides'))
  expect(await run('agents.update', { id: agent(0), name: 'Nadia', call_mode: 'ratio' })).toMatchObject({
    name: 'Nadia',
  })
  const freed = await give(0, null)
  expect(decided(freed)).toEqual(decided(profile))
  expect(await run('agents.update', { id: agent(0), skills: [], queues: [{ queue_id: queue(0) }] })).toMatchObject({
    work_profile_id: null,
    skills: [],
    queues: [{ queue_id: queue(0), weight: 1 }],
  })
  await run('work-profiles.update', { id: profile.id, skills: ['other'] })
  expect((await run('agents.get', { id: agent(0) })).skills).toEqual([])
})

test('an agent’s own settings become a profile for others', async () => {
  await run('agents.update', {
    id: agent(0),
    call_mode: 'strict',
    skills: ['deeds'],
    queues: [{ queue_id: queue(2), weight: 4 }],
  })
  const before = await run('agents.get', { id: agent(0) })
  const profile = await run('agents.saveProfile', { id: agent(0), name: 'As Nadia' })
  expect(decided(profile)).toEqual(decided(before))
  expect(profile.agent_count).toBe(1)
  expect(decided(await give(1, profile.id))).toEqual(decided(before))
  await expect(run('agents.saveProfile', { id: agent(0), name: 'Twice' })).rejects.toEqual(code('profile_decides'))
})

test('a profile is of one site, has a name of its own there, and stays while somebody works by it', async () => {
  const profile = await aProfile()
  await expect(aProfile()).rejects.toEqual(code('name_taken'))
  await aProfile({ site_id: bank.sites[1]!.id, queues: [] })
  await expect(run('agents.update', { id: bank.agents[2]!.id, work_profile_id: profile.id })).rejects.toMatchObject({
    fields: [{ path: '/work_profile_id', code: 'not_found' }],
  })
  await expect(aProfile({ name: 'Far', queues: [{ queue_id: queue(3) }] })).rejects.toMatchObject({
    fields: [{ path: '/queues/0/queue_id', code: 'not_found' }],
  })
  await give(0, profile.id)
  await expect(run('work-profiles.delete', { id: profile.id })).rejects.toEqual(code('in_use'))
  await give(0, null)
  await run('work-profiles.delete', { id: profile.id })
  await expect(run('work-profiles.get', { id: profile.id })).rejects.toEqual(code('not_found'))
  const agentRun = as(bank.agentActors[0]!, bank.tenant)
  await expect(agentRun('work-profiles.create', { site_id: bank.sites[0]!.id, name: 'Mine' })).rejects.toEqual(
    code('forbidden'),
  )
})
