import { expect, test } from 'vitest'
import type { LiveEvent, Ticket } from '../../../../../shared/board.ts'
import { Optimism } from '../../../../../shared/optimism.ts'
import { BranchModel, SHOWN } from '../../../../../shared/test/branch-model.ts'
import { TICKET_STATUSES, type TicketStatus } from '../../../../../shared/ticket-status.ts'
import { applyAgent, concernsAgent, type AgentView } from '../../../../../shared/views.ts'
import { Bringing } from './bring.ts'

/** A line of five, and a desk whose feed brings what happened only when it is told to. */
function aDesk() {
  const branch = new BranchModel()
  for (let a = 0; a < 5; a++) branch.act({ kind: 'arrive', a, b: 0 })
  const optimism = new Optimism<AgentView, LiveEvent>(() => {})
  let view = branch.agentView()
  optimism.confirm(view, null)
  /** Ticket `place` of the line gets a state at the counter of the first agent. */
  const become = (place: number, status: TicketStatus) =>
    branch.act({ kind: 'change', a: place % 2 ? place + 5 : place, b: TICKET_STATUSES.indexOf(status) })
  return {
    branch,
    shown: () => optimism.shown?.ticket?.number ?? null,
    /** The next `count` events arrive. */
    hear(count: number) {
      const concerns = (event: LiveEvent) => concernsAgent(event, 1, SHOWN)
      for (const event of branch.feed(concerns, view.offset).slice(0, count)) {
        view = applyAgent(view, event)
        optimism.confirm(view, event)
      }
    },
    /** The key: what is shown gives way to `place`; the function returned is the server's answer. */
    press(place: number) {
      const answer = Promise.withResolvers<Ticket>()
      const bringing = new Bringing(optimism.shown!, branch.tickets[place]!, () => true)
      const acting = optimism.act({
        apply: (base) => bringing.apply(base),
        isTold: (event) => bringing.isTold(event),
        send: async () => (bringing.target = await answer.promise),
      })
      return async (brought = place, before: number | null = place - 1) => {
        if (before !== null && before >= 0) become(before, 'terminé')
        become(brought, 'appelé')
        answer.resolve(branch.tickets[brought]!)
        await acting
      }
    },
  }
}

test('keys quicker than the feed: what it tells of those before brings nobody back', async () => {
  const desk = aDesk()
  for (const place of [0, 1, 2]) {
    const answer = desk.press(place)
    if (place === 2) desk.hear(1)
    expect(desk.shown()).toBe(`A${place + 1}`)
    await answer()
    expect(desk.shown()).toBe(`A${place + 1}`)
  }
  for (let heard = 0; heard < 6; heard++) {
    desk.hear(1)
    expect(desk.shown()).toBe('A3')
  }
})

test('somebody else came than was promised: shown from whichever says so first, the answer or the feed', async () => {
  const desk = aDesk()
  await desk.press(0)(2, null)
  expect(desk.shown()).toBe('A3')
  desk.hear(9)
  expect(desk.shown()).toBe('A3')

  const other = aDesk()
  const answer = other.press(0)
  other.branch.act({ kind: 'change', a: 2, b: TICKET_STATUSES.indexOf('appelé') })
  other.hear(9)
  expect(other.shown()).toBe('A3')
  await answer(2, null)
  // Nothing is left over that would show the call again.
  other.branch.act({ kind: 'change', a: 2, b: TICKET_STATUSES.indexOf('terminé') })
  other.hear(9)
  expect(other.shown()).toBeNull()
})
