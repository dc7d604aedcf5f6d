import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VERBS, type Verb } from './rules.ts'
import { aLab, codeOf, type Branch } from './test/branch.ts'
import { DELAY_BUDGET, MAX_RECALLS, Model, type Command, type Stay } from './test/model.ts'

/** Lists of commands; TEST_SOAK=10 plays ten times as many. */
const LISTS = 100 * (Number(process.env.TEST_SOAK) || 1)
const AGENTS = 3

const lab = await aLab()

const index = fc.nat(30)
const verbs = VERBS.filter((verb) => verb !== 'expire')
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('take' as const), queue: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('call_next' as const), agent: fc.nat(AGENTS - 1) }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('undo' as const), ticket: index }) },
  {
    weight: 14,
    arbitrary: fc.record({
      verb: fc.constantFrom(...verbs),
      ticket: index,
      agent: fc.nat(AGENTS - 1),
      other: index,
      places: fc.integer({ min: 1, max: 4 }),
      position: fc.constantFrom('first', 'second', 'last', 'arrival'),
    }),
  },
)

const operationOf: Partial<Record<Verb, string>> = { no_show: 'tickets.noShow' }

/** Does in the branch what the command says; answers `ok` or the code of the refusal. */
async function act(b: Branch, model: Model, stay: Stay, command: Extract<Command, { other: number }>): Promise<string> {
  const { verb, agent, other, places, position } = command
  const inputs: Partial<Record<Verb, Record<string, unknown>>> = {
    call: { agent_id: b.agents[agent]!.id },
    resume: { agent_id: b.agents[agent]!.id },
    return: { position },
    transfer: { queue_id: b.queues[1 - stay.queue]!.id, position: position === 'second' ? 'first' : position },
    delay: { places },
    move: { after_id: model.stays[other % model.stays.length]!.id, reason: 'test' },
  }
  return codeOf(b.run(operationOf[verb] ?? `tickets.${verb}`, { id: stay.id, ...inputs[verb] }))
}

/** The database says what the model says; ranks are taken over, since the model only knows who is before whom. */
async function compare(b: Branch, model: Model): Promise<void> {
  const rows = await lab.owner<{ id: number; status: string; queue_id: number; agent_id: number | null; rank: number }>(
    'select id, status, queue_id, agent_id, rank from tickets where tenant_id = $1 order by rank, id',
    [b.tenant.id],
  )
  const agents = await lab.owner<{ status: string }>('select status from agents where tenant_id = $1 order by id', [
    b.tenant.id,
  ])
  expect(agents.map(({ status }) => status)).toEqual(b.agents.map((_, i) => model.statusOf(i)))
  const stored = new Map(rows.map((row) => [row.id, row]))
  for (const stay of model.stays) {
    const row = stored.get(stay.id)!
    expect({ status: row.status, queue_id: row.queue_id }).toEqual({
      status: stay.status,
      queue_id: b.queues[stay.queue]!.id,
    })
    if (stay.status !== 'en_attente') expect(row.agent_id).toBe(stay.agent === null ? null : b.agents[stay.agent]!.id)
    stay.rank = Number(row.rank)
  }
  for (const [queue, line] of model.lines.entries()) {
    const waiting = rows.filter((row) => row.status === 'en_attente' && row.queue_id === b.queues[queue]!.id)
    expect(waiting.map(({ id }) => id)).toEqual(line.map(({ id }) => id))
  }
}

async function play(commands: readonly Command[], model = new Model()): Promise<void> {
  const b = await lab.branch({ agents: AGENTS, queues: 2 })
  await Promise.all(
    [0, 1].map((i) => b.setQueue({ max_recalls: MAX_RECALLS, recall_gap_seconds: 0, delay_budget: DELAY_BUDGET }, i)),
  )
  for (const command of commands) {
    if (command.verb === 'take') {
      const ticket = await b.take({ queue_id: b.queues[command.queue]!.id })
      model.take(command.queue, ticket.id, ticket.rank)
    } else if (command.verb === 'call_next') {
      const expected = model.callNext(command.agent)
      const work = b.callNext(command.agent)
      if (expected === 'agent_busy') expect(await codeOf(work)).toBe(expected)
      else expect((await work)?.id).toBe(expected?.id)
    } else if (model.stays.length) {
      const stay = model.stays[command.ticket % model.stays.length]!
      if (command.verb === 'undo') expect(await codeOf(b.run('tickets.undo', { id: stay.id }))).toBe(model.undo(stay))
      else {
        const outcome = await act(b, model, stay, command)
        expect(outcome, command.verb).toBe(model.apply(command.verb, stay, command))
      }
    }
    await compare(b, model)
  }
}

test(
  'whatever three agents do, the branch does what the model says',
  () =>
    fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 30 }), (commands) => play(commands)),
      { numRuns: LISTS },
    ),
  LISTS * 1000,
)

test('control: a model that serves the last first is found out', async () => {
  class Backwards extends Model {
    override callNext(agent: number) {
      for (const line of this.lines) line.reverse()
      return super.callNext(agent)
    }
  }
  const property = fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 30 }), (commands) =>
    play(commands, new Backwards()),
  )
  const { failed } = await fc.check(property, { numRuns: 50, endOnFailure: true })
  expect(failed).toBe(true)
})
