import { beforeAll, expect, test } from 'vitest'
import type { Actor } from '../../../kernel/access.ts'
import { notFound } from '../../../kernel/errors.ts'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import * as agents from '../../agents/index.ts'
import * as displayModule from '../../displays/index.ts'
import * as queues from '../../queues/index.ts'
import * as sites from '../../sites/index.ts'
import * as tickets from '../index.ts'
import { TRANSITIONS } from '../rules.ts'
import { Follower } from './test/follow.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(
  runtime,
  [sites, queues, agents, tickets, displayModule].flatMap(({ operations }) => operations),
)

let bank: TenantFixture
let run: ReturnType<typeof as>
let displays: { named: number; all: number }
beforeAll(async () => {
  bank = await aTenant(owner, { sites: 2, queues: 3, agents: 3, counters: 4 })
  run = as(bank.admin, bank.tenant)
  // Agent 3 serves the third queue only.
  await run('agents.update', { id: bank.agents[2]!.id, queues: [{ queue_id: bank.queues[2]!.id }] })
  const rows = await owner<{ id: number }>(
    `insert into displays (tenant_id, site_id, name, queue_ids)
     values ($1, $2, 'Hall', $3), ($1, $2, 'Everything', '{}') returning id`,
    [bank.tenant.id, bank.sites[0]!.id, [bank.queues[1]!.id, bank.queues[0]!.id]],
  )
  displays = { named: rows[0]!.id, all: rows[1]!.id }
})

const take = (queue = 0, more: object = {}) =>
  run('tickets.take', { queue_id: bank.queues[queue]!.id, channel: 'reception', ...more })
const call = async (agent = 0) => (await run('tickets.callNext', { id: bank.agents[agent]!.id })).ticket
const visitor = (ticketId: number): Actor => ({
  ...bank.anonymous,
  role: 'visitor',
  tenantId: bank.tenant.id,
  ticketId,
})

/** Everybody who might follow what happens at the site. */
async function everybody(...ticketIds: number[]): Promise<Follower[]> {
  const open = (name: string, params: Record<string, string>, actor = bank.admin) =>
    Follower.open(runtime, bank.tenant, actor, name, params)
  return Promise.all([
    ...bank.queues.slice(0, 3).map(({ id }) => open('queue', { queue_id: String(id) })),
    ...Object.values(displays).map((id) => open('display', { display_id: String(id) })),
    ...bank.agents.slice(0, 3).map(({ id }) => open('agent', { agent_id: String(id) })),
    open('site', { site_id: String(bank.sites[0]!.id) }),
    ...ticketIds.map((id) => open('ticket', {}, visitor(id))),
  ])
}
async function clear() {
  await run('queues.update', { id: bank.queues[0]!.id, max_capacity: null })
  await run('queues.update', { id: bank.queues[1]!.id, is_active: true })
  await run('tickets.closeDay', { today: true })
  for (const { id } of bank.agents.slice(0, 3)) await run('agents.setStatus', { id, status: 'available' })
}

/** Each brings the queue into a state and then does what makes the event. */
type Scene = () => Promise<{ act: () => Promise<unknown>; ticket: { id: number } }>
const waitingScene =
  (operation: string, input: object = {}): Scene =>
  async () => {
    await take()
    const ticket = await take()
    await take()
    await take()
    return { ticket, act: () => run(operation, { id: ticket.id, ...input }) }
  }
const calledScene =
  (operation: string, input: object = {}, isServed = false): Scene =>
  async () => {
    await take()
    await take()
    const ticket = await call()
    if (isServed) await run('tickets.start', { id: ticket.id })
    return { ticket, act: () => run(operation, { id: ticket.id, ...input }) }
  }
const servedScene = (operation: string, input: object = {}) => calledScene(operation, input, true)
const after =
  (scene: Scene, operation: string, input: object = {}): Scene =>
  async () => {
    const { act, ticket } = await scene()
    await act()
    return { ticket, act: () => run(operation, { id: ticket.id, ...input }) }
  }
const anyTicket = async (act: () => Promise<unknown>) => ({ ticket: await take(), act })

const SCENES: [event: string, what: string, scene: Scene][] = [
  ['ticket.created', 'taken', () => anyTicket(() => take())],
  ['ticket.created', 'taken in another queue', () => anyTicket(() => take(2))],
  ['ticket.called', 'called as the next', () => anyTicket(() => call())],
  ['ticket.called', 'called out of turn', async () => waitingScene('tickets.call', { agent_id: bank.agents[0]!.id })()],
  ['ticket.recalled', 'recalled', calledScene('tickets.recall')],
  ['ticket.started', 'started', calledScene('tickets.start')],
  ['ticket.held', 'put on hold', servedScene('tickets.hold', { pool: 'queue' })],
  ['ticket.resumed', 'resumed', after(servedScene('tickets.hold', { pool: 'queue' }), 'tickets.resume')],
  ['ticket.resumed', 'called back', after(servedScene('tickets.hold'), 'tickets.resume', { to: 'called' })],
  ['ticket.completed', 'completed', servedScene('tickets.complete')],
  ['ticket.completed', 'completed with work left', servedScene('tickets.complete', { wrap_up: true })],
  ['ticket.no_show', 'missed', calledScene('tickets.noShow')],
  ['ticket.returned', 'back within the grace time', after(calledScene('tickets.noShow'), 'tickets.return')],
  ['ticket.returned', 'sent back to the end', calledScene('tickets.return', { position: 'last' })],
  ['ticket.returned', 'sent back from service', servedScene('tickets.return', { position: 'first' })],
  [
    'ticket.transferred',
    'transferred while waiting',
    async () => waitingScene('tickets.transfer', { queue_id: bank.queues[1]!.id })(),
  ],
  [
    'ticket.transferred',
    'transferred from service',
    async () => servedScene('tickets.transfer', { queue_id: bank.queues[2]!.id })(),
  ],
  [
    'ticket.transferred',
    'kept for an agent',
    async () => servedScene('tickets.transfer', { agent_id: bank.agents[2]!.id })(),
  ],
  ['ticket.cancelled', 'cancelled', waitingScene('tickets.cancel')],
  ['ticket.delayed', 'lets somebody pass', waitingScene('tickets.delay', { places: 1 })],
  ['ticket.delayed', 'asks for time', waitingScene('tickets.delay', { minutes: 5 })],
  ['ticket.moved', 'moved', waitingScene('tickets.move', { after_id: null, reason: 'with a baby' })],
  ['ticket.expired', 'the day ends', () => anyTicket(() => run('tickets.closeDay', { today: true }))],
  ['ticket.undone', 'a cancellation undone', after(waitingScene('tickets.cancel'), 'tickets.undo')],
  ['ticket.undone', 'a completion undone', after(servedScene('tickets.complete'), 'tickets.undo')],
  [
    'ticket.undone',
    'a transfer undone',
    async () => after(waitingScene('tickets.transfer', { queue_id: bank.queues[1]!.id }), 'tickets.undo')(),
  ],
  ['ticket.updated', 'noted', waitingScene('tickets.update', { labels: ['VIP'], language: 'ar' })],
  [
    'agent.status_changed',
    'an agent on a break',
    () => anyTicket(() => run('agents.setStatus', { id: bank.agents[0]!.id, status: 'break' })),
  ],
  [
    'agent.updated',
    'an agent renamed',
    () => anyTicket(() => run('agents.update', { id: bank.agents[0]!.id, name: 'Zoé' })),
  ],
  [
    'agent.created',
    'a new agent',
    () =>
      anyTicket(() =>
        run('agents.create', { site_id: bank.sites[0]!.id, name: 'New', queues: [{ queue_id: bank.queues[0]!.id }] }),
      ),
  ],
  [
    'agent.deleted',
    'an agent gone',
    async () => {
      const queues = [{ queue_id: bank.queues[0]!.id }]
      const { id } = await run('agents.create', { site_id: bank.sites[0]!.id, name: 'Gone', queues })
      return anyTicket(() => run('agents.delete', { id }))
    },
  ],
  [
    'queue.updated',
    'a queue paused',
    () => anyTicket(() => run('queues.update', { id: bank.queues[1]!.id, name: 'Paused', is_active: false })),
  ],
  [
    'queue.pace_changed',
    'a new pace',
    async () => {
      await run('queues.refresh')
      await owner('update queue_states set service_seconds = 17 where queue_id = $1', [bank.queues[0]!.id])
      await owner('update queue_states set measured_seconds = 900, samples = 3 where queue_id = $1', [
        bank.queues[0]!.id,
      ])
      return anyTicket(() => run('queues.refresh'))
    },
  ],
  [
    'queue.status_changed',
    'a queue full',
    async () => {
      await clear()
      await run('queues.update', { id: bank.queues[0]!.id, max_capacity: 1 })
      return anyTicket(() => run('queues.refresh'))
    },
  ],
]

test.each(SCENES)('%s (%s) leads every view to where a fresh snapshot is', async (type, _, scene) => {
  await clear()
  await owner('update queues set recall_gap_seconds = 0')
  const { act, ticket } = await scene()
  const followers = await everybody(ticket.id)
  await act()
  const seen = new Set<string>()
  for (const follower of followers) {
    await follower.catchUp()
    for (const frame of follower.frames) seen.add(frame.type)
    expect(await follower.differences()).toEqual([])
  }
  expect(seen).toContain(type)
})

test('who is shown other queues is told to start anew, and then agrees', async () => {
  await clear()
  const followers = await everybody()
  const gapsAfter = async (act: () => Promise<unknown>) => {
    await act()
    const gaps: string[] = []
    for (const follower of followers) {
      if (!(await follower.catchUp())) gaps.push(follower.name)
      expect(await follower.differences()).toEqual([])
    }
    return gaps
  }
  const [, second, third] = bank.queues
  const display = { id: displays.named }
  expect(await gapsAfter(() => run('displays.update', { ...display, name: 'Lobby' }))).toEqual([])
  expect(await gapsAfter(() => run('displays.update', { ...display, queue_ids: [third!.id] }))).toEqual(['display'])
  expect(await gapsAfter(() => run('displays.update', { ...display, queue_ids: [] }))).toEqual(['display'])
  const { id } = await run('services.create', { name: 'New' })
  const added = { site_id: bank.sites[0]!.id, service_id: id, name: 'New' }
  expect(await gapsAfter(() => run('queues.create', added))).toEqual(['display', 'display', 'site'])
  const skills = { id: bank.agents[0]!.id, queues: [{ queue_id: second!.id }] }
  expect(await gapsAfter(() => run('agents.update', skills))).toEqual(['agent'])
  await run('agents.update', { ...skills, queues: bank.queues.slice(0, 3).map((queue) => ({ queue_id: queue.id })) })
})

test('every transition has a scene', () => {
  const shown = new Set(SCENES.map(([type]) => type))
  for (const { event } of Object.values(TRANSITIONS)) expect(shown).toContain(event)
})

test('a lost event is noticed: the views differ', async () => {
  await clear()
  const [follower] = await everybody()
  await take()
  expect(await follower!.differences()).not.toEqual([])
})

test('a display says nothing about people', async () => {
  await clear()
  const person = { name: 'Secret Person', phone: '+33612345678' }
  await take(0, { customer: person, labels: ['Secret label'], needs: ['Secret need'], language: 'ar' })
  const follower = await Follower.open(runtime, bank.tenant, bank.display, 'display', {
    display_id: String(displays.all),
  })
  const ticket = await call()
  await run('tickets.update', { id: ticket.id, note: 'Secret note' })
  await follower.catchUp()
  const fresh = await run('displays.board', { id: displays.all })
  for (const text of [JSON.stringify(follower.view), JSON.stringify(follower.frames), JSON.stringify(fresh)]) {
    expect(text).toContain(ticket.number)
    expect(text).not.toMatch(/Secret|3361234|Agent \d|Zoé/)
  }
  expect(fresh.called[0]).toMatchObject({ customer_id: null, language: null, labels: [], needs: [] })
})

test('a visitor sees the own ticket only', async () => {
  await clear()
  const own = await take()
  const other = await take(0, { labels: ['Secret label'] })
  const follower = await Follower.open(runtime, bank.tenant, visitor(own.id), 'ticket')
  await call()
  await call(1)
  await follower.catchUp()
  const text = JSON.stringify(follower.frames)
  expect(follower.frames.length).toBeGreaterThan(1)
  expect(text).toContain(own.number)
  for (const hidden of [other.number, 'Secret', 'customer_id', 'agent']) expect(text).not.toContain(hidden)
})

test('feeds of what is missing, foreign or nonsense are the same not-found', async () => {
  const clinic = await aTenant(owner)
  const open = (name: string, params: Record<string, string>) =>
    Follower.open(runtime, bank.tenant, bank.admin, name, params)
  const nonsense = ['999999999', '0', '-1', '1e3', 'x', '']
  for (const id of [String(clinic.queues[0]!.id), ...nonsense]) {
    await expect(open('queue', { queue_id: id })).rejects.toEqual(notFound())
  }
  for (const id of [String(clinic.agents[0]!.id), ...nonsense]) {
    await expect(open('agent', { agent_id: id })).rejects.toEqual(notFound())
  }
  for (const id of nonsense) await expect(open('display', { display_id: id })).rejects.toEqual(notFound())
  const [foreign] = await owner<{ id: number }>('select max(id) as id from tickets where tenant_id = $1', [
    bank.tenant.id,
  ])
  const stranger = { ...visitor(foreign!.id), tenantId: clinic.tenant.id }
  await expect(Follower.open(runtime, clinic.tenant, stranger, 'ticket')).rejects.toEqual(notFound())
})

test('an agent follows the own desk, not a colleague’s', async () => {
  const open = (agent: number) =>
    Follower.open(runtime, bank.tenant, bank.agentActors[0]!, 'agent', { agent_id: String(bank.agents[agent]!.id) })
  await open(0)
  await expect(open(1)).rejects.toMatchObject({ code: 'forbidden' })
})
