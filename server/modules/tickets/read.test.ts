import { expect, test } from 'vitest'
import { operations } from './index.ts'
import { aLab, codeOf } from './test/branch.ts'

const lab = await aLab()
const ids = (page: { results: { id: number }[] }) => page.results.map(({ id }) => id)

test('lists are filtered, ordered and paged', async () => {
  const b = await lab.branch({ queues: 2, agents: 2 })
  await b.setQueue({ algorithm: 'priority' })
  const low = await b.take({ channel: 'web' })
  const high = await b.take({ priority: 3, customer: { name: 'Élodie Martin', phone: '0612345678' } })
  const other = await b.take({ queue_id: b.queues[1]!.id, channel: 'sms' })
  await b.run('tickets.call', { id: other.id, agent_id: b.agents[1]!.id })
  const list = (input = {}) => b.run('tickets.list', input)

  expect(ids(await list())).toEqual([other.id, high.id, low.id])
  expect(ids(await list({ ordering: 'created_at' }))).toEqual([low.id, high.id, other.id])
  expect(ids(await list({ ordering: 'rank', queue: b.queues[0]!.id }))).toEqual([high.id, low.id])
  expect(ids(await list({ ordering: '-priority' }))).toEqual([high.id, other.id, low.id])
  expect(ids(await list({ agent: b.agents[1]!.id }))).toEqual([other.id])
  expect(ids(await list({ channel: 'web' }))).toEqual([low.id])
  expect(ids(await list({ created_after: low.created_at, queue: b.queues[0]!.id }))).toEqual([high.id])
  for (const status of ['appelé', 'appele\u0301', 'appele', 'called'])
    expect(ids(await list({ status }))).toEqual([other.id])
  expect(ids(await list({ status: 'called,waiting' }))).toHaveLength(3)
  expect(await codeOf(list({ status: 'asleep' }))).toBe('invalid_input')
  for (const q of ['b001', 'B001']) expect(ids(await list({ q }))).toEqual([other.id])
  for (const q of ['martin', '612345']) expect(ids(await list({ q }))).toEqual([high.id])
  expect(ids(await list({ q: '%' }))).toEqual([])

  const first = await list({ limit: 2 })
  expect(ids(first)).toEqual([other.id, high.id])
  const second = await list({ limit: 2, cursor: first.next })
  expect(ids(second)).toEqual([low.id])
  expect(second.next).toBeNull()
  expect(ids(await list({ limit: 2, cursor: second.previous }))).toEqual(ids(first))
})

test('waiting tickets carry their place and estimate', async () => {
  const b = await lab.branch()
  const first = await b.take()
  const second = await b.take()
  const { results } = await b.run('tickets.list', { ordering: 'rank' })
  expect(results.map(({ position }: { position: number }) => position)).toEqual([1, 2])
  const ticket = await b.run('tickets.get', { id: second.id })
  expect(ticket).toMatchObject({ position: 2, eta_seconds: expect.any(Number) })
  await b.run('tickets.cancel', { id: first.id })
  expect((await b.run('tickets.get', { id: second.id })).position).toBe(1)
  expect(await b.run('tickets.get', { id: first.id })).toMatchObject({ position: null, eta_seconds: null })
})

test('the history of a ticket tells who did what, and why', async () => {
  const b = await lab.branch()
  const { id } = await b.take({ channel: 'web' })
  await b.as(b.agentActors[0]!)('tickets.cancel', { id, reason: 'Parti' })
  const { results } = await b.run('tickets.events', { id })
  expect(results).toMatchObject([
    { type: 'ticket.created', from: null, to: 'en_attente', by: 'supervisor', channel: 'web', reason: null },
    {
      type: 'ticket.cancelled',
      actor: b.agentActors[0]!.principal,
      from: 'en_attente',
      to: 'annulé',
      by: 'agent',
      reason: 'Parti',
    },
  ])
})

test('another tenant’s ticket or agent is a missing one, whatever is asked', async () => {
  const mine = await lab.branch()
  const theirs = await lab.branch({ queues: 2 })
  const ticket = await theirs.take()
  const before = await theirs.row(ticket.id)
  const ghost = 999_999_999
  const inputs = (op: string, id: number): Record<string, unknown> => ({
    id,
    ...(op === 'tickets.move' && { after_id: null, reason: 'x' }),
    ...(op === 'tickets.delay' && { places: 1 }),
    ...(op === 'tickets.transfer' && { queue_id: mine.queues[0]!.id }),
  })
  const named = operations.filter((op) => op.id.startsWith('tickets.') && 'id' in op.input.properties)
  expect(named.length).toBeGreaterThan(14)
  for (const op of named) {
    const foreign = op.id === 'tickets.callNext' ? theirs.agents[0]!.id : ticket.id
    const [a, b] = await Promise.all(
      [foreign, ghost].map((id) => mine.run(op.id, inputs(op.id, id)).catch((error: unknown) => error)),
    )
    expect(a, op.id).toMatchObject({ kind: 'not_found', code: 'not_found' })
    expect(a).toEqual(b)
  }
  for (const input of [
    { queue_id: theirs.queues[0]!.id },
    { agent_id: theirs.agents[0]!.id },
    { counter_id: theirs.counters[0]!.id },
  ]) {
    const own = await mine.take()
    expect(await codeOf(mine.run('tickets.transfer', { id: own.id, ...input }))).toBe('not_found')
  }
  expect(await codeOf(mine.take({ queue_id: theirs.queues[0]!.id }))).toBe('not_found')
  expect(ids(await mine.run('tickets.list', { queue: theirs.queues[0]!.id }))).toEqual([])
  expect(await theirs.row(ticket.id)).toEqual(before)
})
