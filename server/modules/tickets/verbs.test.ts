import { expect, test } from 'vitest'
import { TicketStatus } from '../../../shared/ticket-status.ts'
import { aLab, codeOf, type Branch } from './test/branch.ts'

const lab = await aLab()

const agentStatus = async (b: Branch, i = 0) =>
  (await lab.owner<{ status: string }>('select status from agents where id = $1', [b.agents[i]!.id]))[0]!.status
/** Makes what happened to a ticket happen earlier. */
const age = (id: number, seconds: number) =>
  lab.owner(
    `update tickets set (entered_at, called_at, last_called_at, started_at, held_at, ended_at, undo_until) =
       (entered_at - s, called_at - s, last_called_at - s, started_at - s, held_at - s, ended_at - s, undo_until - s)
     from (select make_interval(secs => $2) as s) seconds where id = $1`,
    [id, seconds],
  )
/** Whole tens of seconds: the test's own steps take time too. */
const legs = (id: number) =>
  lab.owner<Record<string, unknown>>(
    `select leg, queue_id, agent_id, ended_by, held_seconds,
            floor(extract(epoch from ended_at - entered_at) / 10)::int * 10 as seconds
     from ticket_legs where ticket_id = $1 order by leg`,
    [id],
  )
const takeMany = async (b: Branch, n: number) => {
  const ids: number[] = []
  for (let i = 0; i < n; i++) ids.push((await b.take()).id)
  return ids as [number, number, number, ...number[]]
}

test('a recall keeps the least gap and the limit', async () => {
  const b = await lab.branch()
  await b.setQueue({ max_recalls: 2, recall_gap_seconds: 30 })
  const { id } = await b.inState('called')
  await expect(b.run('tickets.recall', { id })).rejects.toMatchObject({
    code: 'recall_too_soon',
    retryAfterSeconds: 30,
  })
  for (const count of [2, 3]) {
    await age(id, 31)
    expect(await b.run('tickets.recall', { id })).toMatchObject({ status: 'appelé', call_count: count })
  }
  await age(id, 31)
  expect(await codeOf(b.run('tickets.recall', { id }))).toBe('recall_limit')
  expect(await b.events(id)).toEqual(['ticket.created', 'ticket.called', 'ticket.recalled', 'ticket.recalled'])
})

test('completion asks for the answers the service requires', async () => {
  const b = await lab.branch()
  await b.as(b.admin)('services.update', { id: b.services[0]!.id, required_fields: ['outcome', 'file_number'] })
  const { id } = await b.inState('serving')
  await expect(b.run('tickets.complete', { id })).rejects.toMatchObject({
    code: 'required_fields_missing',
    fields: [{ path: '/outcome' }, { path: '/fields/file_number' }],
  })
  await b.run('tickets.update', { id, fields: { file_number: 'X-12', colour: 'red' } })
  const done = await b.run('tickets.complete', { id, outcome: 'resolved', fields: { colour: null } })
  expect(done).toMatchObject({ status: 'terminé', outcome: 'resolved', fields: { file_number: 'X-12' } })
  expect(await agentStatus(b)).toBe('available')
})

test.each([
  ['first', [2, 0, 1]],
  ['second', [0, 2, 1]],
  ['last', [0, 1, 2]],
] as const)('a served ticket goes back to be %s', async (position, order) => {
  const b = await lab.branch()
  const [own, ...others] = await takeMany(b, 3)
  await b.callNext()
  await b.run('tickets.start', { id: own })
  const ticket = await b.run('tickets.return', { id: own, position, reason: 'test' })
  const all = [...others, own]
  expect(await b.line()).toEqual(order.map((i) => all[i]))
  expect(ticket).toMatchObject({
    status: 'en_attente',
    agent_id: null,
    counter_name: null,
    call_count: 0,
    called_at: null,
    leg: 2,
  })
  expect(ticket.position).toBe(order.indexOf(2) + 1)
  expect(await legs(own)).toMatchObject([{ leg: 1, agent_id: b.agents[0]!.id, ended_by: 'return' }])
  expect(await agentStatus(b)).toBe('available')
})

test('by arrival, and not before an instant', async () => {
  const b = await lab.branch()
  const [first, second] = await takeMany(b, 2)
  await b.callNext()
  const not_before = '2099-01-01T00:00:00Z'
  expect(await b.run('tickets.return', { id: first, not_before })).toMatchObject({ position: 1, not_before })
  expect((await b.callNext())?.id).toBe(second)
})

test('a missed turn is taken up again at the second place, within the grace time', async () => {
  const b = await lab.branch()
  const [missed, ...others] = await takeMany(b, 4)
  await b.callNext()
  await b.run('tickets.noShow', { id: missed })
  const ticket = await b.as(b.kiosk)('tickets.return', { id: missed })
  expect(ticket).toMatchObject({ status: 'en_attente', position: 2, ended_at: null, leg: 2 })
  expect(await b.line()).toEqual([others[0], missed, others[1], others[2]])
  expect(await legs(missed)).toMatchObject([{ leg: 1, ended_by: 'absent' }])
})

test('later only a manager takes it up again, and says why', async () => {
  const b = await lab.branch()
  const { id } = await b.inState('no_show')
  await age(id, 601)
  for (const actor of [b.kiosk, b.agentActors[0]!])
    expect(await codeOf(b.as(actor)('tickets.return', { id }))).toBe('grace_over')
  expect(await codeOf(b.run('tickets.return', { id }))).toBe('reason_required')
  expect(await b.run('tickets.return', { id, reason: 'Erreur de guichet' })).toMatchObject({ status: 'en_attente' })
  const called = await b.inState('called')
  expect(await codeOf(b.as(b.kiosk)('tickets.return', { id: called.id }))).toBe('illegal_transition')
})

test('a transfer keeps number and arrival, and each leg its own times', async () => {
  const b = await lab.branch({ queues: 2 })
  const there = b.queues[1]!.id
  const before = await b.take({ queue_id: there })
  const ticket = await b.inState('serving')
  const after = await b.take({ queue_id: there })
  await age(ticket.id, 100)
  const moved = await b.run('tickets.transfer', { id: ticket.id, queue_id: there, reason: 'Mauvaise file' })
  expect(moved).toMatchObject({
    number: ticket.number,
    created_at: ticket.created_at,
    queue_id: there,
    leg: 2,
    position: 2,
  })
  expect(await b.line(1)).toEqual([before.id, ticket.id, after.id])
  expect(await legs(ticket.id)).toMatchObject([
    { leg: 1, queue_id: b.queues[0]!.id, ended_by: 'transfer', seconds: 100 },
  ])
  expect(await agentStatus(b)).toBe('available')
  expect((await b.run('tickets.transfer', { id: ticket.id, queue_id: b.queues[0]!.id })).leg).toBe(3)
  const [event] = await lab.owner(
    `select queue_id, from_queue_id from events where tenant_id = $1 and ticket_id = $2 and type = 'ticket.transferred' order by "offset" limit 1`,
    [b.tenant.id, ticket.id],
  )
  expect(event).toEqual({ queue_id: there, from_queue_id: b.queues[0]!.id })
  // Another ticket has the same place in the other series.
  expect(before.number).toBe('B001')
  expect(ticket.number).toBe('A001')
})

test('first and last place in the other queue', async () => {
  const b = await lab.branch({ queues: 2 })
  const there = b.queues[1]!.id
  const [one, two] = await takeMany(b, 2)
  const other = await b.take({ queue_id: there })
  await b.run('tickets.transfer', { id: two, queue_id: there, position: 'last' })
  await b.run('tickets.transfer', { id: one, queue_id: there, position: 'first' })
  expect(await b.line(1)).toEqual([one, other.id, two])
})

test('a transfer needs somewhere to go', async () => {
  const b = await lab.branch({ queues: 2, sites: 2, agents: 2 })
  const { id } = await b.take()
  const elsewhere = b.queues.find(({ site_id }) => site_id !== b.sites[0]!.id)!
  await b.setQueue({ is_active: false }, 1)
  const cases: [string, Record<string, unknown>][] = [
    ['invalid_input', {}],
    ['same_queue', { queue_id: b.queues[0]!.id }],
    ['not_found', { queue_id: 999_999_999 }],
    ['not_found', { agent_id: 999_999_999 }],
    ['other_site', { queue_id: elsewhere.id }],
    ['other_site', { agent_id: b.agents.at(-1)!.id }],
    ['other_site', { counter_id: b.counters.at(-1)!.id }],
    ['queue_inactive', { queue_id: b.queues[1]!.id }],
  ]
  for (const [code, to] of cases) expect(await codeOf(b.run('tickets.transfer', { id, ...to })), code).toBe(code)
  expect(await b.events(id)).toEqual(['ticket.created'])
})

test('letting others pass costs places and budget, and never gains', async () => {
  const b = await lab.branch()
  const [a, x, y, z] = (await takeMany(b, 4)) as [number, number, number, number]
  expect(await b.run('tickets.delay', { id: a, places: 2 })).toMatchObject({ position: 3 })
  expect(await b.line()).toEqual([x, y, a, z])
  expect(await b.run('tickets.delay', { id: a, places: 20 })).toMatchObject({ position: 4 })
  expect(await b.line()).toEqual([x, y, z, a])
  expect(await codeOf(b.run('tickets.delay', { id: a, places: 1 }))).toBe('delay_budget')
  expect(await codeOf(b.run('tickets.delay', { id: x, places: 1, minutes: 1 }))).toBe('invalid_input')
  expect(await codeOf(b.run('tickets.delay', { id: x }))).toBe('invalid_input')
  await b.run('tickets.cancel', { id: a })
  expect(await codeOf(b.run('tickets.delay', { id: z, places: 1 }))).toBe('already_last')
})

test('asking for time keeps the place, and nobody is called before', async () => {
  const b = await lab.branch()
  const [a, x] = await takeMany(b, 2)
  const ticket = await b.run('tickets.delay', { id: a, minutes: 15 })
  expect(ticket.position).toBe(1)
  expect((await b.callNext())?.id).toBe(x)
  const [due] = await lab.owner<{ minutes: number }>(
    `select round(extract(epoch from not_before - clock_timestamp()) / 60)::int as minutes from tickets where id = $1`,
    [a],
  )
  expect(due!.minutes).toBe(15)
})

test('a manager changes the order by hand, as often as need be', async () => {
  const b = await lab.branch()
  const ids = await takeMany(b, 6)
  const expected: number[] = [...ids]
  for (let i = 0; i < 60; i++) {
    const id = expected[(i * 7 + 3) % 6]!
    const rest = expected.filter((other) => other !== id)
    // Mostly between the same two, so that the room between their ranks is used up.
    const at = i % 5 === 0 ? 0 : 1
    expected.splice(0, 6, ...rest.slice(0, at), id, ...rest.slice(at))
    await b.run('tickets.move', { id, after_id: at === 0 ? null : rest[0], reason: 'test' })
    expect(await b.line()).toEqual(expected)
  }
  const elsewhere = await b.inState('cancelled')
  for (const after_id of [ids[0], elsewhere.id, 999_999_999]) {
    expect(await codeOf(b.run('tickets.move', { id: ids[0], after_id, reason: 'test' }))).toBe('invalid_input')
  }
  expect(await codeOf(b.as(b.agentActors[0]!)('tickets.move', { id: ids[0], after_id: null, reason: 'x' }))).toBe(
    'forbidden',
  )
})

test('where ranks leave no room, followers move back with an event of their own', async () => {
  const b = await lab.branch()
  const ids = await takeMany(b, 5)
  await lab.owner('update tickets set rank = 1000 where tenant_id = $1', [b.tenant.id])
  const mover = ids[4]!
  await b.run('tickets.move', { id: mover, after_id: ids[1], reason: 'test' })
  expect(await b.line()).toEqual([ids[0], ids[1], mover, ids[2], ids[3]])
  expect((await b.events(ids[2])).at(-1)).toBe('ticket.moved')
})

test('who may take up a ticket on hold is decided when it is put there', async () => {
  const b = await lab.branch({ agents: 3 })
  const [holder, other] = b.agents.map(({ id }) => ({ id })) as [{ id: number }, { id: number }]
  const agentPool = await b.inState('serving')
  await b.run('tickets.hold', { id: agentPool.id })
  expect(await agentStatus(b)).toBe('available')
  expect(await codeOf(b.run('tickets.resume', { id: agentPool.id, agent_id: other.id }))).toBe('ticket_reserved')
  expect(await b.run('tickets.resume', { id: agentPool.id })).toMatchObject({
    status: 'en_service',
    agent_id: holder.id,
  })
  await b.run('tickets.hold', { id: agentPool.id, pool: 'queue' })
  const resumed = await b.run('tickets.resume', { id: agentPool.id, agent_id: other.id, to: 'called' })
  expect(resumed).toMatchObject({ status: 'appelé', agent_id: other.id, counter_name: 'Counter 2' })
  expect(await agentStatus(b, 1)).toBe('calling')
  expect(await codeOf(b.run('tickets.resume', { id: agentPool.id }))).toBe('illegal_transition')
  await b.run('tickets.start', { id: agentPool.id })
  await b.run('tickets.hold', { id: agentPool.id, pool: 'counter' })
  expect(await codeOf(b.run('tickets.resume', { id: agentPool.id, agent_id: holder.id }))).toBe('ticket_reserved')
  const busy = await b.inState('called')
  expect(await codeOf(b.run('tickets.resume', { id: agentPool.id, agent_id: busy.agent_id }))).toMatch(
    /agent_busy|ticket_reserved/,
  )
  expect(await codeOf(b.run('tickets.resume', { id: agentPool.id, agent_id: other.id }))).toBe('ok')
})

test('time on hold is not time of service', async () => {
  const b = await lab.branch()
  const { id } = await b.inState('serving')
  await age(id, 100)
  await b.run('tickets.hold', { id })
  await age(id, 40)
  await b.run('tickets.resume', { id, to: 'called' })
  await age(id, 20)
  await b.run('tickets.start', { id })
  await age(id, 30)
  await b.run('tickets.complete', { id })
  const [leg] = await lab.owner<Record<string, number>>(
    `select round(held_seconds / 10.0)::int * 10 as held_seconds,
            round((extract(epoch from ended_at - started_at) - held_seconds) / 10)::int * 10 as served,
            abs(extract(epoch from (called_at - entered_at) + (started_at - called_at) + (ended_at - started_at) - (ended_at - entered_at)))::int as off
     from ticket_legs where ticket_id = $1`,
    [id],
  )
  expect(leg).toEqual({ held_seconds: 60, served: 130, off: 0 })
})

test.each([
  ['complete', 'serving', 'tickets.complete', 'serving'],
  ['no_show', 'called', 'tickets.noShow', 'calling'],
  ['cancel', 'waiting', 'tickets.cancel', 'available'],
  ['hold', 'serving', 'tickets.hold', 'serving'],
  ['start', 'called', 'tickets.start', 'calling'],
  ['return', 'called', 'tickets.return', 'calling'],
  ['transfer', 'serving', 'tickets.transfer', 'serving'],
] as const)('%s can be undone: ticket, legs and agent are as they were', async (_, state, operation, status) => {
  const b = await lab.branch({ queues: 2 })
  const ticket = await b.inState(state)
  const before = await b.row(ticket.id)
  await b.run(operation, { id: ticket.id, ...(operation === 'tickets.transfer' && { queue_id: b.queues[1]!.id }) })
  const restored = await b.run('tickets.undo', { id: ticket.id })
  expect(restored.status).toBe(TicketStatus[state])
  const ignored = { undo: null, undo_until: null }
  expect({ ...(await b.row(ticket.id)), ...ignored }).toEqual({ ...before, ...ignored })
  expect(await legs(ticket.id)).toEqual([])
  expect(await agentStatus(b)).toBe(status)
  expect((await b.events(ticket.id)).at(-1)).toBe('ticket.undone')
  expect(await codeOf(b.run('tickets.undo', { id: ticket.id }))).toBe('nothing_to_undo')
})

test('an undone return of a missed turn keeps the leg that had ended', async () => {
  const b = await lab.branch()
  const { id } = await b.inState('no_show')
  await b.run('tickets.return', { id })
  expect(await b.run('tickets.undo', { id })).toMatchObject({ status: 'absent', leg: 1 })
  expect(await legs(id)).toMatchObject([{ leg: 1, ended_by: 'absent' }])
})

test('undo has its time, and gives way to what happened since', async () => {
  const b = await lab.branch()
  const late = await b.inState('completed')
  await age(late.id, 121)
  expect(await codeOf(b.run('tickets.undo', { id: late.id }))).toBe('undo_expired')
  const done = await b.inState('completed')
  const next = await b.inState('called')
  expect(await codeOf(b.run('tickets.undo', { id: done.id }))).toBe('undo_conflict')
  await b.run('tickets.noShow', { id: next.id })
  expect(await codeOf(b.run('tickets.undo', { id: done.id }))).toBe('ok')
  const waiting = await b.take()
  expect(await codeOf(b.run('tickets.undo', { id: waiting.id }))).toBe('nothing_to_undo')
})

test('notes, labels, answers and the person can be changed; the log learns no note and no answer', async () => {
  const b = await lab.branch()
  const { id } = await b.take()
  const changes = {
    note: 'Pièce manquante',
    labels: ['VIP'],
    needs: ['wheelchair'],
    fields: { reason: 'moving' },
    language: 'ar',
  }
  const ticket = await b.run('tickets.update', { id, ...changes, customer: { name: 'Nadia', phone: '0612345678' } })
  expect(ticket).toMatchObject({ ...changes, position: 1 })
  expect(ticket.customer_id).toBeGreaterThan(0)
  expect(await b.run('tickets.update', { id, customer_id: null, fields: { reason: null } })).toMatchObject({
    customer_id: null,
    fields: {},
    note: changes.note,
  })
  expect(await codeOf(b.run('tickets.update', { id, customer_id: 999_999_999 }))).toBe('not_found')
  const log = JSON.stringify(await lab.owner('select data from events where tenant_id = $1', [b.tenant.id]))
  for (const secret of ['Pièce', 'moving', 'Nadia', '612345678']) expect(log).not.toContain(secret)
})

test('a queue that ever had a ticket cannot be deleted, whichever way it came', async () => {
  const b = await lab.branch({ queues: 3 })
  const { id } = await b.take()
  await b.run('tickets.transfer', { id, queue_id: b.queues[1]!.id })
  await lab.owner('delete from agent_queues where tenant_id = $1', [b.tenant.id])
  const remove = (i: number) => codeOf(b.as(b.admin)('queues.delete', { id: b.queues[i]!.id }))
  expect([await remove(0), await remove(1), await remove(2)]).toEqual(['in_use', 'in_use', 'ok'])
})
