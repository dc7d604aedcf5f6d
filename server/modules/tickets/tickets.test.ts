import { expect, test } from 'vitest'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations } from './index.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, operations)

test('a stay from the kiosk to its end', async () => {
  const t = await aTenant(owner, { agents: 2 })
  const kiosk = as(t.kiosk, t.tenant)
  const agent = as(t.agentActors[0]!, t.tenant)
  const taken = await kiosk('tickets.take', { queue_id: t.queues[0]!.id, channel: 'kiosk' })
  expect(taken).toMatchObject({ number: 'A001', status: 'en_attente', position: 1, ahead: 0, leg: 1, language: 'en' })
  expect(taken.url).toBe(`https://smartqueue.example/t/${taken.public_token}`)
  const { ticket: called } = await agent('tickets.callNext', { id: t.agents[0]!.id })
  expect(called).toMatchObject({
    id: taken.id,
    status: 'appelé',
    agent_id: t.agents[0]!.id,
    counter_name: 'Counter 1',
    call_count: 1,
  })
  expect(await agent('tickets.start', { id: taken.id })).toMatchObject({ status: 'en_service' })
  expect(await agent('tickets.complete', { id: taken.id, outcome: 'resolved' })).toMatchObject({
    status: 'terminé',
    outcome: 'resolved',
  })
  const { results } = await agent('tickets.events', { id: taken.id })
  expect(results.map((event: { type: string }) => event.type)).toEqual([
    'ticket.created',
    'ticket.called',
    'ticket.started',
    'ticket.completed',
  ])
  expect((await agent('tickets.callNext', { id: t.agents[0]!.id })).ticket).toBeNull()
})
