import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reordered, type Orderable } from './reorder.ts'
import { aLab, codeOf, type Branch } from './test/branch.ts'

const lab = await aLab()
/** The configuration is read without the memory of another process, as after a second. */
const setQueue = async (b: Branch, changes: Record<string, unknown>) => {
  await b.setQueue(changes)
  await b.run('queues.rerank', { id: b.queues[0]!.id })
}
const takeAll = async (b: Branch, priorities: readonly number[]) => {
  const ids: number[] = []
  for (const priority of priorities) ids.push((await b.take({ priority })).id)
  return ids
}

test.each<[string, object, number[], number[]]>([
  ['fifo', {}, [0, 2, 1], [0, 1, 2]],
  ['priority', {}, [0, 2, 1], [1, 2, 0]],
  ['aging', { boost_seconds: 600 }, [0, 2, 1], [1, 2, 0]],
  ['sla', { targets_seconds: [900, 60, 300] }, [0, 2, 1], [2, 1, 0]],
  ['fair_share', { shares: { 0: 1, 1: 2 } }, [0, 0, 0, 1, 1, 1, 1], [3, 0, 4, 5, 1, 6, 2]],
])(
  '%s %o serves the newcomers and reorders those who wait alike',
  async (algorithm, algorithm_settings, classes, order) => {
    const b = await lab.branch()
    const waiting = await takeAll(b, classes)
    await setQueue(b, { algorithm, algorithm_settings })
    const expected = order.map((i) => waiting[i]!)
    // Shares that come to the same virtual time go by id.
    if (algorithm !== 'fair_share') expect(await b.line()).toEqual(expected)
    const c = await lab.branch()
    await c.setQueue({ algorithm, algorithm_settings })
    const taken = await takeAll(c, classes)
    const line = await c.line()
    if (algorithm !== 'fair_share') expect(line).toEqual(order.map((i) => taken[i]!))
    expect((await b.line()).map((id) => waiting.indexOf(id))).toEqual(line.map((id) => taken.indexOf(id)))
  },
)

test('a new order is one event for each ticket that moves, and none for the others', async () => {
  const b = await lab.branch()
  const [plain, urgent] = await takeAll(b, [0, 3])
  await setQueue(b, { algorithm: 'priority' })
  expect(await b.events(plain!)).toEqual(['ticket.created'])
  expect(await b.events(urgent!)).toEqual(['ticket.created', 'ticket.moved'])
  expect(await b.run('queues.rerank', { id: b.queues[0]!.id })).toEqual({ count: 0 })
  const board = await b.run('queues.board', { id: b.queues[0]!.id })
  expect(board.waiting.map(({ id }: { id: number }) => id)).toEqual([urgent, plain])
})

test('a new order is asked for with the change, in its transaction', async () => {
  const b = await lab.branch()
  const jobs = () =>
    lab.owner<{ key: string }>(`select key from graphile_worker.jobs where key like $1 order by key`, [
      `tickets.rerank:${b.tenant.id}:%`,
    ])
  await b.setQueue({ name: 'Renamed' })
  expect(await jobs()).toEqual([])
  await b.setQueue({ algorithm: 'aging' })
  expect(await jobs()).toHaveLength(2)
})

test('who was put somewhere by hand stays as far from the head', async () => {
  const b = await lab.branch()
  const [first, second, third, fourth] = await takeAll(b, [0, 0, 5, 9])
  await b.run('tickets.move', { id: second, after_id: null, reason: 'pregnant' })
  expect(await b.line()).toEqual([second, first, third, fourth])
  await setQueue(b, { algorithm: 'priority' })
  expect(await b.line()).toEqual([second, fourth, third, first])
})

test('another class is another place, told by the event of the change', async () => {
  const b = await lab.branch()
  await b.setQueue({ algorithm: 'priority' })
  const [first, second] = await takeAll(b, [0, 0])
  expect(await b.run('tickets.update', { id: second, priority: 4 })).toMatchObject({ priority: 4, position: 1 })
  expect(await b.line()).toEqual([second, first])
  const [event] = await lab.owner<{ rank: number }>(
    `select (data -> 'ticket' ->> 'rank')::bigint as rank from events where ticket_id = $1 order by "offset" desc limit 1`,
    [second],
  )
  expect(event!.rank).toBe((await b.row(second!)).rank)
})

test('a returned ticket keeps its turn, also where ranks follow from those before', async () => {
  for (const algorithm of ['fifo', 'fair_share']) {
    const b = await lab.branch()
    await b.setQueue({ algorithm })
    const [first, second] = await takeAll(b, [0, 0])
    await b.callNext()
    await b.run('tickets.return', { id: first, position: 'arrival' })
    expect(await b.line()).toEqual([first, second])
  }
})

test('call next honours skills, languages and ratios', async () => {
  const b = await lab.branch({ agents: 2, queues: 2, counters: 2 })
  const [plain, skilled] = b.agents.map(({ id }) => id)
  await lab.owner(`update agents set skills = '{sign}', languages = '{ar}' where id = $1`, [skilled])
  const needy = await b.take()
  await lab.owner(`update tickets set required_skill = 'sign' where id = $1`, [needy.id])
  const arabic = await b.take({ language: 'ar' })
  await lab.owner(`update agents set languages = '{fr}' where id = $1`, [plain])
  const french = await b.take({ language: 'fr' })
  expect(await codeOf(b.run('tickets.call', { id: needy.id, agent_id: plain }))).toBe('agent_lacks_skill')
  expect((await b.callNext(0))!.id).toBe(french.id)
  expect((await b.callNext(1))!.id).toBe(needy.id)
  await b.run('tickets.start', { id: needy.id })
  await b.run('tickets.complete', { id: needy.id })
  expect((await b.callNext(1))!.id).toBe(arabic.id)

  const c = await lab.branch({ queues: 2 })
  await lab.owner(`update agents set call_mode = 'ratio' where tenant_id = $1`, [c.tenant.id])
  await lab.owner(`update agent_queues set weight = 2 where queue_id = $1`, [c.queues[1]!.id])
  for (let i = 0; i < 6; i++) for (const queue of c.queues) await c.take({ queue_id: queue.id })
  const called: number[] = []
  for (let i = 0; i < 6; i++) {
    const ticket = (await c.callNext())!
    called.push(c.queues.findIndex(({ id }) => id === ticket.queue_id))
    await c.run('tickets.start', { id: ticket.id })
    await c.run('tickets.complete', { id: ticket.id })
  }
  expect(called.filter((queue) => queue === 1)).toHaveLength(4)
})

test('a placed ticket is at its place after every new order, and nobody is lost', () => {
  const one = fc.record({
    gap: fc.integer({ min: 1, max: 5 }),
    priority: fc.integer({ min: 0, max: 3 }),
    is_placed: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 20, size: 'max' }),
      fc.constantFrom('fifo', 'priority', 'aging', 'fair_share'),
      (people, algorithm) => {
        let at = 1e15
        const line = people.map(({ gap, priority, is_placed }, i): Orderable => {
          at += gap
          const ranked = { priority, channel: 'web', appointment_at: null, arrived_at: at }
          return { id: i + 1, rank: at, is_placed, ranked }
        })
        const { order } = reordered({ algorithm, algorithm_settings: {} }, line)
        const sorted = order.toSorted((a, b) => a.rank - b.rank || a.id - b.id).map(({ id }) => id)
        expect(sorted).toEqual(order.map(({ id }) => id))
        expect(sorted.toSorted((a, b) => a - b)).toEqual(line.map(({ id }) => id))
        for (const [i, { id, is_placed }] of line.entries()) if (is_placed) expect(sorted[i]).toBe(id)
      },
    ),
  )
})
