import { describe, expect, test } from 'vitest'
import type { Actor } from '../../kernel/access.ts'
import type { TicketStatusName } from '../../../shared/ticket-status.ts'
import { aLab, codeOf, type Branch } from './test/branch.ts'

const lab = await aLab()

/** A branch of two agents; the first, who is free first, gets every ticket. */
const branch = () => lab.branch({ agents: 2, queues: 2 })
type Act = (b: Branch, actor: Actor, id: number) => Promise<unknown>
const verb =
  (name: string, input: Record<string, unknown> = {}): Act =>
  (b, actor, id) =>
    b.as(actor)(`tickets.${name}`, { id, ...input })

const ACTS: Record<string, [from: TicketStatusName, act: Act]> = {
  'start a called one': ['called', verb('start')],
  'recall a called one': ['called', verb('recall')],
  'mark a called one absent': ['called', verb('noShow')],
  'complete a served one': ['serving', verb('complete')],
  'hold a served one': ['serving', verb('hold')],
  'return a served one': ['serving', verb('return', { position: 'first' })],
  'transfer a served one': ['serving', (b, actor, id) => verb('transfer', { queue_id: b.queues[1]!.id })(b, actor, id)],
}

describe.each(Object.entries(ACTS))('%s', (_, [from, act]) => {
  test('only its own agent and managers', async () => {
    const b = await branch()
    await b.setQueue({ recall_gap_seconds: 0 })
    const { id } = await b.inState(from)
    const before = await b.row(id)
    expect(await codeOf(act(b, b.agentActors[1]!, id))).toBe('not_your_ticket')
    expect(await b.row(id)).toEqual(before)
    expect(await codeOf(act(b, b.agentActors[0]!, id))).toBe('ok')
  })
  test.each(['supervisor', 'admin', 'apiKey'] as const)('%s for anybody', async (role) => {
    const b = await branch()
    await b.setQueue({ recall_gap_seconds: 0 })
    const { id } = await b.inState(from)
    expect(await codeOf(act(b, b[role], id))).toBe('ok')
  })
})

test('who sits at its counter may go on with it', async () => {
  const b = await branch()
  const { id } = await b.inState('serving')
  await lab.owner('update agents set counter_id = null where id = $1', [b.agents[0]!.id])
  await lab.owner('update agents set counter_id = $2 where id = $1', [b.agents[1]!.id, b.agents[0]!.counter_id])
  expect(await codeOf(b.as(b.agentActors[1]!)('tickets.complete', { id }))).toBe('ok')
})

test('undo gives nobody a ticket of somebody else, and takes none', async () => {
  const b = await branch()
  const { id } = await b.inState('serving')
  await b.as(b.agentActors[0]!)('tickets.complete', { id })
  expect(await codeOf(b.as(b.agentActors[1]!)('tickets.undo', { id }))).toBe('not_your_ticket')
  expect(await codeOf(b.as(b.agentActors[0]!)('tickets.undo', { id }))).toBe('ok')
})

test('whoever serves a pool takes up what was put on hold for it', async () => {
  const b = await branch()
  const { id } = await b.inState('serving')
  await b.as(b.agentActors[0]!)('tickets.hold', { id, pool: 'queue' })
  expect(await b.as(b.agentActors[1]!)('tickets.resume', { id })).toMatchObject({ agent_id: b.agents[1]!.id })
  expect(await codeOf(b.as(b.agentActors[0]!)('tickets.complete', { id }))).toBe('not_your_ticket')
})
