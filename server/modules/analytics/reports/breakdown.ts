import Type from 'typebox'
import { Closed, Enum, Nullable } from '../../../kernel/schema.ts'
import { readCells, type By } from '../rollup/read.ts'
import { Figures, figuresOf, isRounded } from './figures.ts'
import { namesOf } from './names.ts'
import { NARROWED, narrowedFields, periodOf, periodOutput } from './period.ts'
import { report } from './query.ts'

const BY = [
  'hour',
  'weekday',
  'date',
  'month',
  'service',
  'queue',
  'site',
  'channel',
  'agent',
  'counter',
  'booked',
] as const satisfies readonly By[]
export const by = Enum(BY)

/** Numbers in their own order, words in theirs. */
export const inOrder = (a: string, b: string): number => Number(a) - Number(b) || (a < b ? -1 : a > b ? 1 : 0)

const group = {
  /** Id, hour, day, channel, `true` or `false`. */
  key: Type.String(),
  /** Of a service, queue, site, agent or counter that is still there. */
  name: Nullable(Type.String()),
}

export const breakdown = report({
  id: 'analytics.breakdown',
  summary:
    'Figures of a period apart by hour, weekday, day, service, queue, site, channel, agent, counter, booked or not',
  description: `${NARROWED} The same holds apart by counter.`,
  path: 'breakdown',
  input: Closed({ ...narrowedFields, by }),
  output: Closed({
    ...periodOutput,
    by,
    groups: Type.Array(Closed({ ...group, ...Figures.properties })),
    ...isRounded,
  }),
  example: { from: '2026-11-01', to: '2026-11-30', by: 'channel' },
  async run(ctx, { by, ...input }) {
    const period = await periodOf(ctx, input)
    const { cells, is_rounded } = await readCells(ctx.tx, { ...input, ...period }, [by])
    const names = await namesOf(ctx.tx, by, cells)
    const groups = cells
      .map((cell) => ({ key: cell.keys[by]!, name: names.get(cell.keys[by]!) ?? null, ...figuresOf(cell) }))
      .toSorted((a, b) => inOrder(a.key, b.key))
    return { ...period, by, groups, is_rounded }
  },
})

const Count = Type.Integer({ minimum: 0 })
const Average = Nullable(Type.Number({ minimum: 0 }))

export const agentReport = report({
  id: 'analytics.agents',
  summary: 'What each agent did in a period',
  description: `Counted with the agent who had called last. Legs that nobody called belong to nobody. ${NARROWED}`,
  path: 'agents',
  input: Closed(narrowedFields),
  output: Closed({
    ...periodOutput,
    agents: Type.Array(
      Closed({
        agent_id: Type.Integer(),
        name: Nullable(Type.String()),
        called: Count,
        served: Count,
        no_shows: Count,
        returned: Count,
        transferred: Count,
        average_walk_time: Average,
        average_service_time: Average,
        p50_service_time: Nullable(Count),
        p90_service_time: Nullable(Count),
        service_seconds: Count,
        held_seconds: Count,
        average_rating: Nullable(Type.Number()),
      }),
    ),
  }),
  example: { from: '2026-11-01', to: '2026-11-30', site_id: 1 },
  async run(ctx, input) {
    const period = await periodOf(ctx, input)
    const { cells } = await readCells(ctx.tx, { ...input, ...period }, ['agent'])
    const names = await namesOf(ctx.tx, 'agent', cells)
    const agents = cells
      .map((cell) => {
        const figures = figuresOf(cell)
        return {
          agent_id: Number(cell.keys.agent),
          name: names.get(cell.keys.agent!) ?? null,
          called: cell.called,
          served: cell.served,
          no_shows: cell.no_shows,
          returned: cell.returned,
          transferred: cell.transferred,
          average_walk_time: figures.average_walk_time,
          average_service_time: figures.average_service_time,
          p50_service_time: figures.p50_service_time,
          p90_service_time: figures.p90_service_time,
          service_seconds: cell.service_seconds,
          held_seconds: cell.held_seconds,
          average_rating: figures.average_rating,
        }
      })
      .toSorted((a, b) => a.agent_id - b.agent_id)
    return { ...period, agents }
  },
})
