import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { TICKET_STATUSES, ticketStatusName, type TicketStatus } from '../../../shared/ticket-status.ts'
import { transitionOf, VERBS, type Verb } from './rules.ts'
import { aLab, codeOf, type Branch } from './test/branch.ts'

const lab = await aLab()

/** How each verb is asked for; `expire` is asked for by no one person. */
const ask: Record<
  Exclude<Verb, 'expire'>,
  (b: Branch, id: number, others: Others) => [operation: string, input: Record<string, unknown>]
> = {
  call: (b, id) => ['tickets.call', { id, agent_id: b.agents[1]!.id }],
  recall: (_, id) => ['tickets.recall', { id }],
  start: (_, id) => ['tickets.start', { id }],
  hold: (_, id) => ['tickets.hold', { id }],
  resume: (_, id) => ['tickets.resume', { id }],
  complete: (_, id) => ['tickets.complete', { id }],
  no_show: (_, id) => ['tickets.noShow', { id }],
  return: (_, id) => ['tickets.return', { id }],
  transfer: (b, id) => ['tickets.transfer', { id, queue_id: b.queues[1]!.id }],
  cancel: (_, id) => ['tickets.cancel', { id }],
  delay: (_, id) => ['tickets.delay', { id, places: 1 }],
  move: (_, id, { neighbour }) => ['tickets.move', { id, after_id: neighbour, reason: 'test' }],
}
interface Others {
  neighbour: number
}

/** A ticket in a state, somebody waiting behind it, and two agents of whom one is free. */
async function stage(status: TicketStatus): Promise<{ b: Branch; id: number; others: Others }> {
  const b = await lab.branch({ agents: 2, queues: 2 })
  await b.setQueue({ recall_gap_seconds: 0 })
  const { id } = await b.inState(ticketStatusName(status))
  const neighbour = await b.take()
  return { b, id, others: { neighbour: neighbour.id } }
}
async function world(b: Branch) {
  const [tickets, agents, events, legs] = await Promise.all([
    lab.owner(`select to_jsonb(t) as row from tickets t where tenant_id = $1 order by id`, [b.tenant.id]),
    lab.owner(`select to_jsonb(a) as row from agents a where tenant_id = $1 order by id`, [b.tenant.id]),
    lab.owner(`select count(*) from events where tenant_id = $1`, [b.tenant.id]),
    lab.owner(`select to_jsonb(l) as row from ticket_legs l where tenant_id = $1 order by ticket_id, leg`, [
      b.tenant.id,
    ]),
  ])
  return { tickets, agents, events, legs }
}

const verbs = VERBS.filter((verb) => verb !== 'expire')

describe.each(TICKET_STATUSES)('from %s', (status) => {
  const legal = verbs.filter((verb) => transitionOf(verb).from.includes(status))

  test('everything else is a conflict that changes nothing', async () => {
    const { b, id, others } = await stage(status)
    const before = await world(b)
    for (const verb of verbs.filter((other) => !legal.includes(other))) {
      await expect(b.run(...ask[verb](b, id, others)), verb).rejects.toMatchObject({
        kind: 'conflict',
        code: 'illegal_transition',
        params: { from: status, verb },
      })
    }
    expect(await world(b)).toEqual(before)
  })

  test.each(legal)('%s', async (verb) => {
    const { b, id, others } = await stage(status)
    const { to, event } = transitionOf(verb)
    const before = await world(b)
    expect(await b.run(...ask[verb](b, id, others))).toMatchObject({ id, status: to[0] })
    expect((await b.events(id)).at(-1)).toBe(event)
    const [stored] = await lab.owner<{ data: Record<string, unknown>; actor: string }>(
      'select data, actor from events where tenant_id = $1 and ticket_id = $2 order by "offset" desc limit 1',
      [b.tenant.id, id],
    )
    expect(stored).toMatchObject({
      actor: b.supervisor.principal,
      data: { from: status, to: to[0], channel: 'reception', by: 'supervisor' },
    })
    // One event: of this ticket, and of nobody else.
    expect(Number((await world(b)).events[0]!['count'])).toBe(Number(before.events[0]!['count']) + 1)
  })
})

test('the day ends every live ticket and leaves the others as they are', async () => {
  const b = await lab.branch({ agents: 4 })
  const live = [
    await b.inState('called'),
    await b.inState('serving'),
    await b.inState('held'),
    await b.inState('waiting'),
  ]
  const over = [await b.inState('completed'), await b.inState('no_show'), await b.inState('cancelled')]
  expect(await b.as(b.system)('tickets.closeDay')).toEqual({ count: 0, more: false })
  expect(await b.as(b.system)('tickets.closeDay', { today: true })).toEqual({ count: live.length, more: false })
  for (const { id } of live) expect((await b.row(id))['status']).toBe('expiré')
  for (const { id, status } of over) expect((await b.row(id))['status']).toBe(status)
  const busy = await lab.owner(`select from agents where tenant_id = $1 and status <> 'available'`, [b.tenant.id])
  expect(busy).toEqual([])
})

test('the day of a site that does not exist, or is another’s, cannot be closed', async () => {
  const [b, other] = [await lab.branch(), await lab.branch()]
  for (const site_id of [999_999_999, other.sites[0]!.id])
    await expect(b.as(b.admin)('tickets.closeDay', { site_id })).rejects.toMatchObject({ code: 'not_found' })
  expect(await b.as(b.admin)('tickets.closeDay', { site_id: b.sites[0]!.id })).toMatchObject({ count: 0 })
})

test('yesterday’s tickets end tonight where the site is, unless the queue carries over', async () => {
  const b = await lab.branch({ queues: 2, timezone: 'Pacific/Auckland' })
  const left = await b.take()
  const kept = await b.take({ queue_id: b.queues[1]!.id })
  await b.setQueue({ carry_over: true }, 1)
  expect(await b.as(b.system)('tickets.closeDay')).toMatchObject({ count: 0 })
  await lab.owner('update tickets set day = day - 1 where tenant_id = $1', [b.tenant.id])
  expect(await b.as(b.system)('tickets.closeDay')).toMatchObject({ count: 1 })
  expect((await b.row(left.id))['status']).toBe('expiré')
  expect((await b.row(kept.id))['status']).toBe('en_attente')
})

test('who does not come in the queue’s time is marked absent by the program', async () => {
  const b = await lab.branch({ agents: 2 })
  const slow = await b.inState('called')
  await b.setQueue({ no_show_after_seconds: 60 })
  expect(await b.as(b.system)('tickets.sweepTimers')).toMatchObject({ count: 0 })
  await lab.owner(`update tickets set last_called_at = last_called_at - interval '61 seconds' where id = $1`, [slow.id])
  const fresh = await b.inState('called')
  expect(await b.as(b.system)('tickets.sweepTimers')).toMatchObject({ count: 1 })
  expect(await b.row(slow.id)).toMatchObject({ status: 'absent' })
  expect(await b.row(fresh.id)).toMatchObject({ status: 'appelé' })
  expect(await codeOf(b.run('tickets.sweepTimers'))).toBe('forbidden')
})

test('a connection lost while a move waits for its agent fails nothing but that attempt', async () => {
  const b = await lab.branch()
  const { id } = await b.inState('serving')
  await lab.owner('begin')
  await lab.owner('select from agents where id = $1 for update', [b.agents[0]!.id])
  const completed = b.run('tickets.complete', { id })
  const ended = () =>
    lab.owner(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`)
  while ((await ended()).length === 0) await sleep(5)
  await lab.owner('rollback')
  expect(await completed).toMatchObject({ id, status: 'terminé' })
  expect(await b.events(id)).toEqual(['ticket.created', 'ticket.called', 'ticket.started', 'ticket.completed'])
})
