import { expect, test } from 'vitest'
import { aLab, codeOf } from './test/branch.ts'

const lab = await aLab()

test('one call finishes a ticket and brings the next, and says when nobody is left', async () => {
  const b = await lab.branch()
  const agent = b.as(b.agentActors[0]!)
  const id = b.agents[0]!.id
  const [first, second] = [await b.take(), await b.take()]
  expect(await agent('tickets.next', { id })).toMatchObject({ completed: null, ticket: { id: first.id } })
  await agent('tickets.start', { id: first.id })
  const moved = await agent('tickets.next', { id, ticket_id: first.id, outcome: 'resolved' })
  expect(moved).toMatchObject({
    completed: { id: first.id, status: 'terminé', outcome: 'resolved' },
    ticket: { id: second.id, status: 'appelé' },
  })
  // Never confirmed: served since the call.
  const last = await agent('tickets.next', { id, ticket_id: second.id })
  expect(last).toMatchObject({ completed: { id: second.id, status: 'terminé' }, ticket: null })
  expect(last.completed.started_at).toBe(last.completed.called_at)
  expect(await b.events(second.id)).toEqual(['ticket.created', 'ticket.called', 'ticket.started', 'ticket.completed'])
})

test('a refusal changes nothing at all', async () => {
  const b = await lab.branch({ agents: 2, counters: 2 })
  await b.as(b.admin)('services.update', { id: b.services[0]!.id, required_fields: ['outcome'] })
  const agent = b.as(b.agentActors[0]!)
  const id = b.agents[0]!.id
  const [first] = [await b.take(), await b.take(), await b.take()]
  await agent('tickets.next', { id })
  expect(await codeOf(agent('tickets.next', { id, ticket_id: first.id }))).toBe('required_fields_missing')
  expect(await codeOf(agent('tickets.next', { id }))).toBe('agent_busy')
  const other = await b.callNext(1)
  expect(await codeOf(agent('tickets.next', { id, ticket_id: other!.id }))).toBe('illegal_transition')
  expect(await codeOf(b.as(b.agentActors[1]!)('tickets.next', { id }))).toBe('forbidden')
  expect(await b.line()).toHaveLength(1)
  expect(await b.row(first.id)).toMatchObject({ status: 'appelé' })
})

test('an agent’s day counts what was served and missed, and is private', async () => {
  const b = await lab.branch({ agents: 2, counters: 2 })
  const agent = b.as(b.agentActors[0]!)
  const id = b.agents[0]!.id
  expect(await agent('agents.stats', { id })).toEqual({
    served_today: 0,
    no_shows_today: 0,
    mean_service_seconds: null,
    usual_service_seconds: null,
    usual_served: null,
  })
  for (let i = 0; i < 3; i++) await b.take()
  const { ticket } = await agent('tickets.next', { id })
  await agent('tickets.noShow', { id: ticket.id })
  for (let n = 0, current = (await agent('tickets.next', { id })).ticket; n < 2; n++)
    current = (await agent('tickets.next', { id, ticket_id: current.id })).ticket
  await lab.owner(
    `update ticket_legs set started_at = ended_at - interval '100 s', ended_at = ended_at - interval '3 days' * (ticket_id % 2)
     where ended_by = 'terminé' and agent_id = $1`,
    [id],
  )
  const stats = await agent('agents.stats', { id })
  expect(stats).toMatchObject({ served_today: 1, no_shows_today: 1, mean_service_seconds: 100, usual_served: 1 })
  expect(await codeOf(b.as(b.agentActors[1]!)('agents.stats', { id }))).toBe('forbidden')
})
