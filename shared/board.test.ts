import { array, assert, constantFrom, nat, property, record } from 'fast-check'
import { expect, test } from 'vitest'
import { applyEvent, BOARD_WINDOW, type Board, concernsQueues, GapError, type LiveEvent } from './board.ts'
import { ACTS, type Act, BranchModel, SHOWN } from './test/branch-model.ts'
import { TICKET_STATUSES } from './ticket-status.ts'
import { applyAgent, applyDisplay, applyTicketView, concernsAgent, newcomerEstimate, type TicketView } from './views.ts'

const inQueue =
  (...queueIds: number[]) =>
  (event: LiveEvent) =>
    concernsQueues(event, queueIds)

const acts = array(record<Act>({ kind: constantFrom(...ACTS), a: nat(1000), b: nat(1000) }), {
  maxLength: 60,
  size: 'max',
})

/** Follows a random day from a random moment and compares with a fresh snapshot at its end. */
function followsTheDay<View extends { offset: number }>(
  concerns: (event: LiveEvent) => boolean,
  snapshot: (model: BranchModel) => View,
  apply: (view: View, event: LiveEvent) => View,
) {
  return property(acts, acts, (before, after) => {
    const model = new BranchModel()
    for (const act of before) model.act(act)
    let view = snapshot(model)
    const since = model.offset
    for (const act of after) model.act(act)
    for (const event of model.feed(concerns, since)) {
      const frozen = deepFreeze(view)
      view = apply(frozen, event)
      expect(apply(view, event)).toBe(view)
    }
    // Events of other queues move the site's offset, not this feed's.
    expect({ ...view, offset: 0 }).toEqual({ ...snapshot(model), offset: 0 })
  })
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}

test('a board after its events equals a fresh snapshot', () => {
  assert(
    followsTheDay(inQueue(2), (model) => model.board(2), applyEvent),
    { numRuns: 200 },
  )
})

test('a display after its events equals a fresh snapshot', () => {
  assert(
    followsTheDay(inQueue(...SHOWN), (model) => model.display(), applyDisplay),
    { numRuns: 200 },
  )
})

test("an agent's view after its events equals a fresh snapshot", () => {
  assert(
    followsTheDay(
      (event) => concernsAgent(event, 1, SHOWN),
      (model) => model.agentView(),
      applyAgent,
    ),
    { numRuns: 200 },
  )
})

test.each(['ticket.transferred', 'ticket.changed', 'agent.changed', 'queue.pace_changed'])(
  'control: a reducer that forgets %s is found out',
  (type) => {
    const forgetful = (board: Board, event: LiveEvent) =>
      applyEvent(board, event.type === type ? { ...event, type: 'lost' } : event)
    expect(() =>
      assert(
        followsTheDay(inQueue(2), (model) => model.board(2), forgetful),
        { numRuns: 200 },
      ),
    ).toThrow('Property failed')
  },
)

test('a missed event is a gap, never a silent hole', () => {
  const model = new BranchModel()
  const board = model.board(1)
  for (let a = 0; a < 4; a++) model.act({ kind: 'arrive', a, b: 0 })
  const [first, second, third] = model.feed(inQueue(1), 0)
  expect(() => applyEvent(board, second!)).toThrow(GapError)
  expect(() => applyEvent(applyEvent(board, first!), third!)).toThrow(GapError)
  expect(() => applyEvent(board, { ...first!, epoch: 'e2' })).toThrow(GapError)
  expect(applyEvent(board, { ...first!, epoch: 'e1' }).waiting).toHaveLength(1)
})

test('a snapshot newer than the last event of its feed accepts the next one', () => {
  const model = new BranchModel()
  for (let a = 0; a < 3; a++) model.act({ kind: 'arrive', a, b: a })
  const board = model.board(1)
  model.act({ kind: 'arrive', a: 9, b: 0 })
  const [event] = model.feed(inQueue(1), board.offset)
  expect(event!.after).toBeLessThan(board.offset)
  expect(applyEvent(board, event!).waiting.map((row) => row.position)).toEqual([1, 2])
})

test('only rows whose figures change are made anew', () => {
  const model = new BranchModel()
  for (let a = 0; a < 50; a++) model.act({ kind: 'arrive', a, b: 0 })
  const board = model.board(1)
  model.act({ kind: 'arrive', a: 100, b: 0 })
  const next = applyEvent(board, model.feed(inQueue(1), board.offset)[0]!)
  expect(next.waiting.filter((row, i) => row === board.waiting[i])).toHaveLength(50)
  expect(next.called).toBe(board.called)
})

test('a display or an agent that is given other queues starts over', () => {
  const model = new BranchModel()
  const given = { type: 'display.updated', offset: 1, after: 0, at: '', queue_id: null }
  expect(() => applyDisplay(model.display(), { ...given, display: { id: 9, name: 'Hall', queue_ids: [1] } })).toThrow(
    GapError,
  )
  expect(
    applyDisplay(model.display(), { ...given, display: { id: 9, name: 'Lobby', queue_ids: SHOWN } }).display.name,
  ).toBe('Lobby')
  expect(() =>
    applyAgent(model.agentView(), { ...given, type: 'agent.updated', agent: { id: 1, queue_ids: [1] } }),
  ).toThrow(GapError)
})

test('a newcomer waits behind all who wait', () => {
  const model = new BranchModel()
  for (let a = 0; a < 5; a++) model.act({ kind: 'arrive', a, b: 0 })
  const display = model.display()
  const before = newcomerEstimate(display.queues[0]!, display.agents)
  model.act({ kind: 'arrive', a: 100, b: 0 })
  expect(model.board(1).waiting.at(-1)).toMatchObject({ position: 6, ...before })
})

test("a visitor's view is replaced by what each frame carries", () => {
  const nothing = { eta_seconds: null, eta_low_seconds: null, eta_high_seconds: null }
  const ticket: TicketView['ticket'] = {
    id: 1,
    site_id: 1,
    queue_id: 1,
    service_id: 1,
    number: 'A001',
    status: 'en_attente',
    counter_name: null,
    language: 'ar',
    call_count: 0,
    created_at: '',
    called_at: null,
    started_at: null,
    ended_at: null,
    not_before: null,
    position: 2,
    ahead: 1,
    ...nothing,
  }
  const view: TicketView = { epoch: 'e1', offset: 3, ticket }
  const next = applyTicketView(view, {
    type: 'ticket.position',
    offset: 8,
    after: 2,
    ticket: { ...ticket, position: 1, ahead: 0 },
  })
  expect(next).toEqual({ epoch: 'e1', offset: 8, ticket: { ...ticket, position: 1, ahead: 0 } })
  expect(applyTicketView(next, { type: 'queue.updated', offset: 9, after: 8 })).toEqual({ ...next, offset: 9 })
  expect(() => applyTicketView(view, { type: 'ticket.called', offset: 8, after: 4, ticket })).toThrow(GapError)
})

test('a board of a long line shows its head, counts them all, and starts over before it knows too few', () => {
  const model = new BranchModel()
  const length = BOARD_WINDOW.most + 100
  for (let a = 0; a < length; a++) model.act({ kind: 'arrive', a, b: 0 })
  const whole = model.board(1)
  let board: Board = { ...whole, waiting: whole.waiting.slice(0, BOARD_WINDOW.most) }
  const apply = (count: number) => {
    for (const event of model.feed(inQueue(1), board.offset).slice(0, count)) board = applyEvent(board, event)
  }
  // Who comes behind the last one shown is counted, not shown; who comes before is shown, and pushes the last one out.
  model.act({ kind: 'arrive', a: 10_000, b: 0 })
  apply(1)
  expect([board.waiting.length, board.waiting_count]).toEqual([BOARD_WINDOW.most, length + 1])
  model.act({ kind: 'arrive', a: -1, b: 0 })
  apply(1)
  expect([board.waiting.length, board.waiting_count]).toEqual([BOARD_WINDOW.most, length + 2])
  expect(board.waiting).toEqual(model.board(1).waiting.slice(0, BOARD_WINDOW.most))
  // As many leave as may: what is shown stays the head of the line, down to the last one that is enough.
  const leave = () => {
    const id = board.waiting[0]!.id
    model.act({
      kind: 'change',
      a: model.tickets.findIndex((ticket) => ticket.id === id),
      b: TICKET_STATUSES.indexOf('annulé'),
    })
    apply(1)
  }
  for (let shown = board.waiting.length; shown > BOARD_WINDOW.least; shown--) leave()
  expect(board.waiting).toEqual(model.board(1).waiting.slice(0, BOARD_WINDOW.least))
  expect(board.waiting_count).toBe(model.board(1).waiting.length)
  expect(leave).toThrow(GapError)
})
