import Type, { type Static } from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { apart } from '../../kernel/apart.ts'
import { AppError, conflict } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Name } from '../../kernel/schema.ts'
import type { Solved } from './solver.ts'

const Shift = Closed({
  name: Name,
  /** Periods worked, by index; a break is a period left out. */
  periods: Type.Array(Type.Integer({ minimum: 0, maximum: 335 }), { minItems: 1, maxItems: 336, uniqueItems: true }),
  cost: Type.Number({ minimum: 0, maximum: 1_000_000 }),
  most: Type.Optional(Type.Integer({ minimum: 0, maximum: 5000 })),
})
type Shift = Static<typeof Shift>

/** The integer programme in CPLEX LP format: fewest costs, every period covered. */
function programme(required: readonly number[], shifts: readonly Shift[]): string {
  const terms = (period: number) => shifts.flatMap(({ periods }, i) => (periods.includes(period) ? [`x${i}`] : []))
  return [
    'Minimize',
    ` cost: ${shifts.map(({ cost }, i) => `${cost} x${i}`).join(' + ')}`,
    'Subject To',
    ...required.flatMap((agents, period) =>
      agents > 0 ? [` p${period}: ${terms(period).join(' + ')} >= ${agents}`] : [],
    ),
    'Bounds',
    ...shifts.map(({ most }, i) => ` 0 <= x${i} <= ${most ?? 5000}`),
    'General',
    ` ${shifts.map((_, i) => `x${i}`).join(' ')}`,
    'End',
  ].join('\n')
}

/** It holds whoever runs it until it is done, up to five seconds. */
const solver = apart<{ programme: string }, Solved>(new URL('solver.ts', import.meta.url), {
  patienceMs: 20_000,
  memoryMb: 256,
})
/** @throws AppError unavailable `overloaded`, also when the solver was ended */
const solved = (text: string): Promise<Solved> =>
  solver.ask({ programme: text }).catch((cause: unknown) => {
    throw cause instanceof AppError ? cause : new AppError('unavailable', 'overloaded', { retryAfterSeconds: 5, cause })
  })

/** The cheapest shifts that cover what each period needs. */
export const shiftPlan = operation({
  id: 'staffing.shiftPlan',
  kind: 'query',
  summary: 'The cheapest shifts that cover the agents each period needs',
  description: 'Solved as an integer programme. Refused (`no_plan`) when the shifts offered cannot cover the need.',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'POST', path: '/staffing/shift-plan/' },
  input: Closed({
    required: Type.Array(Type.Integer({ minimum: 0, maximum: 5000 }), { minItems: 1, maxItems: 336 }),
    shifts: Type.Array(Shift, { minItems: 1, maxItems: 200 }),
  }),
  output: Closed({
    cost: Type.Number(),
    shifts: Type.Array(Closed({ name: Type.String(), agents: Type.Integer() })),
    /** Agents there in each period. */
    covered: Type.Array(Type.Integer()),
  }),
  example: {
    input: {
      required: [2, 4, 4, 3],
      shifts: [
        { name: 'Matin', periods: [0, 1], cost: 2 },
        { name: 'Après-midi', periods: [2, 3], cost: 2 },
        { name: 'Journée', periods: [0, 1, 2, 3], cost: 3 },
      ],
    },
  },
  pool: 'reports',
  async run(_ctx, { required, shifts }) {
    const isCoverable = required.every(
      (agents, period) => agents === 0 || shifts.some(({ periods }) => periods.includes(period)),
    )
    if (!isCoverable) throw conflict('no_plan')
    if (required.every((agents) => agents === 0)) return { cost: 0, shifts: [], covered: required.map(() => 0) }
    const found = await solved(programme(required, shifts))
    if (found === null) throw conflict('no_plan')
    const agents = shifts.map((_, i) => found[`x${i}`]!)
    return {
      cost: Math.round(agents.reduce((sum, count, i) => sum + count * shifts[i]!.cost, 0) * 1e6) / 1e6,
      shifts: shifts.flatMap(({ name }, i) => (agents[i]! > 0 ? [{ name, agents: agents[i]! }] : [])),
      covered: required.map((_, period) =>
        agents.reduce((sum, count, i) => sum + (shifts[i]!.periods.includes(period) ? count : 0), 0),
      ),
    }
  },
})
