import { expect, test } from 'vitest'
import type { Ticket } from './schema.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations } from './index.ts'
import { aLab, codeOf, type Branch } from './test/branch.ts'

const lab = await aLab()

/** Each agent calls, serves and finishes until nobody waits, half of them through another process; answers whom they called. */
async function workUntilEmpty(b: Branch): Promise<number[]> {
  const other = caller(testRuntime(lab.db), operations)(b.supervisor, b.tenant)
  const called: number[] = []
  await Promise.all(
    b.agents.map(async ({ id }, i) => {
      const run = i % 2 ? other : b.run
      for (;;) {
        const { ticket } = await run<{ ticket: Ticket | null }>('tickets.callNext', { id })
        if (!ticket) return
        called.push(ticket.id)
        await run('tickets.start', { id: ticket.id })
        await run('tickets.complete', { id: ticket.id })
      }
    }),
  )
  return called
}

/** TEST_SOAK=25 makes it ten thousand. */
const TICKETS = 400 * (Number(process.env.TEST_SOAK) || 1)

test(`16 agents of two processes on ${TICKETS} tickets: each is called once, by one agent, in the order of its queue`, async () => {
  const b = await lab.branch({ agents: 16, queues: 3 })
  for (const i of [0, 1, 2]) await b.setQueue({ number_last: 99_999 }, i)
  const taken = await Promise.all(Array.from({ length: TICKETS }, (_, i) => b.take({ queue_id: b.queues[i % 3]!.id })))
  const called = await workUntilEmpty(b)
  expect(called.sort((x, y) => x - y)).toEqual(taken.map(({ id }) => id).sort((x, y) => x - y))
  const [rest] = await lab.owner(`select from tickets where tenant_id = $1 and status <> 'terminé'`, [b.tenant.id])
  expect(rest).toBeUndefined()
  const calls = await lab.owner<{ queue_id: number; rank: number }>(
    `select e.queue_id, t.rank from events e join tickets t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
     where e.tenant_id = $1 and e.type = 'ticket.called' order by e."offset"`,
    [b.tenant.id],
  )
  expect(calls).toHaveLength(TICKETS)
  for (const line of Map.groupBy(calls, ({ queue_id }) => queue_id).values()) {
    const ranks = line.map(({ rank }) => Number(rank))
    expect(ranks).toEqual(ranks.toSorted((x, y) => x - y))
  }
})

test('control: reading the head and then updating it gives tickets twice', async () => {
  const b = await lab.branch()
  await Promise.all(Array.from({ length: 100 }, () => b.take()))
  await lab.owner('create table naive_calls (tenant_id bigint, ticket_id bigint); grant all on naive_calls to sq_app')
  const callNaively = () =>
    lab.db.tenant(b.tenant.id, async (tx) => {
      const head = await tx.maybe<{ id: number }>(
        `select id from tickets t where status = 'en_attente' and not exists (select from naive_calls c where c.ticket_id = t.id)
         order by rank, id limit 1`,
      )
      if (head) await tx.query('insert into naive_calls values ($1, $2)', [b.tenant.id, head.id])
      return head?.id
    })
  const called = await Promise.all(Array.from({ length: 100 }, callNaively))
  expect(new Set(called).size).toBeLessThan(called.length)
})

test('an agent who asks twice at once gets one ticket and one refusal', async () => {
  const b = await lab.branch()
  await Promise.all(Array.from({ length: 5 }, () => b.take()))
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => codeOf(b.callNext())))
  expect(outcomes.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'agent_busy'), 'ok'])
  expect(await b.line()).toHaveLength(4)
})

test('calls, choices, cancellations and reorderings at once lose nobody and never jam', async () => {
  const b = await lab.branch({ agents: 8, queues: 2 })
  const taken = await Promise.all(Array.from({ length: 80 }, (_, i) => b.take({ queue_id: b.queues[i % 2]!.id })))
  const expected = new Set(['ok', 'illegal_transition', 'agent_busy', 'invalid_input', 'already_last', 'delay_budget'])
  const outcomes = await Promise.all([
    ...b.agents.map((_, i) => codeOf(b.callNext(i))),
    ...b.agents.map(({ id }, i) => codeOf(b.run('tickets.call', { id: taken[i]!.id, agent_id: id }))),
    ...taken.slice(0, 30).map(({ id }) => codeOf(b.run('tickets.cancel', { id }))),
    ...taken
      .slice(0, 30)
      .map(({ id }, i) => codeOf(b.run('tickets.move', { id, after_id: taken[i + 10]!.id, reason: 'test' }))),
    ...taken.slice(10, 40).map(({ id }) => codeOf(b.run('tickets.delay', { id, places: 1 }))),
    ...taken
      .slice(5, 25)
      .map(({ id }) => codeOf(b.run('tickets.transfer', { id, queue_id: b.queues[1]!.id, position: 'first' }))),
  ])
  for (const code of outcomes) expect([...expected, 'same_queue']).toContain(code)
  const doubles = await lab.owner(
    `select agent_id from tickets where tenant_id = $1 and status in ('appelé', 'en_service') group by 1 having count(*) > 1`,
    [b.tenant.id],
  )
  expect(doubles).toEqual([])
  const mismatched = await lab.owner(
    `select a.id from agents a where a.tenant_id = $1 and (a.status = 'calling') <> exists (
       select from tickets t where t.tenant_id = a.tenant_id and t.agent_id = a.id and t.status = 'appelé')`,
    [b.tenant.id],
  )
  expect(mismatched).toEqual([])
})

test('a refusal says what keeps the agent from calling', async () => {
  const b = await lab.branch({ agents: 3 })
  await b.take()
  const [first, second, third] = b.agents.map(({ id }) => ({ id })) as [{ id: number }, { id: number }, { id: number }]
  expect(await codeOf(b.run('tickets.callNext', { id: 999_999_999 }))).toBe('not_found')
  for (const status of ['break', 'back_office', 'offline']) {
    await lab.owner('update agents set status = $2 where id = $1', [first.id, status])
    expect(await codeOf(b.callNext(0))).toBe('agent_not_available')
  }
  await lab.owner(`update agents set status = 'available', counter_id = null where id = $1`, [first.id])
  expect(await codeOf(b.callNext(0))).toBe('agent_without_counter')
  await lab.owner('delete from agent_queues where agent_id = $1', [second.id])
  expect(await codeOf(b.callNext(1))).toBe('agent_does_not_serve_queue')
  await lab.owner('update agents set is_active = false where id = $1', [third.id])
  expect(await codeOf(b.callNext(2))).toBe('agent_inactive')
  const colleague = b.as(b.agentActors[1]!)
  expect(await codeOf(colleague('tickets.callNext', { id: third.id }))).toBe('forbidden')
  expect(await b.line()).toHaveLength(1)
})

test('an agent who wraps up may call', async () => {
  const b = await lab.branch()
  const { id } = await b.inState('serving')
  await b.run('tickets.complete', { id, wrap_up: true })
  const [agent] = await lab.owner('select status from agents where id = $1', [b.agents[0]!.id])
  expect(agent).toEqual({ status: 'wrap_up' })
  const next = await b.take()
  expect((await b.callNext())?.id).toBe(next.id)
})

test('of several queues the heaviest wait is called: weight times time', async () => {
  const b = await lab.branch({ queues: 2 })
  const [light, heavy] = b.queues.map(({ id }) => id) as [number, number]
  await lab.owner('update agent_queues set weight = 3 where queue_id = $1', [heavy])
  const old = await b.take({ queue_id: light })
  const young = await b.take({ queue_id: heavy })
  const waits = (id: number, seconds: number) =>
    lab.owner(`update tickets set entered_at = clock_timestamp() - make_interval(secs => $2) where id = $1`, [
      id,
      seconds,
    ])
  await waits(old.id, 500)
  await waits(young.id, 200)
  expect((await b.callNext())?.id).toBe(young.id)
})

test('what is not due yet, or kept for somebody else, is passed over', async () => {
  const b = await lab.branch({ agents: 3 })
  const later = await b.take()
  const forSecond = await b.take()
  const forCounter = await b.take()
  const plain = await b.take()
  await b.run('tickets.delay', { id: later.id, minutes: 10 })
  await b.run('tickets.transfer', { id: forSecond.id, agent_id: b.agents[1]!.id })
  await b.run('tickets.transfer', { id: forCounter.id, counter_id: b.counters[2]!.id })
  expect((await b.callNext(0))?.id).toBe(plain.id)
  expect((await b.callNext(1))?.id).toBe(forSecond.id)
  expect((await b.callNext(2))?.id).toBe(forCounter.id)
  await b.run('tickets.complete', await b.run('tickets.start', { id: plain.id }).then(({ id }) => ({ id })))
  expect(await b.callNext(0)).toBeNull()
  expect(await codeOf(b.run('tickets.call', { id: later.id, agent_id: b.agents[0]!.id }))).toBe('ok')
})

test('a transferred ticket waits for its agent, who need not serve its queue', async () => {
  const b = await lab.branch({ agents: 2, queues: 2 })
  await lab.owner('delete from agent_queues where agent_id = $1 and queue_id = $2', [b.agents[1]!.id, b.queues[0]!.id])
  const { id } = await b.take()
  await b.run('tickets.transfer', { id, agent_id: b.agents[1]!.id })
  expect(await codeOf(b.run('tickets.call', { id, agent_id: b.agents[0]!.id }))).toBe('ticket_reserved')
  expect((await b.callNext(1))?.id).toBe(id)
})

test('where no arrival is confirmed, the call starts the service', async () => {
  const b = await lab.branch()
  await b.setQueue({ confirm_arrival: false })
  const { id } = await b.take()
  expect(await b.callNext()).toMatchObject({ id, status: 'en_service' })
  expect(await b.events(id)).toEqual(['ticket.created', 'ticket.called', 'ticket.started'])
  const [agent] = await lab.owner('select status from agents where id = $1', [b.agents[0]!.id])
  expect(agent).toEqual({ status: 'serving' })
})

test('an agent without being named calls at the own desk', async () => {
  const b = await lab.branch({ agents: 2 })
  const { id } = await b.take()
  expect(await b.as(b.agentActors[1]!)('tickets.call', { id })).toMatchObject({ agent_id: b.agents[1]!.id })
  expect(await codeOf(b.run('tickets.call', { id: (await b.take()).id }))).toBe('agent_required')
})
